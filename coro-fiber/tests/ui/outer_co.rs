//! The body of an inner coroutine cannot suspend the outer one: it outlives the loan.

use coro_fiber::Fiber as Body;

fn main() {
    let outer = Body::<u32, u32, (), ()>::new(|outer| {
        let inner = Body::<u32, u32, (), ()>::new(move |_| {
            outer.yield_(1)?;
            Ok(())
        });
        drop(inner);
        Ok(())
    });
    drop(outer);
}
