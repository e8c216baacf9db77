//! Waiting for all of several tasks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::interrupted::Interrupted;
use super::members::{Members, Owned};
use super::{JoinHandle, TaskError};

/// Waits for all `tasks`; gives their results in the order of the arguments.
///
/// The first error ends the wait, and the other tasks run on; their own errors count as read. That a task was cancelled
/// by somebody else is such an error: it does not cancel who waits. With
/// [`return_exceptions`](Gather::return_exceptions) errors are results, and no task is left.
///
/// No handle can be given twice, so no task is there twice.
///
/// # Errors
///
/// That of the first task to fail.
///
/// # Cancellation
///
/// The tasks that have not ended are cancelled, and waited for; then the cancellation goes on, whatever they gave, unless
/// one of them has failed with another error. Dropping it before it is done cancels them as well.
///
/// # Examples
///
/// ```
/// use coro_core::{Loop, EventLoop, native::spawn, task::gather, time::sleep};
/// use std::time::Duration;
///
/// let both = Loop::simulated().run(async {
///     let slow = spawn(async { sleep(Duration::from_secs(2)).await; "slow" });
///     let fast = spawn(async { sleep(Duration::from_secs(1)).await; "fast" });
///     gather([slow, fast]).await
/// });
/// assert_eq!(both.unwrap().unwrap(), ["slow", "fast"]);
/// ```
///
/// # References
///
/// [`asyncio.gather`](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather).
pub fn gather<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Gather<T> {
    Gather(Gathering::new(Members::new(tasks)))
}

/// A wait for several tasks. Made by [`gather`].
#[must_use = "a gather does nothing until it is awaited"]
pub struct Gather<T>(Gathering<T, T>);

impl<T> Gather<T> {
    /// The same, to which errors and cancellations are results as others: it never fails.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{Loop, EventLoop, native::spawn, task::gather};
    ///
    /// let results = Loop::simulated().run(async {
    ///     let (fine, cancelled) = (spawn(async { 1 }), spawn(async { 2 }));
    ///     cancelled.cancel();
    ///     gather([fine, cancelled]).return_exceptions().await
    /// });
    /// assert!(matches!(&results.unwrap()[..], [Ok(1), Err(error)] if error.is_cancelled()));
    /// ```
    pub fn return_exceptions(self) -> GatherAll<T> {
        GatherAll(Gathering::new(self.0.into_members()))
    }
}

impl<T> Future for Gather<T> {
    type Output = Result<Vec<T>, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx, |result| result)
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("Gather", f)
    }
}

/// A wait for several tasks, to which errors are results. Made by [`Gather::return_exceptions`].
#[must_use = "a gather does nothing until it is awaited"]
pub struct GatherAll<T>(Gathering<T, Result<T, TaskError>>);

impl<T> Future for GatherAll<T> {
    type Output = Vec<Result<T, TaskError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx, Ok).map(|results| match results {
            Ok(results) => results,
            Err(_) => unreachable!("every error is kept"),
        })
    }
}

impl<T> fmt::Debug for GatherAll<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("GatherAll", f)
    }
}

/// Several tasks, and what is kept of those that have ended.
struct Gathering<T, R> {
    members: Owned<T>,
    results: Vec<Option<R>>,
    interrupted: Interrupted,
}

// Nothing in it is pinned.
impl<T, R> Unpin for Gathering<T, R> {}

impl<T, R> Gathering<T, R> {
    fn new(members: Members<T>) -> Self {
        let results = (0..members.left()).map(|_| None).collect();
        Self { members: Owned(members), results, interrupted: Interrupted::default() }
    }

    /// None of them has been taken.
    fn into_members(self) -> Members<T> {
        self.members.release()
    }

    fn poll(
        &mut self,
        cx: &Context<'_>,
        keep: impl Fn(Result<T, TaskError>) -> Result<R, TaskError>,
    ) -> Poll<Result<Vec<R>, TaskError>> {
        self.interrupted.hear(cx, &self.members.0);
        loop {
            let Poll::Ready(next) = self.members.0.poll_next(cx) else { return self.interrupted.wait(cx) };
            let Some((index, result)) = next else { break };
            match keep(result) {
                Ok(result) => self.results[index] = Some(result),
                // It was asked to.
                Err(error) if self.interrupted.is_interrupted() && error.is_cancelled() => {}
                Err(error) => {
                    self.members.0.let_go();
                    return Poll::Ready(Err(error));
                }
            }
        }
        let results = &mut self.results;
        self.interrupted.finish(|| Ok(results.drain(..).flatten().collect()))
    }

    fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name).field("left", &self.members.0.left()).finish_non_exhaustive()
    }
}
