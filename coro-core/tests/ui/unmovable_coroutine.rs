//! A coroutine goes to another thread only if its body can.

use std::rc::Rc;

use coro_core::native;

fn movable<T: Send>(_: T) {}

fn main() {
    movable(native::new::<u32, u32, (), (), _>(async |co| {
        let held = Rc::new(1);
        co.yield_(*held).await?;
        drop(held);
        Ok(())
    }));
}
