//! A body cannot give its `Co` away: it is only lent.

use coro_fiber::Fiber as Body;

fn main() {
    let leak = Body::<u32, u32, &'static mut coro_fiber::Co<'static, u32, u32, ()>, ()>::new(|co| Ok(co));
    drop(leak);
}
