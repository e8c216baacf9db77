//! Which native coroutines may go to another thread.

#![allow(unsafe_code)]

use core::future::Future;

use super::Native;
use crate::backend::{MovableSub, Sealed};
use crate::coroutine::Thrown;

// SAFETY: what a native coroutine holds beside its body and values of these types is its chain of frames and the wake.
// A body whose type is `Send` comes from `native::new`: `Native::new` erases the type, and that of `borrowing` holds the
// link of a `Local` `Co`; neither is `Send`. So its `Co` is a `Movable` one, which delegates only to a `MovableSub`: a
// coroutine of which this same proof says that its frames may go, or an iterator that is `Send`. The wake is set only
// while the body runs, and then the coroutine is borrowed and does not move.
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
