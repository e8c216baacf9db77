//! A body cannot give its `Co` away: it is only lent.

use coro_core::native::Native as Body;

fn main() {
    let leak = Body::<u32, u32, &'static mut coro_core::native::Co<u32, u32, ()>, ()>::new(async |co| Ok(co));
    drop(leak);
}
