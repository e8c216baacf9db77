//! Several tasks, in the order in which they end.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use super::members::{Ended, Members};
use super::{JoinHandle, TaskError};
use crate::event_loop::{Core, TimerKey};
use crate::scope::TimeoutError;

/// Gives the results of `tasks` in the order in which they end.
///
/// It is an `Iterator` of futures (asyncio's plain `for`), and [`into_stream`](AsCompleted::into_stream) makes a
/// [`Stream`] of results of it (asyncio's `async for`).
///
/// # Cancellation
///
/// Strict: dropping it detaches the tasks, which run on.
///
/// # Examples
///
/// ```
/// use coro_core::{Loop, EventLoop, native::spawn, task::as_completed, time::sleep};
/// use std::time::Duration;
///
/// let order = Loop::simulated().run(async {
///     let tasks = [3, 1, 2].map(|seconds| {
///         spawn(async move { sleep(Duration::from_secs(seconds)).await; seconds })
///     });
///     let mut order = Vec::new();
///     for next in as_completed(tasks).timeout(Duration::from_millis(2_500)) {
///         order.push(next.await.ok());
///     }
///     order
/// });
/// assert_eq!(order.unwrap(), [Some(1), Some(2), None]);
/// ```
///
/// # References
///
/// [`asyncio.as_completed`](https://docs.python.org/3/library/asyncio-task.html#asyncio.as_completed).
pub fn as_completed<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> AsCompleted<T> {
    let members = Members::new(tasks);
    let left = members.left();
    let shared = Completing {
        ended: Rc::clone(members.ended()),
        members: RefCell::new(members),
        limit: Cell::new(None),
        timer: RefCell::new(None),
        expired: Rc::default(),
    };
    AsCompleted { shared: Rc::new(shared), left }
}

/// The results of several tasks, as they end. Made by [`as_completed`].
#[must_use = "as_completed does nothing until it is read"]
pub struct AsCompleted<T> {
    shared: Rc<Completing<T>>,
    /// How many results were not asked for.
    left: usize,
}

struct Completing<T> {
    members: RefCell<Members<T>>,
    ended: Rc<Ended>,
    /// Until the first one is waited for.
    limit: Cell<Option<Duration>>,
    timer: RefCell<Option<TimerKey>>,
    expired: Rc<Cell<bool>>,
}

impl<T> AsCompleted<T> {
    /// Waits so long for all of them, from when the first one is waited for. Then those that have not ended give
    /// [`TaskError::TimedOut`]; the tasks run on.
    ///
    /// # Panics
    ///
    /// When the first one is waited for outside a running event loop.
    pub fn timeout(self, duration: Duration) -> Self {
        self.shared.limit.set(Some(duration));
        self
    }

    /// The results that were not asked for yet, as a stream.
    pub fn into_stream(self) -> Completed<T> {
        Completed(self)
    }
}

impl<T> Completing<T> {
    fn poll_next(&self, cx: &Context<'_>) -> Poll<Result<T, TaskError>> {
        if let Some(limit) = self.limit.take() {
            self.begin(limit);
        }
        let taken = self.members.borrow_mut().take_ended();
        match taken {
            Poll::Ready(Some(member)) => Poll::Ready(member.into_result().1),
            Poll::Ready(None) => unreachable!("one is left for each who waits"),
            Poll::Pending if self.expired.get() => Poll::Ready(Err(TimeoutError.into())),
            Poll::Pending => {
                self.ended.wait(cx);
                Poll::Pending
            }
        }
    }

    fn begin(&self, limit: Duration) {
        let (expired, ended) = (Rc::clone(&self.expired), Rc::clone(&self.ended));
        let expire = move || {
            expired.set(true);
            ended.wake_all();
        };
        let core = Core::current_or_panic("as_completed");
        let timer = core.call_for_scope(core.time() + limit, Box::new(expire));
        self.timer.replace(Some(timer));
    }
}

impl<T> Drop for Completing<T> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.cancel();
        }
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Next<T>;

    fn next(&mut self) -> Option<Next<T>> {
        self.left = self.left.checked_sub(1)?;
        Some(Next { shared: Rc::clone(&self.shared) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for AsCompleted<T> {}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.left).finish_non_exhaustive()
    }
}

/// The next result of an [`AsCompleted`]: whichever task ends next, not a particular one.
#[must_use = "a future does nothing until it is awaited"]
pub struct Next<T> {
    shared: Rc<Completing<T>>,
}

impl<T> Future for Next<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.shared.poll_next(cx)
    }
}

impl<T> fmt::Debug for Next<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

/// The results of several tasks, as a stream. Made by [`AsCompleted::into_stream`].
#[derive(Debug)]
#[must_use = "a stream does nothing until it is read"]
pub struct Completed<T>(AsCompleted<T>);

impl<T> Stream for Completed<T> {
    type Item = Result<T, TaskError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let completing = &mut self.0;
        if completing.left == 0 {
            return Poll::Ready(None);
        }
        let polled = completing.shared.poll_next(cx);
        completing.left -= usize::from(polled.is_ready());
        polled.map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
