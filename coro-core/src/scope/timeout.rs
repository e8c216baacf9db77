//! Waiting for so long at most.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::state::Limit;
use super::{Held, Scoped, State};
use crate::coroutine::Thrown;
use crate::task::TaskError;
use crate::time::Time;

/// The time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time was up before it was done")]
pub struct TimeoutError;

impl From<TimeoutError> for TaskError {
    fn from(error: TimeoutError) -> Self {
        Self::TimedOut(error)
    }
}

impl From<TimeoutError> for Thrown<TaskError> {
    fn from(error: TimeoutError) -> Self {
        Self::Error(error.into())
    }
}

/// Waits for `future`, for `duration` at most.
///
/// When the time is up, `future` is cancelled, as a task would be: a [`catch`](crate::native::catch) in it is told, a task
/// that it awaits is cancelled and waited for, and the rest is dropped. If it gives a value all the same, that is the result.
/// Only its own time makes it an error: a cancellation of the task goes through it, and of several timeouts in each other
/// that end at once the outermost one is over.
///
/// The time begins with the first poll. Zero is over when `future` first waits.
///
/// # Errors
///
/// [`TimeoutError`].
///
/// # Panics
///
/// When `future` waits outside a running event loop.
///
/// # Cancellation
///
/// As that of `future`. Nothing of it is left behind.
///
/// # Examples
///
/// ```
/// use coro_core::scope::{TimeoutError, timeout};
/// use coro_core::{EventLoop, Loop, time::sleep};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let results = Loop::simulated()
///     .run(async move { (timeout(second, sleep(2 * second)).await, timeout(2 * second, sleep(second)).await) });
/// assert_eq!(results.unwrap(), (Err(TimeoutError), Ok(())));
/// ```
///
/// # References
///
/// [`asyncio.timeout`](https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout).
pub fn timeout<F: Future>(duration: Duration, future: F) -> TimedOut<F> {
    TimedOut { scoped: Scoped::new(future, State::with_limit(false, Limit::After(duration))) }
}

/// [`timeout`], until the loop's clock reads `deadline`.
pub fn timeout_at<F: Future>(deadline: Time, future: F) -> TimedOut<F> {
    TimedOut { scoped: Scoped::new(future, State::with_limit(false, Limit::At(deadline))) }
}

/// Waits for `future`, for `duration` at most. Unlike [`timeout`], it does not begin it if there is no time.
///
/// # Errors
///
/// [`TimeoutError`].
///
/// # Cancellation
///
/// As that of `future`.
///
/// # References
///
/// [`asyncio.wait_for`](https://docs.python.org/3/library/asyncio-task.html#asyncio.wait_for).
pub fn wait_for<F: Future>(duration: Duration, future: F) -> WaitFor<F> {
    let TimedOut { scoped } = timeout(duration, future);
    let never = duration.is_zero();
    WaitFor { scoped: if never { scoped.never() } else { scoped }, never }
}

/// [`timeout`] in the manner of trio: once the time is up, every wait in it is cancelled, not only the first one.
///
/// # Errors
///
/// [`TimeoutError`].
///
/// # Cancellation
///
/// As that of `future`.
///
/// # References
///
/// [`trio.fail_after`](https://trio.readthedocs.io/en/stable/reference-core.html#trio.fail_after).
pub fn fail_after<F: Future>(duration: Duration, future: F) -> FailAfter<F> {
    FailAfter { scoped: Scoped::new(future, State::with_limit(true, Limit::After(duration))) }
}

/// [`fail_after`], for those to whom it is no error: `None` if the time was up.
///
/// # Cancellation
///
/// As that of `future`.
///
/// # References
///
/// [`trio.move_on_after`](https://trio.readthedocs.io/en/stable/reference-core.html#trio.move_on_after).
pub fn move_on_after<F: Future>(duration: Duration, future: F) -> MoveOnAfter<F> {
    MoveOnAfter { scoped: Scoped::new(future, State::with_limit(true, Limit::After(duration))) }
}

