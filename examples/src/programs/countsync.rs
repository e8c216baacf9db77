//! The same counters as in `countasync`, but each blocks the whole loop: it takes three seconds.
//!
//! This demonstrates:
//!
//! 1. what a blocking call does to a loop: nobody else runs, so every "Two" follows its own "One";
//! 2. that a task which never waits never suspends: no flavour parks or yields here;
//! 3. `block_for`, the blocking sleep on the loop's own clock, for use in simulations.
//!
//! Golden: `countsync.py.out`.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::time::block_for;

use super::Context;
use crate::say;
use crate::transcript::Transcript;

/// A plain function: it cannot suspend in any flavour, and so it is one function for all.
fn count(out: &Transcript) {
    say!(out, "One");
    block_for(Duration::from_secs(1));
    say!(out, "Two");
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let ((), seconds) = match flavour {
        Flavour::Native => native::run(context),
        Flavour::Generator => generator::run(context),
        Flavour::Fiber => fiber::run(context),
    }?;
    say!(context.out, "countsync.py executed in {seconds:.2} seconds.");
    Ok(())
}

mod native {
    use super::*;

    pub(super) fn run(context: &Context) -> Result<((), f64), RunError> {
        let out = context.out.clone();
        context.timed(async move {
            for _ in 0..3 {
                count(&out);
            }
        })
    }
}

mod generator {
    use super::*;

    pub(super) fn run(context: &Context) -> Result<((), f64), RunError> {
        let out = context.out.clone();
        context.timed(coro_gen::task(async move |_co| {
            for _ in 0..3 {
                count(&out);
            }
            Ok(())
        }))
    }
}

mod fiber {
    use super::*;

    pub(super) fn run(context: &Context) -> Result<((), f64), RunError> {
        let out = context.out.clone();
        context.timed(coro_fiber::task(move |_co| {
            for _ in 0..3 {
                count(&out);
            }
            Ok(())
        }))
    }
}
