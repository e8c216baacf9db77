//! Nor can a fiber of a scope that is inside of a body suspend that body, from a stack that is not its own.

use coro_core::prelude::*;
use coro_fiber::{Fiber, scope};

fn main() {
    let outer = Fiber::<u32, u32, (), ()>::new(|outer| {
        scope(|scope| {
            let mut inner = scope.fiber::<u32, u32, (), ()>(move |_| outer.yield_(1).map(drop));
            drop(inner.start());
        });
        Ok(())
    });
    drop(outer);
}
