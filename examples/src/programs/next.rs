//! A generator object, and `next`.
//!
//! This demonstrates:
//!
//! 1. that making a coroutine runs nothing of it;
//! 2. `next`, which runs it to its next `yield`, and says when it has returned;
//! 3. that the states are the same in every flavour.
//!
//! Golden: `next.py.out`. The object is printed with its state where CPython prints its address.

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::{Context, yielded};
use crate::say;

fn program<G>(mut g: G, context: &Context) -> Result<(), RunError>
where
    G: Coroutine<Send = (), Yield = u32>,
{
    let out = &context.out;
    say!(out, "<generator object gen, {:?}>", g.state());
    while let Some(value) = yielded(g.next())? {
        say!(out, "{value}");
    }
    // The last `next` found no further value.
    say!(out, "finished");
    Ok(())
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the generator cannot be resumed.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    match flavour {
        Flavour::Native => program(native::generator(), context),
        Flavour::Generator => program(generator::generator(), context),
        Flavour::Fiber => coro_fiber::scope(|scope| program(scope.own(fiber::generator()), context)),
    }
}

mod native {
    use coro_core::native::Native;

    pub(super) fn generator() -> Native<(), u32, ()> {
        Native::new(async |co| {
            co.yield_(1).await?;
            co.yield_(2).await
        })
    }
}

mod generator {
    use coro_gen::Gen;

    pub(super) fn generator() -> Gen<(), u32, ()> {
        Gen::new(async |co| {
            co.yield_(1).await?;
            co.yield_(2).await
        })
    }
}

mod fiber {
    use coro_fiber::Fiber;

    pub(super) fn generator() -> Fiber<(), u32, ()> {
        Fiber::new(|co| {
            co.yield_(1)?;
            co.yield_(2)
        })
    }
}
