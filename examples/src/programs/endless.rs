//! An endless generator, read in two goes.
//!
//! This demonstrates:
//!
//! 1. a coroutine that keeps its place: the second reader goes on where the first one stopped;
//! 2. a generator that needs no loop: it is resumed by hand, and never waits;
//! 3. that whoever reads it need not know its flavour, and that it can be written once for all three.
//!
//! Golden: the lines `yield_from_loop` of `misc.py.out`, one for each threshold from 30 to 49. Since the tutorial's
//! reader keeps its generator to itself but goes on with it outside, this one hands it back.

use std::convert::Infallible;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_fiber::scope;

use super::{Context, yielded};
use crate::say;
use crate::transcript::Transcript;

const CYCLE: [u32; 4] = [9, 8, 7, 6];

/// How far to read.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// Read until the sum of the values reaches this
    #[arg(long, value_name = "N", default_value_t = 47, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub threshold: u32,
}

/// The cycle, for ever.
#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn endless() -> Result<Infallible, Thrown<Infallible>> {
    loop {
        for i in CYCLE {
            yield_!(i)?;
        }
    }
}

/// Prints values until their sum reaches the threshold, and hands the generator back. The value that finds it reached
/// has been taken from the generator by then, and is lost, as in the tutorial.
fn yield_from_loop<G>(mut e: G, threshold: u32, out: &Transcript) -> Result<G, TaskError>
where
    G: Coroutine<Send = (), Yield = u32>,
{
    let (mut total, mut printed) = (0, Vec::new());
    while let Some(i) = yielded(e.next())? {
        if total >= threshold {
            break;
        }
        printed.push(i.to_string());
        total += i;
    }
    say!(out, "{}", printed.join(" "));
    Ok(e)
}

fn program<G>(e: G, context: &Context, options: Options) -> Result<(), RunError>
where
    G: Coroutine<Send = (), Yield = u32>,
{
    let mut e = yield_from_loop(e, options.threshold, &context.out)?;
    let mut values = [0; 3];
    for value in &mut values {
        *value = yielded(e.next())?.unwrap_or_default();
    }
    let [first, second, third] = values;
    say!(context.out, "({first}, {second}, {third})");
    Ok(())
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the generator cannot be resumed.
pub fn run(flavour: Flavour, context: &Context, options: Options) -> Result<(), RunError> {
    match flavour {
        Flavour::Native => program(endless::native(), context, options),
        Flavour::Generator => program(endless::generator(), context, options),
        Flavour::Fiber => scope(|scope| program(scope.own(endless::fiber()), context, options)),
    }
}
