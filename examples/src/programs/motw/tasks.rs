//! Tasks that are cancelled, and several of them at once.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::task::{self, ReturnWhen};

use super::{Context, run_task};
use crate::say;
use crate::transcript::Transcript;

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn sleeper(out: Transcript) -> TaskResult<()> {
    say!(out, "in task_func, sleeping");
    wait!(sleep(Duration::from_secs(1))).inspect_err(|_| say!(out, "task_func was canceled"))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn canceller(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "creating task");
    let task = event_loop.spawn(sub!(sleeper(out.clone())));
    let (cancels, log) = (task.canceller(), out.clone());
    event_loop.call_soon(move || {
        say!(log, "in task_canceller");
        cancels.cancel();
        say!(log, "canceled the task");
    });
    match wait!(task)? {
        Err(error) if error.is_cancelled() => say!(out, "main() also sees task as canceled"),
        other => other?,
    }
    Ok(())
}

pub(super) fn cancel_task2(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, canceller(event_loop.clone(), out.clone()))
}

/// `['a', 'b']`, as Python prints it.
fn python_list(results: &[String]) -> String {
    let quoted: Vec<_> = results.iter().map(|result| format!("'{result}'")).collect();
    format!("[{}]", quoted.join(", "))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn numbered(number: u64, seconds: u64, out: Transcript) -> TaskResult<String> {
    say!(out, "in phase{number}");
    wait!(sleep(Duration::from_secs(seconds)))?;
    say!(out, "done with phase{number}");
    Ok(format!("phase{number} result"))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn gathering(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "starting main");
    say!(out, "waiting for phases to complete");
    let phase1 = event_loop.spawn(sub!(numbered(1, 2, out.clone())));
    let phase2 = event_loop.spawn(sub!(numbered(2, 1, out.clone())));
    let results = wait!(task::gather([phase1, phase2]))??;
    say!(out, "results: {}", python_list(&results));
    Ok(())
}

pub(super) fn gather(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, gathering(event_loop.clone(), out.clone()))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn phase(i: u64, out: Transcript) -> TaskResult<String> {
    say!(out, "in phase {i}");
    wait!(sleep(Duration::from_millis(500 - 100 * i)))?;
    say!(out, "done with phase {i}");
    Ok(format!("phase {i} result"))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn completing(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "starting main");
    let mut phases = Vec::new();
    for i in [2, 0, 1] {
        phases.push(event_loop.spawn(sub!(phase(i, out.clone()))));
    }
    say!(out, "waiting for phases to complete");
    let mut results = Vec::new();
    for next in task::as_completed(phases) {
        let answer = wait!(next)??;
        say!(out, "received answer '{answer}'");
        results.push(answer);
    }
    say!(out, "results: {}", python_list(&results));
    Ok(())
}

pub(super) fn as_completed(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, completing(event_loop.clone(), out.clone()))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn short_phase(i: u32, out: Transcript) -> TaskResult<String> {
    say!(out, "in phase {i}");
    wait!(sleep(Duration::from_millis(100) * i)).inspect_err(|_| say!(out, "phase {i} canceled"))?;
    say!(out, "done with phase {i}");
    Ok(format!("phase {i} result"))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn waiting(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "starting main");
    let mut phases = Vec::new();
    for i in [2, 0, 1] {
        phases.push(event_loop.spawn(sub!(short_phase(i, out.clone()))));
    }
    say!(out, "waiting for phases to complete");
    let mut results = Vec::new();
    for mut completed in wait!(task::wait(&mut phases, ReturnWhen::AllCompleted))?? {
        results.extend(completed.try_result().transpose()?);
    }
    say!(out, "results: {}", python_list(&results));
    Ok(())
}

pub(super) fn wait(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, waiting(event_loop.clone(), out.clone()))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn waiting_not_long(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "starting main");
    let mut phases = Vec::new();
    for i in [2, 0, 1] {
        phases.push(event_loop.spawn(sub!(short_phase(i, out.clone()))));
    }
    say!(out, "waiting 0.1 for phases to complete");
    let limited = task::wait(&mut phases, ReturnWhen::AllCompleted).timeout(Duration::from_millis(100));
    let completed = wait!(limited)??;
    say!(out, "{} completed and {} pending", completed.len(), phases.len());
    say!(out, "canceling tasks");
    // Python's set has them in this order.
    for pending in phases.iter().rev() {
        pending.cancel();
    }
    say!(out, "exiting main");
    Ok(())
}

/// The phase that takes as long as the limit is pending when that is up: its timer was set later.
pub(super) fn wait_timeout(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, waiting_not_long(event_loop.clone(), out.clone()))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn wrapped(out: Transcript) -> TaskResult<&'static str> {
    say!(out, "wrapped");
    Ok("result")
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn inner(task: JoinHandle<&'static str>, out: Transcript) -> TaskResult<()> {
    say!(out, "inner: starting");
    say!(out, "inner: waiting for {task:?}");
    let result = wait!(task)??;
    say!(out, "inner: task returned '{result}'");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn starter(out: Transcript) -> TaskResult<()> {
    say!(out, "starter: creating task");
    let task = task::ensure_future(sub!(wrapped(out.clone())));
    say!(out, "starter: waiting for inner");
    yield_from!(sub!(inner(task, out.clone())))?;
    say!(out, "starter: inner returned");
    Ok(())
}

pub(super) fn ensure_future(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "entering event loop");
    run_task!(flavour, event_loop, starter(out.clone()))
}
