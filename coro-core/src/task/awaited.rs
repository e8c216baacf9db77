//! A coroutine that is awaited in the task that runs, instead of being spawned.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Cancelled, CoroutineTask, TaskCoroutine, TaskError};
use crate::coroutine::{AsyncGenerator, Outcome, Thrown};
use crate::native::Native;

/// A coroutine that yields nothing, as a future: Python's `await coroutine`. It is a part of the task that awaits it, as a
/// call is, in its [context](crate::context) too; `.await` makes it of the coroutines of every flavour.
///
/// # Cancellation
///
/// As of an [`AsyncGenerator`]: a cancellation of the task is thrown in. If the future is dropped half-way, its loop closes the
/// coroutine, which may clean up and wait.
///
/// # Examples
///
/// ```
/// use coro_core::native::Native;
/// use coro_core::{EventLoop, Loop, TaskError, time::sleep};
/// use std::convert::Infallible;
/// use std::time::Duration;
///
/// let sum = Loop::simulated().run(async {
///     let two = Native::<(), Infallible, u32, TaskError>::new(async |co| {
///         co.wait(sleep(Duration::from_secs(1))).await?;
///         Ok(2)
///     });
///     1 + two.await.unwrap()
/// });
/// assert_eq!(sum.unwrap(), 3);
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct Awaited<C: TaskCoroutine>(AsyncGenerator<C>);

impl<C: TaskCoroutine + 'static> Awaited<C> {
    /// Of a coroutine. For flavours; whoever has one writes `.await`.
    #[track_caller]
    pub fn new(coroutine: C) -> Self {
        Self(AsyncGenerator::new(coroutine))
    }
}

impl<C: TaskCoroutine> Future for Awaited<C> {
    type Output = Result<C::Return, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // It never waits at a yield: begun, or gone on with.
        self.0.poll_resume(cx, None).map(|resumed| match resumed? {
            Outcome::Returned(value) => Ok(value),
            Outcome::Raised(thrown) => Err(thrown.into()),
            Outcome::Closed => Err(Cancelled::new().into()),
            Outcome::Yielded(never) => match never {},
        })
    }
}

impl<C: TaskCoroutine> fmt::Debug for Awaited<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Awaited").field(&self.0.state()).finish()
    }
}

impl<R, F> IntoFuture for Native<(), Infallible, R, TaskError, F>
where
    F: Future<Output = Result<R, Thrown<TaskError>>> + ?Sized + 'static,
    R: 'static,
{
    type Output = Result<R, TaskError>;
    type IntoFuture = Awaited<Self>;

    #[track_caller]
    fn into_future(self) -> Awaited<Self> {
        Awaited::new(self)
    }
}

impl<C: TaskCoroutine + 'static> IntoFuture for CoroutineTask<C> {
    type Output = Result<C::Return, TaskError>;
    type IntoFuture = Awaited<Self>;

    #[track_caller]
    fn into_future(self) -> Awaited<Self> {
        Awaited::new(self)
    }
}
