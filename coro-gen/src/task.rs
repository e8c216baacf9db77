//! Generator tasks: bodies that an event loop drives.

use std::convert::Infallible;
use std::future::{Future, IntoFuture};

use coro_core::coroutine::Thrown;
use coro_core::event_loop::{Loop, RunError};
use coro_core::group::IntoChild;
use coro_core::runner;
use coro_core::stats::Flavour;
use coro_core::task::{
    Awaited, EnsureFuture, IntoTask, JoinHandle, Prepared, Stepwise, TaskError, TaskResult,
};

use crate::{Co, Gen};

/// What the body of a task suspends with.
pub type TaskCo<'c> = Co<'c, (), Infallible, TaskError>;

/// Makes a task of `body`. Nothing runs until it is spawned.
///
/// # Cancellation
///
/// A cancellation appears as [`TaskError::Cancelled`] at the `wait` where the body is suspended: `?` passes it on,
/// and the code after it is the cleanup.
#[track_caller]
pub fn task<F, R>(
    body: F,
) -> Gen<(), Infallible, R, TaskError, impl Future<Output = Result<R, Thrown<TaskError>>>>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut TaskCo<'c>) -> TaskResult<R> + 'static,
    R: 'static,
{
    crate::new(body)
}

/// Spawns `body` on the running loop.
///
/// # Panics
///
/// Outside a running event loop.
#[track_caller]
pub fn spawn<F, R>(body: F) -> JoinHandle<R>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut TaskCo<'c>) -> TaskResult<R> + 'static,
    R: 'static,
{
    Loop::spawn_on_running("coro_gen::spawn", task(body))
}

/// Runs `body` on a new loop of the default driver, to its end. [Ctrl-C](coro_core::runner::Runner#ctrl-c) interrupts it.
///
/// # Errors
///
/// [`RunError`], if the program could not run to its end.
///
/// # Examples
///
/// ```
/// use coro_core::time::sleep;
/// use std::time::Duration;
///
/// let answer = coro_gen::run(async |co| {
///     co.wait(sleep(Duration::from_millis(1))).await?;
///     Ok(42)
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
#[track_caller]
pub fn run<F, R>(body: F) -> Result<R, RunError>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut TaskCo<'c>) -> TaskResult<R> + 'static,
    R: 'static,
{
    runner::run(task(body))
}

impl<R, B: Future<Output = Result<R, Thrown<TaskError>>> + ?Sized> IntoTask
    for Gen<(), Infallible, R, TaskError, B>
{
    type Output = R;
    type Body = Stepwise<Self>;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Generator);

    fn into_task(self) -> Prepared<Stepwise<Self>> {
        Prepared::new(Stepwise::new(self))
    }
}

impl<R, B: Future<Output = Result<R, Thrown<TaskError>>> + ?Sized> IntoChild
    for Gen<(), Infallible, R, TaskError, B>
{
    type Value = R;

    fn returned(output: R) -> Result<R, TaskError> {
        Ok(output)
    }
}

impl<R, B> EnsureFuture for Gen<(), Infallible, R, TaskError, B>
where
    R: 'static,
    B: Future<Output = Result<R, Thrown<TaskError>>> + ?Sized + 'static,
{
    type Handle = JoinHandle<R>;

    #[track_caller]
    fn ensure_future(self) -> JoinHandle<R> {
        Loop::spawn_on_running("ensure_future", self)
    }
}

/// In a native body, as a part of its task.
impl<R, B> IntoFuture for Gen<(), Infallible, R, TaskError, B>
where
    R: 'static,
    B: Future<Output = Result<R, Thrown<TaskError>>> + ?Sized + 'static,
{
    type Output = Result<R, TaskError>;
    type IntoFuture = Awaited<Self>;

    #[track_caller]
    fn into_future(self) -> Awaited<Self> {
        Awaited::new(self)
    }
}
