//! How a fiber body suspends.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use coro_core::backend::{Airlock, IntoSub, Request};
use coro_core::coroutine::Thrown;

use crate::engine::{Switch, Unwinding};

/// What a `Co` shares with the engine.
pub(crate) type Parts<S, Y, E> = (Rc<Airlock<S, Y, E>>, Rc<Unwinding>);

/// What a body suspends with. Lent to the body as `&mut`, so that it can neither leave it nor be used twice at once.
pub struct Co<'f, S, Y, E = std::convert::Infallible> {
    airlock: Rc<Airlock<S, Y, E>>,
    unwinding: Rc<Unwinding>,
    switch: &'f Switch,
}

impl<'f, S, Y, E> Co<'f, S, Y, E> {
    pub(crate) fn new(airlock: Rc<Airlock<S, Y, E>>, unwinding: Rc<Unwinding>, switch: &'f Switch) -> Self {
        Self { airlock, unwinding, switch }
    }

    /// What another `Co` for the same body is made of, with the switch.
    pub(crate) fn parts(&self) -> Parts<S, Y, E> {
        (Rc::clone(&self.airlock), Rc::clone(&self.unwinding))
    }

    pub(crate) fn from_parts((airlock, unwinding): Parts<S, Y, E>, switch: &'f Switch) -> Self {
        Self::new(airlock, unwinding, switch)
    }

    pub(crate) fn switch(&self) -> &'f Switch {
        self.switch
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

    fn delegate<C: IntoSub<S, Y, E>>(&self, sub: C, first: Option<S>) -> Result<C::Return, Thrown<E>> {
        let delegation = sub.into_sub(first).map_err(Thrown::Misuse)?;
        self.check_unwinding()?;
        let delegated = self.airlock.delegate(delegation);
        self.switch.suspend(());
        loop {
            if let Some(result) = delegated.ended() {
                return result;
            }
            self.switch_out(Request::Park)?;
        }
    }

    /// A body that is being unwound has nobody to suspend to.
    fn check_unwinding(&self) -> Result<(), Thrown<E>> {
        if self.unwinding.is_under_way() { Err(Thrown::Exit) } else { Ok(()) }
    }

    fn switch_out(&self, request: Request<Y>) -> Result<(), Thrown<E>> {
        self.check_unwinding()?;
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
