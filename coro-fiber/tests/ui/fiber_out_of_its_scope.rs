//! A fiber that is resumed by hand cannot leave its scope: not returned, and not through a variable outside.

use coro_fiber::{Fiber, scope};

fn main() {
    let fiber = || Fiber::<(), u8, (), ()>::new(|co| co.yield_(1));
    let mut outside = None;
    scope(|scope| outside = Some(scope.own(fiber())));
    let returned = scope(|scope| scope.own(fiber()));
    drop((outside, returned));
}
