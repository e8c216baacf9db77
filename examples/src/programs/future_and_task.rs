//! A future that is set by somebody, a task whose result cannot be, and what `ensure_future` makes of both.
//!
//! This demonstrates:
//!
//! 1. [`task::Future`], which connects whoever has a result with those who wait for it;
//! 2. that the result of a task is what its body returns: `set_result` does not exist on its handle, and is refused where
//!    the type does not say that it is a task;
//! 3. that `ensure_future` makes a task of a coroutine, and gives a task back as it is.
//!
//! Golden: `future_and_task.out`, of examples 3-15 to 3-18 of the tutorial.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::task::{self, AnyFuture, SetResultError, ensure_future};

use super::{Context, python_bool, run_main};
use crate::say;
use crate::transcript::Transcript;

const SECOND: Duration = Duration::from_secs(1);
const WEEKS: Duration = Duration::from_secs(1_000_000);

type Text = &'static str;

/// Sets the result, if it can be set.
fn set_result(future: &AnyFuture, out: &Transcript) {
    match future.set_result("I have finished.") {
        Ok(()) => {}
        Err(SetResultError::Task(_)) => {
            say!(out, "3-17 No longer allowed: Task does not support set_result operation");
            future.cancel();
        }
        Err(refused) => say!(out, "{refused}"),
    }
}

fn not_done(example: &str, future: &AnyFuture, out: &Transcript) {
    say!(out, "{example} done before: {}", python_bool(future.is_done()));
}

fn finished(result: Text, future: &task::Future<Text>, out: &Transcript) -> Result<(), TaskError> {
    say!(out, "{result}");
    say!(out, "done: {} result: {}", python_bool(future.is_done()), future.result()?);
    Ok(())
}

fn cancelled(result: Result<(), TaskError>, task: &AnyFuture, out: &Transcript) {
    let error = match result {
        Err(error) if error.is_cancelled() => "CancelledError",
        _ => "no error",
    };
    say!(out, "{error}; cancelled: {}", python_bool(task.is_cancelled()));
}

/// Makes sure of what is a task already.
fn keeps_identity(task: JoinHandle<()>, out: &Transcript) -> JoinHandle<()> {
    let erased = task.erased();
    say!(out, "3-18 {}", python_bool(erased.task_info().is_some()));
    let same = ensure_future(task);
    say!(out, "{}", python_bool(same.erased() == erased));
    let future = task::Future::<()>::new();
    let erased = future.erased();
    say!(out, "{}", python_bool(ensure_future(future).erased() == erased));
    same
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    run_main(flavour, context, native::main, generator::main, fiber::main)
}

mod native {
    use super::*;
    use coro_core::native::{spawn, task};

    async fn set_later(future: AnyFuture, out: Transcript) {
        sleep(SECOND).await;
        set_result(&future, &out);
    }

    pub(super) async fn main(out: Transcript) -> Result<(), TaskError> {
        let future = task::Future::new();
        not_done("3-16", &future.erased(), &out);
        spawn(set_later(future.erased(), out.clone())).detach();
        finished((&future).await?, &future, &out)?;

        let mut sleeper = spawn(sleep(WEEKS));
        not_done("3-17", &sleeper.erased(), &out);
        spawn(set_later(sleeper.erased(), out.clone())).detach();
        cancelled((&mut sleeper).await, &sleeper.erased(), &out);

        keeps_identity(ensure_future(task(async {})), &out).await
    }
}

mod generator {
    use super::*;
    use coro_gen::{TaskCo, spawn, task};

    async fn set_later(co: &mut TaskCo<'_>, future: AnyFuture, out: Transcript) -> TaskResult<()> {
        co.wait(sleep(SECOND)).await?;
        set_result(&future, &out);
        Ok(())
    }

    pub(super) async fn main(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        let future = task::Future::new();
        not_done("3-16", &future.erased(), &out);
        let (erased, to) = (future.erased(), out.clone());
        spawn(async move |co| set_later(co, erased, to).await).detach();
        finished(co.wait(future.clone()).await??, &future, &out)?;

        let mut sleeper = spawn(async |co| co.wait(sleep(WEEKS)).await);
        not_done("3-17", &sleeper.erased(), &out);
        let (erased, to) = (sleeper.erased(), out.clone());
        spawn(async move |co| set_later(co, erased, to).await).detach();
        cancelled(co.wait(&mut sleeper).await?, &sleeper.erased(), &out);

        Ok(co.wait(keeps_identity(ensure_future(task(async |_| Ok(()))), &out)).await??)
    }
}

mod fiber {
    use super::*;
    use coro_fiber::{TaskCo, spawn, task};

    fn set_later(co: &mut TaskCo<'_>, future: &AnyFuture, out: &Transcript) -> TaskResult<()> {
        co.wait(sleep(SECOND))?;
        set_result(future, out);
        Ok(())
    }

    pub(super) fn main(co: &mut TaskCo<'_>, out: &Transcript) -> TaskResult<()> {
        let future = task::Future::new();
        not_done("3-16", &future.erased(), out);
        let (erased, to) = (future.erased(), out.clone());
        spawn(move |co| set_later(co, &erased, &to)).detach();
        finished(co.wait(future.clone())??, &future, out)?;

        let mut sleeper = spawn(|co| co.wait(sleep(WEEKS)));
        not_done("3-17", &sleeper.erased(), out);
        let (erased, to) = (sleeper.erased(), out.clone());
        spawn(move |co| set_later(co, &erased, &to)).detach();
        cancelled(co.wait(&mut sleeper)?, &sleeper.erased(), out);

        Ok(co.wait(keeps_identity(ensure_future(task(|_| Ok(()))), out))??)
    }
}
