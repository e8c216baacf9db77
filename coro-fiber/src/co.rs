//! How a fiber body suspends.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use coro_core::backend::{Airlock, Request};
use coro_core::coroutine::Thrown;

use crate::engine::Switch;

/// What a body suspends with. Lent to the body as `&mut`, so that it can neither leave it nor be used twice at once.
pub struct Co<'f, S, Y, E = std::convert::Infallible> {
    airlock: Rc<Airlock<S, Y, E>>,
    unwinding: Rc<Cell<bool>>,
    switch: &'f Switch,
}

impl<'f, S, Y, E> Co<'f, S, Y, E> {
    pub(crate) fn new(airlock: Rc<Airlock<S, Y, E>>, unwinding: Rc<Cell<bool>>, switch: &'f Switch) -> Self {
        Self { airlock, unwinding, switch }
    }

    /// Hands out `value` and waits for the next input, which is the result.
    ///
    /// # Errors
    ///
    /// What was thrown in instead of a value: pass it on with `?`, or handle it as an `except` clause would.
    pub fn yield_(&mut self, value: Y) -> Result<S, Thrown<E>> {
        self.switch_out(Request::Yield(value))?;
        loop {
            if let Some(answer) = self.airlock.answer() {
                return answer;
            }
            self.switch_out(Request::Park)?;
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
    pub fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, Thrown<E>> {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = self.airlock.poll_with_wake(|cx| future.as_mut().poll(cx)) {
                return Ok(output);
            }
            self.switch_out(Request::Park)?;
            self.airlock.check_thrown()?;
        }
    }

    /// A body that is being unwound has been dropped: it has nobody to suspend to.
    fn switch_out(&self, request: Request<Y>) -> Result<(), Thrown<E>> {
        if self.unwinding.get() {
            return Err(Thrown::Exit);
        }
        self.airlock.ask(request);
        self.switch.suspend(());
        Ok(())
    }
}

impl<S, Y, E> fmt::Debug for Co<'_, S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Co").field(&self.airlock).finish()
    }
}
