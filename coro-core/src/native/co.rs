//! How a native body suspends.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;

use crate::backend::{
    Exclusive, IntoSub, Link, Local, Movable, MovableSub, stackless,
    stackless::{Delegating, Waiting, Yielding},
};

/// What a body suspends with. Lent to the body as `&mut`, so that it can neither leave it nor be used twice at once;
/// the lifetime `'c` is that of one body, so that two bodies cannot exchange theirs.
///
/// `M` says whether the body stays on its thread ([`Local`], and so does the `Co`) or may go to another one
/// ([`Movable`], see [`native::new`](super::new())).
pub struct Co<'c, S, Y, E = Infallible, M = Local> {
    link: Link<S, Y, E, M>,
    of_one_body: PhantomData<fn(&'c ()) -> &'c ()>,
}

impl<S, Y, E, M> Co<'_, S, Y, E, M> {
    pub(super) fn new(link: Link<S, Y, E, M>) -> Self {
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
    pub fn yield_(&mut self, value: Y) -> Yielding<S, Y, E, Exclusive<'_, S, Y, E, M>> {
        stackless::yield_(self.link.exclusive(), value)
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
    #[inline(always)]
    pub fn wait<F: Future>(&mut self, future: F) -> Waiting<S, Y, E, Exclusive<'_, S, Y, E, M>, F> {
        stackless::wait(self.link.exclusive(), future)
    }
}

impl<S, Y, E> Co<'_, S, Y, E> {
    /// Delegates to `sub`: until it ends, whatever is sent, thrown or yielded passes between it and whoever resumes
    /// the outermost coroutine, at the same cost at any depth. The value is what `sub` returns.
    ///
    /// The chain owns `sub` while it runs; to keep a handle to it, wrap it in a
    /// [`Shared`](crate::coroutine::Shared). An iterator goes in a [`Plain`](crate::backend::Plain).
    ///
    /// # Errors
    ///
    /// What `sub` raised. [`Thrown::Misuse`](crate::coroutine::Thrown::Misuse) if it is finished, running, or already suspended at a `yield`: then it
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
}

/// As without [`Movable`], with what may go to another thread.
impl<S, Y, E> Co<'_, S, Y, E, Movable> {
    /// See [`Co::yield_from`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn yield_from<C: MovableSub<S, Y, E>>(
        &mut self,
        sub: C,
    ) -> Delegating<S, Y, E, Exclusive<'_, S, Y, E, Movable>, C> {
        stackless::yield_from(self.link.exclusive(), sub, None)
    }

    /// See [`Co::yield_from_started`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn yield_from_started<C: MovableSub<S, Y, E>>(
        &mut self,
        sub: C,
        first: S,
    ) -> Delegating<S, Y, E, Exclusive<'_, S, Y, E, Movable>, C> {
        stackless::yield_from(self.link.exclusive(), sub, Some(first))
    }
}

impl<S, Y, E, M> fmt::Debug for Co<'_, S, Y, E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Co").field(&self.link).finish()
    }
}
