//! The body of an inner coroutine cannot suspend the outer one: it outlives the loan.

use coro_core::native::Native as Body;

fn main() {
    let outer = Body::<u32, u32, (), ()>::new(async |outer| {
        let inner = Body::<u32, u32, (), ()>::new(async move |_| {
            outer.yield_(1).await?;
            Ok(())
        });
        drop(inner);
        Ok(())
    });
    drop(outer);
}
