//! Fiber tasks: bodies that an event loop drives.

use std::convert::Infallible;
use std::future::IntoFuture;
use std::time::Duration;

use coro_core::event_loop::{Loop, RunError};
use coro_core::group::IntoChild;
use coro_core::runner;
use coro_core::stats::Flavour;
use coro_core::task::{
    Awaited, EnsureFuture, IntoTask, JoinHandle, Prepared, Stepwise, TaskError, TaskResult,
};
use coro_core::time::sleep;

use crate::{Co, Fiber, ScopedFiber};

/// What the body of a task suspends with.
pub type TaskCo<'f> = Co<'f, (), Infallible, TaskError>;

/// Makes a task of `body`. Nothing runs until it is spawned.
///
/// # Cancellation
///
/// A cancellation appears as [`TaskError::Cancelled`] at the `wait` where the body is suspended: `?` passes it on,
/// and the code after it is the cleanup.
#[track_caller]
pub fn task<F, R>(body: F) -> Fiber<(), Infallible, R, TaskError>
where
    F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
    R: 'static,
{
    Fiber::new(body)
}

/// Spawns `body` on the running loop.
///
/// # Panics
///
/// Outside a running event loop.
#[track_caller]
pub fn spawn<F, R>(body: F) -> JoinHandle<R>
where
    F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
    R: 'static,
{
    Loop::spawn_on_running("coro_fiber::spawn", task(body))
}

/// Spawns `body` on the running loop, where it begins after `delay`: gevent's `spawn_later`.
///
/// The fiber exists from now on, and waits in between. One that is cancelled before its time never runs `body`.
///
/// # Panics
///
/// Outside a running event loop.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, time};
/// use std::time::Duration;
///
/// let began = Loop::simulated().run(coro_fiber::task(|co| {
///     let later = coro_fiber::spawn_later(Duration::from_secs(5), |_| Ok(time::now().as_secs_f64()));
///     Ok(co.wait(later)??)
/// }));
/// assert_eq!(began.unwrap(), 5.0);
/// ```
#[track_caller]
pub fn spawn_later<F, R>(delay: Duration, body: F) -> JoinHandle<R>
where
    F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
    R: 'static,
{
    Loop::spawn_on_running("coro_fiber::spawn_later", later(delay, body))
}

/// Makes a task of `body` that waits first.
#[track_caller]
pub(crate) fn later<F, R>(delay: Duration, body: F) -> Fiber<(), Infallible, R, TaskError>
where
    F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
    R: 'static,
{
    let sleep = sleep(delay);
    task(move |co| {
        co.wait(sleep)?;
        body(co)
    })
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
/// let answer = coro_fiber::run(|co| {
///     co.wait(sleep(Duration::from_millis(1)))?;
///     Ok(42)
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
#[track_caller]
pub fn run<F, R>(body: F) -> Result<R, RunError>
where
    F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
    R: 'static,
{
    runner::run(task(body))
}

impl<R> IntoTask for Fiber<(), Infallible, R, TaskError> {
    type Output = R;
    type Body = Stepwise<ScopedFiber<'static, (), Infallible, R, TaskError>, true>;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Fiber);

    fn into_task(self) -> Prepared<Self::Body> {
        Prepared::new(Stepwise::new(ScopedFiber::new(self)))
    }
}

impl<R> IntoChild for Fiber<(), Infallible, R, TaskError> {
    type Value = R;

    fn returned(output: R) -> Result<R, TaskError> {
        Ok(output)
    }
}

impl<R: 'static> EnsureFuture for Fiber<(), Infallible, R, TaskError> {
    type Handle = JoinHandle<R>;

    #[track_caller]
    fn ensure_future(self) -> JoinHandle<R> {
        Loop::spawn_on_running("ensure_future", self)
    }
}

/// In a native body, as a part of its task.
impl<R: 'static> IntoFuture for Fiber<(), Infallible, R, TaskError> {
    type Output = Result<R, TaskError>;
    type IntoFuture = Awaited<ScopedFiber<'static, (), Infallible, R, TaskError>>;

    #[track_caller]
    fn into_future(self) -> Self::IntoFuture {
        Awaited::new(ScopedFiber::new(self))
    }
}
