//! How a generator body suspends.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use coro_core::backend::{Airlock, Request};
use coro_core::coroutine::Thrown;

use crate::engine::Switch;

/// What a body suspends with. Lent to the body as `&mut`, so that it can neither leave it nor be used twice at once.
pub struct Co<S, Y, E = std::convert::Infallible> {
    airlock: Rc<Airlock<S, Y, E>>,
    switch: Rc<Switch>,
}

impl<S, Y, E> Co<S, Y, E> {
    pub(crate) fn new(airlock: Rc<Airlock<S, Y, E>>, switch: Rc<Switch>) -> Self {
        Self { airlock, switch }
    }

    /// Hands out `value` and waits for the next input, which is the result.
    ///
    /// # Errors
    ///
    /// What was thrown in instead of a value: pass it on with `?`, or handle it as an `except` clause would.
    ///
    /// # Cancellation
    ///
    /// Weak. If the future is dropped after its first poll, the value has been handed out.
    #[must_use = "a yield does nothing until it is awaited"]
    pub async fn yield_(&mut self, value: Y) -> Result<S, Thrown<E>> {
        let _asking = self.airlock.asking(Request::Yield(value));
        loop {
            self.switch.yield_(()).await;
            if let Some(answer) = self.airlock.answer() {
                return answer;
            }
        }
    }

    /// Waits for `future`, as a point where a throw can land.
    ///
    /// # Errors
    ///
    /// What was thrown in while it waited. The future is dropped then.
    ///
    /// # Cancellation
    ///
    /// As that of `future`.
    pub async fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, Thrown<E>> {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = self.airlock.poll_with_wake(|cx| future.as_mut().poll(cx)) {
                return Ok(output);
            }
            let _asking = self.airlock.asking(Request::Park);
            self.switch.yield_(()).await;
            self.airlock.check_thrown()?;
        }
    }
}

impl<S, Y, E> fmt::Debug for Co<S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Co").field(&self.airlock).finish()
    }
}
