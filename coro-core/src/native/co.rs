//! How a native body suspends.

use std::fmt;
use std::future::Future;
use std::rc::Rc;

use crate::backend::{Airlock, stackless};
use crate::coroutine::Thrown;

/// What a body suspends with. Lent to the body as `&mut`, so that it can neither leave it nor be used twice at once.
pub struct Co<S, Y, E = std::convert::Infallible> {
    airlock: Rc<Airlock<S, Y, E>>,
}

impl<S, Y, E> Co<S, Y, E> {
    pub(super) fn new(airlock: Rc<Airlock<S, Y, E>>) -> Self {
        Self { airlock }
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
        stackless::yield_(&self.airlock, value).await
    }

    /// Waits for `future`, as a point where a throw can land. A native body may also write `future.await`; a throw
    /// that meets it there ends the body.
    ///
    /// # Errors
    ///
    /// What was thrown in while it waited. The future is dropped then.
    ///
    /// # Cancellation
    ///
    /// As that of `future`.
    pub async fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, Thrown<E>> {
        stackless::wait(&self.airlock, future).await
    }
}

impl<S, Y, E> fmt::Debug for Co<S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Co").field(&self.airlock).finish()
    }
}
