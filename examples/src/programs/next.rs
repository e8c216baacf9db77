//! A generator object, and `next`.
//!
//! This demonstrates:
//!
//! 1. that making a coroutine runs nothing of it;
//! 2. `next`, which runs it to its next `yield`, and says when it has returned;
//! 3. that the states are the same in every flavour.
//!
//! Golden: `next.py.out`. The object is printed with its state where CPython prints its address.

use std::convert::Infallible;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_fiber::scope;

use super::{Context, yielded};
use crate::say;

/// The generator function.
#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn numbers() -> Result<(), Thrown<Infallible>> {
    yield_!(1)?;
    yield_!(2)
}

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
        Flavour::Native => program(numbers::native(), context),
        Flavour::Generator => program(numbers::generator(), context),
        Flavour::Fiber => scope(|scope| program(scope.own(numbers::fiber()), context)),
    }
}
