//! Synchronous code that waits, as a future.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use coro_core::coroutine::{Coroutine, Outcome, Thrown};

use crate::{Fiber, Options, ScopedFiber};

/// Makes a future of synchronous code that waits with [`wait`](crate::wait()), at any depth.
///
/// It runs under any executor: an event loop of ours, `LocalSet`, `LocalRuntime` or `block_on` of tokio, the local
/// executors of smol and of `futures`. What it waits for must be right there, as for any future: a timer of tokio under
/// tokio. It is polled on its own stack only while it is polled, and is not [`Send`], for a fiber never leaves its thread:
///
/// ```compile_fail,E0277
/// std::thread::spawn(move || coro_fiber::on_fiber(|| ()));
/// let future = coro_fiber::on_fiber(|| ());
/// std::thread::spawn(move || drop(future));
/// ```
///
/// # Cancellation
///
/// Dropping the future unwinds the stack of the code at once: its destructors run, before the drop returns. An operation
/// that it waits for is dropped with it, and points to nothing on that stack.
///
/// # Panics
///
/// Where it is polled: if the code panics, with its panic; if there is no stack for it,
/// which [`Options::reserve_on_fiber`] finds out before; and if it is polled again after it has given its result.
///
/// # Examples
///
/// ```
/// use coro_core::prelude::*;
/// use std::time::Duration;
///
/// /// Of a library that knows nothing of futures.
/// fn visit(depth: u32, at_leaf: &mut dyn FnMut()) {
///     if depth == 0 { at_leaf() } else { (0..2).for_each(|_| visit(depth - 1, at_leaf)) }
/// }
///
/// let leaves = Loop::simulated().run(async {
///     coro_fiber::on_fiber(|| {
///         let mut leaves = 0;
///         visit(2, &mut || {
///             coro_fiber::sleep(Duration::from_secs(1)).unwrap();
///             leaves += 1;
///         });
///         leaves
///     })
///     .await
/// });
/// assert_eq!(leaves.unwrap(), 4);
/// ```
#[track_caller]
pub fn on_fiber<F, T>(body: F) -> OnFiber<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    Options::new().on_fiber(body)
}

/// Synchronous code that waits, as a future. Made by [`on_fiber`].
#[must_use = "a future does nothing until it is polled"]
pub struct OnFiber<T>(ScopedFiber<'static, (), Infallible, T, Infallible>);

impl<T: 'static> OnFiber<T> {
    pub(crate) fn new(fiber: Fiber<(), Infallible, T, Infallible>) -> Self {
        Self(ScopedFiber::new(fiber))
    }
}

// The fiber is resumed through `&mut`, and never pinned.
impl<T> Unpin for OnFiber<T> {}

impl<T> Future for OnFiber<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.0.poll_resume(cx, None) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(Outcome::Returned(value))) => Poll::Ready(value),
            Poll::Ready(Ok(Outcome::Raised(Thrown::Misuse(misuse)))) => panic!("on_fiber: {misuse}"),
            Poll::Ready(Err(misuse)) => panic!("on_fiber was polled after it gave its result: {misuse}"),
            Poll::Ready(Ok(Outcome::Raised(_) | Outcome::Closed | Outcome::Yielded(_))) => {
                unreachable!("nothing is thrown in, and the body raises nothing")
            }
        }
    }
}

impl<T> fmt::Debug for OnFiber<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnFiber").field(&self.0.state()).finish()
    }
}
