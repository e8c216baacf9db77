//! The cases of a tutorial on coroutines, tasks and futures, in its order.
//!
//! This demonstrates:
//!
//! 1. a body that awaits another one, and tasks that run beside each other, one by one and in a list;
//! 2. a wait with a limit, which ends no task, and one for a future that nobody sets;
//! 3. a future that a task sets for whoever waits;
//! 4. an asynchronous iterator, and a context that takes time to be entered and left.
//!
//! Golden: the sections of `tutorial_cases.out`, without those on pools of threads and processes.

use std::time::Duration;

use clap::ValueEnum;
use coro_core::coroutine::{AsyncContext, Ending, with};
use coro_core::prelude::*;
use coro_core::scope::wait_for;
use coro_core::stats::Flavour;
use coro_core::task::{self, ReturnWhen};

use super::motw::run_task;
use super::{Context, yielded};
use crate::say;
use crate::transcript::Transcript;

const TWO_SECONDS: Duration = Duration::from_secs(2);

/// A case of the tutorial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Tutorial {
    /// A loop runs a task, and then a program
    TwoWays,
    /// A body awaits another one
    Awaited,
    /// Two tasks, awaited one after the other
    Tasks,
    /// Two tasks, awaited as a list
    List,
    /// A limit that comes before the task has ended
    Limit,
    /// A future that nobody sets
    NeverSet,
    /// A future that is set after two seconds
    SetAfter,
    /// An iterator that waits for each of its items
    Iterator,
    /// A connection that is opened, used and closed
    Connection,
}

/// Runs the case in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(case: Tutorial, flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    let (out, spawns) = (out.clone(), event_loop.clone());
    match case {
        Tutorial::TwoWays => {
            let first = match flavour {
                Flavour::Native => event_loop.spawn(hello::native(out.clone())),
                Flavour::Generator => event_loop.spawn(hello::generator(out.clone())),
                Flavour::Fiber => event_loop.spawn(hello::fiber(out.clone())),
            };
            event_loop.run_until_complete(first)?;
            run_task!(flavour, event_loop, hello(out))
        }
        Tutorial::Awaited => run_task!(flavour, event_loop, caller(out.clone()))
            .map(|()| say!(out, "{:.1} s", event_loop.time().as_secs_f64())),
        Tutorial::Tasks => run_task!(flavour, event_loop, tasks(spawns, out.clone()))
            .map(|()| say!(out, "{:.1} s", event_loop.time().as_secs_f64())),
        Tutorial::List => run_task!(flavour, event_loop, list(spawns, out)),
        Tutorial::Limit => run_task!(flavour, event_loop, limited(spawns, out)),
        Tutorial::NeverSet => run_task!(flavour, event_loop, never_set(out)),
        Tutorial::SetAfter => run_task!(flavour, event_loop, waits_for_setter(spawns, out)),
        Tutorial::Iterator => run_task!(flavour, event_loop, iterates(spawns, out)),
        Tutorial::Connection => run_task!(flavour, event_loop, connected(out)),
    }
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn hello(out: Transcript) -> TaskResult<()> {
    say!(out, "Hello.");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn request(out: Transcript) -> TaskResult<&'static str> {
    say!(out, "start");
    wait!(sleep(TWO_SECONDS))?;
    say!(out, "end");
    Ok("Return Value")
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn caller(out: Transcript) -> TaskResult<()> {
    say!(out, "Execute the code inside the coprocessor function.");
    let response = yield_from!(sub!(request(out.clone())))?;
    say!(out, "ioRequest closed,prove{response}");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn slow(out: Transcript) -> TaskResult<&'static str> {
    say!(out, "1");
    wait!(sleep(TWO_SECONDS))?;
    say!(out, "2");
    Ok("Return Value")
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn tasks(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "Main start");
    let first = event_loop.spawn(sub!(slow(out.clone())));
    let second = event_loop.spawn(sub!(slow(out.clone())));
    say!(out, "End of main");
    let first = wait!(first)??;
    let second = wait!(second)??;
    say!(out, "{first} {second}");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn list(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    say!(out, "Main start");
    let mut pending = Vec::new();
    for name in ["n1", "n2"] {
        pending.push(event_loop.spawn(sub!(slow(out.clone()))).named(name));
    }
    say!(out, "End of main");
    let mut results = Vec::new();
    for mut done in wait!(task::wait(&mut pending, ReturnWhen::AllCompleted))?? {
        let result = done.try_result().transpose()?.unwrap_or_default();
        results.push(format!("'{}:{result}'", done.info().name));
    }
    let pending = if pending.is_empty() { "set()" } else { "more" };
    say!(out, "[{}] {pending}", results.join(", "));
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn limited(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let mut pending = vec![event_loop.spawn(sub!(slow(out.clone())))];
    let limited = task::wait(&mut pending, ReturnWhen::AllCompleted).timeout(Duration::from_secs(1));
    let done = wait!(limited)??;
    say!(out, "{} {}", done.len(), pending.len());
    Ok(())
}

/// The tutorial's waits for ever: here for a second.
#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn never_set(out: Transcript) -> TaskResult<()> {
    let future = task::Future::<u32>::new();
    if wait!(wait_for(Duration::from_secs(1), future.clone()))?.is_err() {
        say!(out, "TimeoutError");
    }
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn set_after(future: task::Future<&'static str>) -> TaskResult<()> {
    wait!(sleep(TWO_SECONDS))?;
    Ok(future.set_result("666").map_err(TaskError::other)?)
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn waits_for_setter(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let future = task::Future::new();
    event_loop.spawn(sub!(set_after(future.clone()))).detach();
    let result = wait!(future)??;
    say!(out, "{result}");
    Ok(())
}

/// Reads lines that are there already, 1 to 99.
#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn reader() -> TaskResult<()> {
    for count in 1..100 {
        yield_!(count)?;
    }
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn iterates(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let (reader, mut items) = (event_loop.drive(sub!(reader())), Vec::new());
    while let Some(item) = yielded(wait!(reader.next())?)? {
        items.push(item);
    }
    say!(out, "{:?} ... {} {}", &items[..3], items[items.len() - 1], items.len());
    Ok(())
}

/// A connection, which takes a second to open and one to close.
struct Connection(Transcript);

impl AsyncContext<TaskError> for Connection {
    type Value = u32;

    async fn enter(&mut self) -> Result<u32, TaskError> {
        say!(self.0, "connect");
        sleep(Duration::from_secs(1)).await;
        Ok(666)
    }

    async fn exit(self, _ending: Ending) -> Result<(), TaskError> {
        sleep(Duration::from_secs(1)).await;
        say!(self.0, "closed");
        Ok(())
    }
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn connected(out: Transcript) -> TaskResult<()> {
    let log = out.clone();
    wait!(with(Connection(out), async move |result| {
        say!(log, "{result}");
        Ok::<_, TaskError>(())
    }))??;
    Ok(())
}
