//! How a fiber body suspends.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro_core::backend::{Apart, Delegated, IntoSub, Request};
use coro_core::coroutine::Thrown;

use crate::ambient::{Waits, wait_at};
use crate::current::{Here, Stamp};
use crate::engine::Exchange;

/// What a body suspends with. Lent to the body as `&mut`, so that it can neither leave it nor be used twice at once.
pub struct Co<'f, S, Y, E = std::convert::Infallible> {
    exchange: Rc<Exchange<S, Y, E>>,
    here: &'f Here<'f>,
}

impl<'f, S, Y, E> Co<'f, S, Y, E> {
    pub(crate) fn new(exchange: Rc<Exchange<S, Y, E>>, here: &'f Here<'f>) -> Self {
        Self { exchange, here }
    }

    /// What another `Co` for the same body is made of, with the place.
    pub(crate) fn exchange(&self) -> Rc<Exchange<S, Y, E>> {
        Rc::clone(&self.exchange)
    }

    pub(crate) fn here(&self) -> &'f Here<'f> {
        self.here
    }

    /// Hands out `value` and waits for the next input, which is the result.
    ///
    /// # Errors
    ///
    /// What was thrown in instead of a value: pass it on with `?`, or handle it as an `except` clause would.
    // Inlined to the switch: a call around a switch misleads the processor's prediction of where it returns to. Not
    // where nothing is optimised: there it would only make the frames of the bodies larger.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn yield_(&mut self, value: Y) -> Result<S, Thrown<E>> {
        self.switch_out(Request::Yield(value))?;
        match self.exchange.airlock.answer() {
            Some(answer) => answer,
            None => {
                let Apart(answer) = self.await_answer();
                answer
            }
        }
    }

    /// It was resumed without an answer: by a wake-up that is not for it.
    #[cold]
    fn await_answer(&self) -> Apart<Result<S, Thrown<E>>> {
        loop {
            if let Err(thrown) = self.switch_out(Request::Park) {
                return Apart(Err(thrown));
            }
            if let Some(answer) = self.exchange.airlock.answer() {
                return Apart(answer);
            }
        }
    }

    /// Delegates to `sub`: until it ends, whatever is sent, thrown or yielded passes between it and whoever resumes
    /// the outermost coroutine, at the same cost at any depth. The value is what `sub` returns.
    ///
    /// The chain owns `sub` while it runs; to keep a handle to it, wrap it in a
    /// [`Shared`](coro_core::coroutine::Shared). An iterator goes in a [`Plain`](coro_core::backend::Plain).
    ///
    /// # Errors
    ///
    /// What `sub` raised. [`Thrown::Misuse`] if it is finished, running, or already suspended at a `yield`: then it
    /// needs a value to go on with, see [`yield_from_started`](Self::yield_from_started).
    ///
    /// # References
    ///
    /// [PEP 380](https://peps.python.org/pep-0380/).
    pub fn yield_from<C: IntoSub<S, Y, E>>(&mut self, sub: C) -> Result<C::Return, Thrown<E>> {
        self.delegate(sub, None)
    }

    /// [`yield_from`](Self::yield_from) of a coroutine that is suspended at a `yield`: it goes on with `first`. In
    /// every other state `first` is not used.
    ///
    /// # Errors
    ///
    /// As [`yield_from`](Self::yield_from).
    pub fn yield_from_started<C: IntoSub<S, Y, E>>(
        &mut self,
        sub: C,
        first: S,
    ) -> Result<C::Return, Thrown<E>> {
        self.delegate(sub, Some(first))
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, Thrown<E>> {
        wait_at(self, future)
    }

    /// Whether the body is being unwound: then every wait fails at once.
    pub(crate) fn is_unwinding(&self) -> bool {
        self.exchange.is_unwinding()
    }

    fn delegate<C: IntoSub<S, Y, E>>(&self, sub: C, first: Option<S>) -> Result<C::Return, Thrown<E>> {
        let delegation = sub.into_sub(first).map_err(Thrown::Misuse)?;
        self.check_unwinding()?;
        let delegated = Delegated::begin(&self.exchange.airlock, delegation);
        self.here.suspend();
        loop {
            if let Some(result) = delegated.ended() {
                return result;
            }
            self.switch_out(Request::Park)?;
        }
    }

    /// A body that is being unwound has nobody to suspend to.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn check_unwinding(&self) -> Result<(), Thrown<E>> {
        if self.exchange.is_unwinding() {
            self.here.refuse();
            return Err(Thrown::Exit);
        }
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn switch_out(&self, request: Request<Y>) -> Result<(), Thrown<E>> {
        self.check_unwinding()?;
        self.exchange.airlock.ask(request);
        self.here.suspend();
        Ok(())
    }
}

impl<S, Y, E> Waits for Co<'_, S, Y, E> {
    type Error = Thrown<E>;

    #[inline(always)]
    fn poll<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Result<(Stamp, Poll<T>), Thrown<E>> {
        Ok((self.here.stamp(), self.exchange.airlock.poll_with_wake(poll)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn park(&self, seen: Stamp) -> Result<(), Thrown<E>> {
        if self.here.stamp() != seen {
            return Ok(());
        }
        self.switch_out(Request::Park)?;
        self.exchange.airlock.check_thrown()
    }
}

impl<S, Y, E> fmt::Debug for Co<'_, S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Co").field(&self.exchange.airlock).finish()
    }
}
