//! What holds for `'static` fibers only does not hold for those of a scope, though its brand is `'static` in truth.

use coro_fiber::{Fiber, ScopedFiber, scope};

trait Keep {
    type Kept: 'static;

    fn keep(self) -> Self::Kept;
}

impl Keep for ScopedFiber<'static, (), u8, (), ()> {
    type Kept = Self;

    fn keep(self) -> Self {
        self
    }
}

fn main() {
    let fiber = Fiber::<(), u8, (), ()>::new(|co| co.yield_(1));
    scope(|scope| drop(scope.own(fiber).keep()));
}
