//! Waiting for some of several tasks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::members::Ended;
use super::{JoinHandle, TaskError};
use crate::event_loop::Core;
use crate::time::{Sleep, sleep};

/// When a [`wait`] is over: asyncio's `return_when`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnWhen {
    /// When a task has ended.
    FirstCompleted,
    /// When a task has failed, other than by being cancelled, or all have ended.
    FirstException,
    /// When all have ended.
    AllCompleted,
}

/// Waits until enough of `tasks` have ended; takes *all* out that have, in their order. The others stay there.
///
/// It neither fails with a task nor cancels one.
///
/// # Errors
///
/// [`TaskError::NothingToAwait`] if there are no tasks. [`TaskError::AwaitsItself`] and [`TaskError::ForeignLoop`] if it
/// would be wrong to wait for one of them here.
///
/// # Cancellation
///
/// Strict: all tasks stay where they are.
///
/// # Examples
///
/// ```
/// use coro_core::task::{ReturnWhen, wait};
/// use coro_core::{Loop, EventLoop, native::spawn, time::sleep};
/// use std::time::Duration;
///
/// let order = Loop::simulated().run(async {
///     let mut pending: Vec<_> = [3, 1, 2]
///         .map(|seconds| spawn(async move { sleep(Duration::from_secs(seconds)).await; seconds }))
///         .into();
///     let mut order = Vec::new();
///     while !pending.is_empty() {
///         for done in wait(&mut pending, ReturnWhen::FirstCompleted).await.unwrap() {
///             order.push(done.await.unwrap());
///         }
///     }
///     order
/// });
/// assert_eq!(order.unwrap(), [1, 2, 3]);
/// ```
///
/// # References
///
/// [`asyncio.wait`](https://docs.python.org/3/library/asyncio-task.html#asyncio.wait).
pub fn wait<T>(tasks: &mut Vec<JoinHandle<T>>, when: ReturnWhen) -> Wait<'_, T> {
    Wait { tasks, when, limit: None, sleep: None, joined: None }
}

/// A wait for some of several tasks. Made by [`wait`].
#[must_use = "this does nothing until it is awaited"]
pub struct Wait<'t, T> {
    tasks: &'t mut Vec<JoinHandle<T>>,
    when: ReturnWhen,
    limit: Option<Duration>,
    sleep: Option<Sleep>,
    joined: Option<Joined>,
}

/// What is known of the tasks, once it waits.
struct Joined {
    ended: Rc<Ended>,
    /// How many have not ended.
    left: usize,
    /// One has ended in the way that is waited for.
    enough: bool,
}

impl<T> Wait<'_, T> {
    /// Waits so long at most, from the first poll. That the time is up is no error: what has ended by then is given.
    pub fn timeout(mut self, duration: Duration) -> Self {
        self.limit = Some(duration);
        self
    }

    /// Enlists all, unless that would be wrong.
    fn join(&self) -> Result<Joined, TaskError> {
        if self.tasks.is_empty() {
            return Err(TaskError::NothingToAwait);
        }
        let pending = || self.tasks.iter().filter(|task| !task.is_done());
        if let Some(error) = pending().find_map(|task| Core::join_error(task.header())) {
            return Err(error);
        }
        let ended = Rc::default();
        for (index, task) in self.tasks.iter().enumerate() {
            Ended::enlist(&ended, task, index);
        }
        Ok(Joined { ended, left: self.tasks.len(), enough: false })
    }

    /// Takes note of those that have ended.
    fn count(&mut self) -> bool {
        let Some(joined) = &mut self.joined else { return false };
        while let Some(index) = joined.ended.pop() {
            joined.left -= 1;
            joined.enough |= match self.when {
                ReturnWhen::FirstCompleted => true,
                ReturnWhen::FirstException => self.tasks[index].has_failed(),
                ReturnWhen::AllCompleted => false,
            };
        }
        joined.enough || joined.left == 0
    }

    fn take(&mut self) -> Vec<JoinHandle<T>> {
        self.leave();
        self.tasks.extract_if(.., |task| task.is_done()).collect()
    }

    /// Nobody is to be told any more.
    fn leave(&mut self) {
        if self.joined.take().is_some() {
            for task in self.tasks.iter().filter(|task| !task.is_done()) {
                task.header().set_joiner(None);
            }
        }
    }
}

impl<T> Future for Wait<'_, T> {
    type Output = Result<Vec<JoinHandle<T>>, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.joined.is_none() {
            match this.join() {
                Ok(joined) => this.joined = Some(joined),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        if this.count() {
            return Poll::Ready(Ok(this.take()));
        }
        if let Some(limit) = this.limit.take() {
            this.sleep = Some(sleep(limit));
        }
        if this.sleep.as_mut().is_some_and(|sleep| Pin::new(sleep).poll(cx).is_ready()) {
            return Poll::Ready(Ok(this.take()));
        }
        if let Some(joined) = &this.joined {
            joined.ended.wait(cx);
        }
        Poll::Pending
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<T> fmt::Debug for Wait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("tasks", &self.tasks.len())
            .field("when", &self.when)
            .finish_non_exhaustive()
    }
}
