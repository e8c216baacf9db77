//! Which native coroutines may go to another thread.

#![allow(unsafe_code)]

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::Native;
use crate::backend::{MovableSub, Sealed};
use crate::coroutine::Thrown;

// SAFETY: what a native coroutine holds beside its body and values of these types is its chain of frames and the wake.
// A body whose type is `Send` comes from `native::new`: `Native::new` erases the type, and that of `borrowing` is
// `Staying`; neither is `Send`. So its `Co` is a `Movable` one, which delegates only to a `MovableSub`: a coroutine of
// which this same proof says that its frames may go, or an iterator that is `Send`. The wake is set only while the body
// runs, and then the coroutine is borrowed and does not move.
unsafe impl<S, Y, R, E, F> Send for Native<S, Y, R, E, F>
where
    S: Send,
    Y: Send,
    R: Send,
    E: Send,
    F: Future<Output = Result<R, Thrown<E>>> + Send,
{
}

impl<S, Y, R, E, F: ?Sized> Sealed for Native<S, Y, R, E, F> where F: Future<Output = Result<R, Thrown<E>>> {}

impl<S, Y, R, E, F> MovableSub<S, Y, E> for Native<S, Y, R, E, F>
where
    S: Send + 'static,
    Y: Send + 'static,
    R: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<R, Thrown<E>>> + Send + 'static,
{
}

/// A body that stays on its thread, because it delegates to anything.
pub struct Staying<F> {
    body: F,
    stays: PhantomData<*const ()>,
}

impl<F> Staying<F> {
    pub(super) fn new(body: F) -> Self {
        Self { body, stays: PhantomData }
    }
}

impl<F: Future> Future for Staying<F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the body is pinned whenever this is: nothing moves it out, and this has no `Drop` and is `Unpin` only
        // if the body is.
        unsafe { self.map_unchecked_mut(|this| &mut this.body) }.poll(cx)
    }
}

impl<F> fmt::Debug for Staying<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Staying")
    }
}
