//! A coroutine of `borrowing` stays on its thread: it may delegate to what must.

use coro_core::native;

fn movable<T: Send>(_: T) {}

fn main() {
    movable(native::borrowing::<u32, u32, (), (), _>(async |_| Ok(())));
}
