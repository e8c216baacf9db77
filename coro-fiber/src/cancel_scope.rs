//! Parts of a body that can be cancelled by themselves.

use std::convert::Infallible;

use coro_core::coroutine::Thrown;
use coro_core::scope::{CancelScope, EnteredScope, Timeout, TimeoutError};
use coro_core::task::{Cancelled, TaskError};

use crate::Co;

impl Co<'_, (), Infallible, TaskError> {
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
    pub fn scope<T, B>(
        &mut self,
        scope: &CancelScope,
        body: B,
    ) -> Result<Result<T, Cancelled>, Thrown<TaskError>>
    where
        B: for<'a> FnOnce(&'a mut Self) -> Result<T, Thrown<TaskError>>,
    {
        let entered = EnteredScope::new(scope);
        let result = body(self);
        entered.exit(result)
    }

    /// Runs `body` for so long at most, in [`scope::timeout`](fn@coro_core::scope::timeout)'s manner: asyncio's `async with timeout(…)`. It takes a
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
    /// use coro_core::scope::TimeoutError;
    /// use coro_core::{EventLoop, Loop, time::sleep};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// let task = coro_fiber::task(move |co| {
    ///     co.timeout(second, |co| {
    ///         co.wait(sleep(second / 2))?;
    ///         co.wait(sleep(second))?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!(Loop::simulated().run(task).unwrap(), Err(TimeoutError));
    /// ```
    ///
    /// # References
    ///
    /// [`asyncio.timeout`](https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout).
    pub fn timeout<T, B>(
        &mut self,
        timeout: impl Into<Timeout>,
        body: B,
    ) -> Result<Result<T, TimeoutError>, Thrown<TaskError>>
    where
        B: for<'a> FnOnce(&'a mut Self) -> Result<T, Thrown<TaskError>>,
    {
        let entered = EnteredScope::timeout(&timeout.into());
        let result = body(self);
        entered.exit_timeout(result)
    }
}
