//! How a native body suspends.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use crate::backend::{Airlock, Request};
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
        let _asking = self.airlock.asking(Request::Yield(value));
        let mut switched_out = false;
        poll_fn(|_| {
            if !std::mem::replace(&mut switched_out, true) {
                return Poll::Pending;
            }
            self.airlock.answer().map_or(Poll::Pending, Poll::Ready)
        })
        .await
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
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Err(thrown) = self.airlock.check_thrown() {
                return Poll::Ready(Err(thrown));
            }
            match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Ok(output)),
                Poll::Pending => {
                    self.airlock.ask(Request::Park);
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl<S, Y, E> fmt::Debug for Co<S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Co").field(&self.airlock).finish()
    }
}
