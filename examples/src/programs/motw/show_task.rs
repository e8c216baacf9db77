//! A task that is shown while it waits for its turn, and when it has ended; and one that is cancelled before that.
//!
//! This demonstrates:
//!
//! 1. the `Debug` of a task: its state, its name, what its body is called, and where that was made, if the flavour knows, else
//!    where the task was spawned;
//! 2. `with_result`, for whoever has taken the result;
//! 3. that a task which is cancelled before its first step never runs.
//!
//! Goldens: `asyncio_create_task.py.out` and `asyncio_cancel_task.py.out`, but for the places, which are those of this file.

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::super::{Context, run_main};
use crate::say;
use crate::transcript::Transcript;

/// What is done with the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Wait,
    Cancel,
}

type Text = &'static str;

fn in_task(out: &Transcript) -> Text {
    say!(out, "in task_func");
    "the result"
}

/// Before it is waited for.
fn begun(task: &JoinHandle<Text>, then: Then, out: &Transcript) {
    if then == Then::Cancel {
        say!(out, "canceling task");
        task.cancel();
        say!(out, "canceled task {task:?}");
    } else {
        say!(out, "waiting for {task:?}");
    }
}

fn ended(
    task: &JoinHandle<Text>,
    result: Result<Text, TaskError>,
    out: &Transcript,
) -> Result<(), TaskError> {
    match result {
        Ok(value) => {
            say!(out, "task completed {}", task.info().with_result(format_args!("'{value}'")));
            say!(out, "return value: '{value}'");
            Ok(())
        }
        Err(error) if error.is_cancelled() => {
            say!(out, "caught error from canceled task");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// It is waited for.
pub(super) fn create_task(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    run(flavour, context, Then::Wait)
}

/// It is cancelled first.
pub(super) fn cancel_task(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    run(flavour, context, Then::Cancel)
}

fn run(flavour: Flavour, context: &Context, then: Then) -> Result<(), RunError> {
    run_main(
        flavour,
        context,
        |out| native::main(out, then),
        async move |co, out| generator::main(co, out, then).await,
        move |co, out| fiber::main(co, out, then),
    )
}

mod native {
    use super::*;
    use coro_core::native::spawn;

    async fn task_func(out: Transcript) -> Text {
        in_task(&out)
    }

    pub(super) async fn main(out: Transcript, then: Then) -> Result<(), TaskError> {
        say!(out, "creating task");
        let mut task = spawn(task_func(out.clone()));
        begun(&task, then, &out);
        let result = (&mut task).await;
        ended(&task, result, &out)
    }
}

mod generator {
    use super::*;
    use coro_core::task::IntoTask;
    use coro_gen::TaskCo;

    fn task_func(out: Transcript) -> impl IntoTask<Output = Text, Body: 'static> {
        coro_gen::task(async move |_| Ok(in_task(&out)))
    }

    pub(super) async fn main(co: &mut TaskCo<'_>, out: Transcript, then: Then) -> TaskResult<()> {
        say!(out, "creating task");
        let mut task = Loop::running("create_task").spawn(task_func(out.clone()));
        begun(&task, then, &out);
        let result = co.wait(&mut task).await?;
        Ok(ended(&task, result, &out)?)
    }
}

mod fiber {
    use super::*;
    use coro_core::task::IntoTask;
    use coro_fiber::TaskCo;

    fn task_func(out: Transcript) -> impl IntoTask<Output = Text, Body: 'static> {
        coro_fiber::task(move |_| Ok(in_task(&out)))
    }

    pub(super) fn main(co: &mut TaskCo<'_>, out: &Transcript, then: Then) -> TaskResult<()> {
        say!(out, "creating task");
        let mut task = Loop::running("create_task").spawn(task_func(out.clone()));
        begun(&task, then, out);
        let result = co.wait(&mut task)?;
        Ok(ended(&task, result, out)?)
    }
}
