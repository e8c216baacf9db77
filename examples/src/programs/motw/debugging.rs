//! A coroutine that blocks the loop, and what debug mode says of it.

use std::rc::Rc;
use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::time::block_for;

use super::{Context, run_task};
use crate::say;
use crate::transcript::Transcript;

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn inner(out: Transcript) -> TaskResult<()> {
    say!(out, "   INFO: inner starting");
    // Not a wait: nobody else runs meanwhile.
    block_for(Duration::from_millis(101));
    say!(out, "   INFO: inner completed");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn outer(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "   INFO: outer starting");
    wait!(event_loop.spawn(sub!(inner(out.clone()))))??;
    say!(out, "   INFO: outer completed");
    Ok(())
}

/// The first line of the golden, what asyncio logs of its selector, is not for a program to print.
pub(super) fn quiet(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "   INFO: entering event loop");
    run_task!(flavour, event_loop, outer(event_loop.clone(), out.clone()))
}

pub(super) fn verbose(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "   INFO: enabling debugging");
    event_loop.set_debug(true);
    let log = out.clone();
    event_loop.set_exception_handler(Some(Rc::new(move |exception| say!(log, "WARNING: {exception}"))));
    quiet(flavour, context)
}
