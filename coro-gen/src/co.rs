//! How a generator body suspends.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use coro_core::backend::{
    Exclusive, IntoSub, Link, stackless,
    stackless::{Delegating, Waiting, Yielding},
};

/// What a body suspends with. Lent to the body as `&mut`, so that it can neither leave it nor be used twice at once;
/// the lifetime `'c` is that of one body, so that two bodies cannot exchange theirs.
pub struct Co<'c, S, Y, E = std::convert::Infallible> {
    link: Link<S, Y, E>,
    of_one_body: PhantomData<fn(&'c ()) -> &'c ()>,
}

impl<S, Y, E> Co<'_, S, Y, E> {
    pub(crate) fn new(link: Link<S, Y, E>) -> Self {
        Self { link, of_one_body: PhantomData }
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
    #[inline(always)]
    pub fn yield_(&mut self, value: Y) -> Yielding<S, Y, E, Exclusive<'_, S, Y, E>> {
        stackless::yield_(self.link.exclusive(), value)
    }

    /// Delegates to `sub`: until it ends, whatever is sent, thrown or yielded passes between it and whoever resumes
    /// the outermost coroutine, at the same cost at any depth. The value is what `sub` returns.
    ///
    /// The chain owns `sub` while it runs; to keep a handle to it, wrap it in a
    /// [`Shared`](coro_core::coroutine::Shared). An iterator goes in a [`Plain`](coro_core::backend::Plain).
    ///
    /// # Errors
    ///
    /// What `sub` raised. [`Thrown::Misuse`](coro_core::coroutine::Thrown::Misuse) if it is finished, running, or already suspended at a `yield`: then it
    /// needs a value to go on with, see [`yield_from_started`](Self::yield_from_started).
    ///
    /// # References
    ///
    /// [PEP 380](https://peps.python.org/pep-0380/).
    #[inline]
    pub fn yield_from<C: IntoSub<S, Y, E>>(
        &mut self,
        sub: C,
    ) -> Delegating<S, Y, E, Exclusive<'_, S, Y, E>, C> {
        stackless::yield_from(self.link.exclusive(), sub, None)
    }

    /// [`yield_from`](Self::yield_from) of a coroutine that is suspended at a `yield`: it goes on with `first`. In
    /// every other state `first` is not used.
    ///
    /// # Errors
    ///
    /// As [`yield_from`](Self::yield_from).
    #[inline]
    pub fn yield_from_started<C: IntoSub<S, Y, E>>(
        &mut self,
        sub: C,
        first: S,
    ) -> Delegating<S, Y, E, Exclusive<'_, S, Y, E>, C> {
        stackless::yield_from(self.link.exclusive(), sub, Some(first))
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
    #[inline(always)]
    pub fn wait<F: Future>(&mut self, future: F) -> Waiting<S, Y, E, Exclusive<'_, S, Y, E>, F> {
        stackless::wait(self.link.exclusive(), future)
    }
}

impl<S, Y, E> fmt::Debug for Co<'_, S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Co").field(&self.link).finish()
    }
}
