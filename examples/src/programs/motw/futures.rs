//! Results that a callback sets: for the loop, for a coroutine, and for other callbacks.

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::task::Future;

use super::{Context, run_task};
use crate::say;
use crate::transcript::Transcript;

type Text = &'static str;

/// Sets the future, which nobody else does.
fn mark_done(future: &Future<Text>, result: Text, out: &Transcript) -> impl FnOnce() + use<> {
    let (future, out) = (future.clone(), out.clone());
    move || {
        say!(out, "setting future result to '{result}'");
        if let Err(refused) = future.set_result(result) {
            say!(out, "{refused}");
        }
    }
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn until_set(future: Future<Text>) -> TaskResult<Text> {
    Ok(wait!(future)??)
}

/// Where Python's loop runs until a future is set, ours runs a task that awaits it.
pub(super) fn event_loop(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    let all_done = event_loop.create_future();
    say!(out, "scheduling mark_done");
    event_loop.call_soon(mark_done(&all_done, "the result", out));
    say!(out, "entering event loop");
    let returned = run_task!(flavour, event_loop, until_set(all_done.clone()))?;
    say!(out, "returned result: '{returned}'");
    say!(out, "closing event loop");
    say!(out, "future result: '{}'", all_done.result().map_err(RunError::Task)?);
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn awaiting(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let all_done = Future::new();
    say!(out, "scheduling mark_done");
    event_loop.call_soon(mark_done(&all_done, "the result", &out));
    let result = wait!(all_done)??;
    say!(out, "returned result: '{result}'");
    Ok(())
}

pub(super) fn awaited(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, awaiting(event_loop.clone(), out.clone()))
}

/// Tells of the result of a future.
fn tell(n: u32, out: &Transcript) -> impl FnOnce(&Future<Text>) + use<> {
    let out = out.clone();
    move |future| match future.result() {
        Ok(result) => say!(out, "{n}: future done: {result}"),
        Err(error) => say!(out, "{n}: {error}"),
    }
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn register(all_done: Future<Text>, out: Transcript) -> TaskResult<()> {
    say!(out, "registering callbacks on future");
    all_done.add_done_callback(tell(1, &out));
    all_done.add_done_callback(tell(2, &out));
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn calling(out: Transcript) -> TaskResult<()> {
    let all_done = Future::new();
    yield_from!(sub!(register(all_done.clone(), out.clone())))?;
    say!(out, "setting result of future");
    Ok(all_done.set_result("the result").map_err(TaskError::other)?)
}

/// The callbacks are queued when the future is set, and so they run although that is the end of the program.
pub(super) fn callback(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, calling(out.clone()))
}
