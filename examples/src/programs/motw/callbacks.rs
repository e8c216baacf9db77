//! Functions that the loop calls: soon, after a delay, and at a time of its clock.

use std::time::{Duration, SystemTime};

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::time::wall_clock;

use super::{Context, run_task};
use crate::say;
use crate::transcript::Transcript;

/// With an argument that need not be given, as Python's callback has.
fn callback(out: Transcript, argument: u32, keyword: Option<&'static str>) -> impl FnOnce() {
    move || say!(out, "callback invoked with {argument} and {}", keyword.unwrap_or("default"))
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn soon(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "registering callbacks");
    event_loop.call_soon(callback(out.clone(), 1, None));
    event_loop.call_soon(callback(out.clone(), 2, Some("not default")));
    wait!(sleep(Duration::from_millis(100)))
}

pub(super) fn call_soon(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "entering event loop");
    let ran = run_task!(flavour, event_loop, soon(event_loop.clone(), out.clone()));
    say!(out, "closing event loop");
    ran
}

fn invoked(out: Transcript, number: u32) -> impl FnOnce() {
    move || say!(out, "callback {number} invoked")
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn later(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "registering callbacks");
    event_loop.call_later(Duration::from_millis(200), invoked(out.clone(), 1));
    event_loop.call_later(Duration::from_millis(100), invoked(out.clone(), 2));
    event_loop.call_soon(invoked(out.clone(), 3));
    wait!(sleep(Duration::from_millis(400)))
}

pub(super) fn call_later(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "entering event loop");
    let ran = run_task!(flavour, event_loop, later(event_loop.clone(), out.clone()));
    say!(out, "closing event loop");
    ran
}

fn invoked_at(event_loop: &Loop, out: &Transcript, number: u32) -> impl FnOnce() + use<> {
    let (event_loop, out) = (event_loop.clone(), out.clone());
    move || say!(out, "callback {number} invoked at {}", event_loop.time().as_secs_f64())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn at(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let now = event_loop.time();
    let clock = wall_clock().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    say!(out, "clock time: {}", clock.as_secs_f64());
    say!(out, "loop  time: {}", now.as_secs_f64());
    say!(out, "registering callbacks");
    event_loop.call_at(now + Duration::from_millis(200), invoked_at(&event_loop, &out, 1));
    event_loop.call_at(now + Duration::from_millis(100), invoked_at(&event_loop, &out, 2));
    event_loop.call_soon(invoked_at(&event_loop, &out, 3));
    wait!(sleep(Duration::from_secs(1)))
}

pub(super) fn call_at(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    say!(out, "entering event loop");
    let ran = run_task!(flavour, event_loop, at(event_loop.clone(), out.clone()));
    say!(out, "closing event loop");
    ran
}

/// The first line of the golden, what asyncio logs of its selector, is not for a program to print.
pub(super) fn stop(_flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    let (stopped, log) = (event_loop.clone(), out.clone());
    event_loop.call_soon(move || {
        say!(log, "main: stopper invoked");
        stopped.stop();
    });
    say!(out, "main: entering event loop");
    let ran = event_loop.run_forever();
    say!(out, "main: closing event loop");
    ran
}