/// A timeout that can be changed while it runs: asyncio's.
///
/// A plain [`Duration`] is one too, where a timeout is asked for.
///
/// # Examples
///
/// ```
/// use coro_core::scope::{Timeout, TimeoutError};
/// use coro_core::{EventLoop, Loop, time};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let result = Loop::simulated().run(async move {
///     let limit = Timeout::after(second);
///     let again = limit.clone();
///     limit
///         .run(async move {
///             again.reschedule(Some(time::now() + 3 * second));
///             time::sleep(2 * second).await;
///         })
///         .await
/// });
/// assert_eq!(result.unwrap(), Ok(()));
/// ```
///
/// # References
///
/// [`asyncio.Timeout`](https://docs.python.org/3/library/asyncio-task.html#asyncio.Timeout).
#[derive(Clone)]
pub struct Timeout(Rc<State>);

impl Timeout {
    /// So long, from when it is begun.
    pub fn after(duration: Duration) -> Self {
        Self(Rc::new(State::with_limit(false, Limit::After(duration))))
    }

    /// Until the loop's clock reads this.
    pub fn at(deadline: Time) -> Self {
        Self(Rc::new(State::with_limit(false, Limit::At(deadline))))
    }

    /// Without an end, until it is given one.
    pub fn never() -> Self {
        Self(Rc::new(State::new(false)))
    }

    /// When the time is up, if it has begun and has an end.
    pub fn when(&self) -> Option<Time> {
        self.0.deadline()
    }

    /// Gives it another end. It does nothing once the time was up.
    pub fn reschedule(&self, deadline: Option<Time>) {
        self.0.set_deadline(deadline);
    }

    /// Whether the time was up.
    pub fn expired(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for `future` in it: see [`timeout`].
    ///
    /// # Errors
    ///
    /// [`TimeoutError`].
    ///
    /// # Cancellation
    ///
    /// As that of `future`.
    pub fn run<F: Future>(&self, future: F) -> TimedOut<F, Rc<State>> {
        TimedOut { scoped: Scoped::new(future, Rc::clone(&self.0)) }
    }

    pub(super) fn state(&self) -> &Rc<State> {
        &self.0
    }
}

impl From<Duration> for Timeout {
    fn from(duration: Duration) -> Self {
        Self::after(duration)
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("when", &self.when()).field("expired", &self.expired()).finish()
    }
}

pin_project! {
    /// A wait for so long at most. Made by [`timeout`] and [`Timeout::run`].
    #[must_use = "a timeout does nothing until it is awaited"]
    pub struct TimedOut<F, S: Held = State> {
        #[pin]
        scoped: Scoped<F, S>,
    }
}

pin_project! {
    /// A wait for so long at most. Made by [`wait_for`].
    #[must_use = "this does nothing until it is awaited"]
    pub struct WaitFor<F> {
        #[pin]
        scoped: Scoped<F, State>,
        never: bool,
    }
}

pin_project! {
    /// A wait for so long at most. Made by [`fail_after`].
    #[must_use = "this does nothing until it is awaited"]
    pub struct FailAfter<F> {
        #[pin]
        scoped: Scoped<F, State>,
    }
}

pin_project! {
    /// A wait for so long at most. Made by [`move_on_after`].
    #[must_use = "this does nothing until it is awaited"]
    pub struct MoveOnAfter<F> {
        #[pin]
        scoped: Scoped<F, State>,
    }
}

impl<F: Future, S: Held> Future for TimedOut<F, S> {
    type Output = Result<F::Output, TimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().scoped.poll(cx).map_err(|_| TimeoutError)
    }
}

impl<F: Future> Future for WaitFor<F> {
    type Output = Result<F::Output, TimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if *this.never {
            Poll::Ready(Err(TimeoutError))
        } else {
            this.scoped.poll(cx).map_err(|_| TimeoutError)
        }
    }
}

impl<F: Future> Future for FailAfter<F> {
    type Output = Result<F::Output, TimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().scoped.poll(cx).map_err(|_| TimeoutError)
    }
}

impl<F: Future> Future for MoveOnAfter<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().scoped.poll(cx).map(Result::ok)
    }
}

macro_rules! debug {
    ($($type:ident<F $(, $held:ident)?>)*) => {$(
        impl<F $(, $held: Held)?> fmt::Debug for $type<F $(, $held)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.scoped.fmt(f)
            }
        }
    )*};
}

debug! { TimedOut<F, S> WaitFor<F> FailAfter<F> MoveOnAfter<F> }
