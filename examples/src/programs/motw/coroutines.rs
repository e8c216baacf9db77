//! Coroutines that return values and await each other.

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::{Context, run_task};
use crate::say;
use crate::transcript::Transcript;

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn plain(out: Transcript) -> TaskResult<()> {
    say!(out, "in coroutine");
    Ok(())
}

pub(super) fn coroutine(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "starting coroutine");
    say!(out, "entering event loop");
    let ran = run_task!(flavour, event_loop, plain(out.clone()));
    say!(out, "closing event loop");
    ran
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn returning(out: Transcript) -> TaskResult<&'static str> {
    say!(out, "in coroutine");
    Ok("result")
}

pub(super) fn coroutine_return(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    let returned = run_task!(flavour, event_loop, returning(out.clone()))?;
    say!(out, "it returned: '{returned}'");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn outer(out: Transcript) -> TaskResult<(String, String)> {
    say!(out, "in outer");
    say!(out, "waiting for result1");
    let result1 = yield_from!(sub!(phase1(out.clone())))?;
    say!(out, "waiting for result2");
    let result2 = yield_from!(sub!(phase2(out.clone(), result1.clone())))?;
    Ok((result1, result2))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn phase1(out: Transcript) -> TaskResult<String> {
    say!(out, "in phase1");
    Ok("result1".to_string())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn phase2(out: Transcript, argument: String) -> TaskResult<String> {
    say!(out, "in phase2");
    Ok(format!("result2 derived from {argument}"))
}

pub(super) fn coroutine_chain(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    let (result1, result2) = run_task!(flavour, event_loop, outer(out.clone()))?;
    say!(out, "return value: ('{result1}', '{result2}')");
    Ok(())
}
