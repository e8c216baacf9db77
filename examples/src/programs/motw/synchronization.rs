//! A lock, an event and a condition.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::sync;

use super::{Context, run_task};
use crate::programs::python_bool;
use crate::say;
use crate::transcript::Transcript;

const SHORT: Duration = Duration::from_millis(100);

/// Holds the lock for as long as its guard lives.
#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn scoped(lock: sync::Lock<()>, out: Transcript) -> TaskResult<()> {
    say!(out, "coro1 waiting for the lock");
    {
        let _guard = wait!(lock.lock())?;
        say!(out, "coro1 acquired lock");
    }
    say!(out, "coro1 released lock");
    Ok(())
}

/// Gives the lock back by hand.
#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn released(lock: sync::Lock<()>, out: Transcript) -> TaskResult<()> {
    say!(out, "coro2 waiting for the lock");
    let guard = wait!(lock.lock())?;
    say!(out, "coro2 acquired lock");
    say!(out, "coro2 released lock");
    drop(guard);
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn locking(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let lock = sync::Lock::new(());
    say!(out, "acquiring the lock before starting coroutines");
    let guard = wait!(lock.lock())?;
    say!(out, "lock acquired: {}", python_bool(lock.is_locked()));
    let log = out.clone();
    event_loop.call_later(SHORT, move || {
        say!(log, "callback releasing lock");
        drop(guard);
    });
    say!(out, "waiting for coroutines");
    let coro1 = event_loop.spawn(sub!(scoped(lock.clone(), out.clone())));
    let coro2 = event_loop.spawn(sub!(released(lock, out)));
    wait!(gather([coro1, coro2]))??;
    Ok(())
}

pub(super) fn lock(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, locking(event_loop.clone(), out.clone()))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn waiting(name: &'static str, event: sync::Event, out: Transcript) -> TaskResult<()> {
    say!(out, "{name} waiting for event");
    wait!(event.wait())?;
    say!(out, "{name} triggered");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn setting(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let event = sync::Event::new();
    say!(out, "event start state: {}", python_bool(event.is_set()));
    let (set, log) = (event.clone(), out.clone());
    event_loop.call_later(SHORT, move || {
        say!(log, "setting event in callback");
        set.set();
    });
    let coro1 = event_loop.spawn(sub!(waiting("coro1", event.clone(), out.clone())));
    let coro2 = event_loop.spawn(sub!(waiting("coro2", event.clone(), out.clone())));
    wait!(gather([coro1, coro2]))??;
    say!(out, "event end state: {}", python_bool(event.is_set()));
    Ok(())
}

pub(super) fn event(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, setting(event_loop.clone(), out.clone()))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn consumer(n: u32, condition: sync::Condition<()>, out: Transcript) -> TaskResult<()> {
    let held = wait!(condition.lock())?;
    say!(out, "consumer {n} is waiting");
    let _held = wait!(held.wait())?;
    say!(out, "consumer {n} triggered");
    say!(out, "ending consumer {n}");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn manipulate(condition: sync::Condition<()>, out: Transcript) -> TaskResult<()> {
    say!(out, "starting manipulate_condition");
    // Until the consumers wait.
    wait!(sleep(SHORT))?;
    for n in 1..3 {
        let held = wait!(condition.lock())?;
        say!(out, "notifying {n} consumers");
        held.notify(n);
        drop(held);
        wait!(sleep(SHORT))?;
    }
    let held = wait!(condition.lock())?;
    say!(out, "notifying remaining consumers");
    held.notify_all();
    drop(held);
    say!(out, "ending manipulate_condition");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn notifying(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let condition = sync::Condition::new(());
    event_loop.spawn(sub!(manipulate(condition.clone(), out.clone()))).detach();
    let mut consumers = Vec::new();
    for n in [4, 0, 2, 1, 3] {
        consumers.push(event_loop.spawn(sub!(consumer(n, condition.clone(), out.clone()))));
    }
    wait!(gather(consumers))??;
    Ok(())
}

pub(super) fn condition(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, notifying(event_loop.clone(), out.clone()))
}
