//! Parts of a body that can be cancelled by themselves.

use core::convert::Infallible;

use crate::coroutine::Thrown;
use crate::scope::{CancelScope, EnteredScope, Timeout, TimeoutError};
use crate::task::{Cancelled, TaskError};

use super::Co;

impl<M> Co<'_, (), Infallible, TaskError, M> {
    /// Runs `body` in `scope`: trio's `with CancelScope() as scope`.
    ///
    /// When the scope is cancelled, the error is thrown at every wait of the body, until it comes out here.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] inside, if the scope was; outside, what was thrown or raised otherwise.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    pub async fn scope<T, B>(
        &mut self,
        scope: &CancelScope,
        body: B,
    ) -> Result<Result<T, Cancelled>, Thrown<TaskError>>
    where
        B: for<'a> AsyncFnOnce(&'a mut Self) -> Result<T, Thrown<TaskError>>,
    {
        let entered = EnteredScope::new(scope);
        let result = body(self).await;
        entered.exit(result)
    }

    /// Runs `body` for so long at most, in [`scope::timeout`](fn@crate::scope::timeout)'s manner: asyncio's `async with timeout(…)`. It takes a
    /// [`Duration`](std::time::Duration), or a [`Timeout`], which can be rescheduled.
    ///
    /// When the time is up, the error is thrown at the wait of the body, once. The timeout takes it when it comes out here.
    ///
    /// # Errors
    ///
    /// [`TimeoutError`] inside, if the time was up; outside, what was thrown or raised otherwise. `??` is for both.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::native::Native;
    /// use coro_core::scope::TimeoutError;
    /// use coro_core::{EventLoop, Loop, TaskError, time::sleep};
    /// use std::{convert::Infallible, time::Duration};
    ///
    /// let second = Duration::from_secs(1);
    /// let task = Native::<(), Infallible, _, TaskError>::new(async move |co| {
    ///     let limited = co.timeout(second, async move |co| {
    ///         co.wait(sleep(second / 2)).await?;
    ///         co.wait(sleep(second)).await?;
    ///         Ok(())
    ///     });
    ///     limited.await
    /// });
    /// assert_eq!(Loop::simulated().run(task).unwrap(), Err(TimeoutError));
    /// ```
    ///
    /// # References
    ///
    /// [`asyncio.timeout`](https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout).
    pub async fn timeout<T, B>(
        &mut self,
        timeout: impl Into<Timeout>,
        body: B,
    ) -> Result<Result<T, TimeoutError>, Thrown<TaskError>>
    where
        B: for<'a> AsyncFnOnce(&'a mut Self) -> Result<T, Thrown<TaskError>>,
    {
        let entered = EnteredScope::timeout(&timeout.into());
        let result = body(self).await;
        entered.exit_timeout(result)
    }
}
