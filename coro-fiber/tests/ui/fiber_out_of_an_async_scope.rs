//! Nor a scope that awaits.

use coro_fiber::{Fiber, scope_async};

fn main() {
    let fiber = Fiber::<(), u8, (), ()>::new(|co| co.yield_(1));
    drop(scope_async(async |scope| scope.own(fiber)));
}
