//! The fibers of two scopes have different types.

use coro_fiber::{Fiber, scope};

fn main() {
    let fiber = || Fiber::<(), u8, (), ()>::new(|co| co.yield_(1));
    scope(|outer| {
        let mut fibers = vec![outer.own(fiber())];
        scope(|inner| fibers.push(inner.own(fiber())));
    });
}
