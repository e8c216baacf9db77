//! The suspension points of bodies that are futures: what the `Co` of a stackless flavour is made of.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::{Airlock, Asking, IntoSub, Request};
use crate::coroutine::Thrown;

/// Hands out `value`, and is ready with the answer to it: what was sent, or what was thrown in instead.
#[inline(always)]
pub fn yield_<S, Y, E>(airlock: &Airlock<S, Y, E>, value: Y) -> Yielding<'_, S, Y, E> {
    Yielding { _point: airlock.point(), airlock, value: Some(value) }
}

/// A yield. Made by [`yield_`]. A future of its own rather than an `async fn`: every level of those costs at every
/// resume.
#[derive(Debug)]
#[must_use = "a yield does nothing until it is awaited"]
pub struct Yielding<'a, S, Y, E> {
    _point: Asking<'a, S, Y, E>,
    airlock: &'a Airlock<S, Y, E>,
    /// `None` once it was handed out.
    value: Option<Y>,
}

// Nothing in it is pinned.
impl<S, Y, E> Unpin for Yielding<'_, S, Y, E> {}

impl<S, Y, E> Future for Yielding<'_, S, Y, E> {
    type Output = Result<S, Thrown<E>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(value) = self.value.take() {
            self.airlock.ask(Request::Yield(value));
            return Poll::Pending;
        }
        match self.airlock.answer() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }
}

/// Waits for `future`, parked while it is pending.
///
/// # Errors
///
/// What was thrown in meanwhile. The future is dropped then.
pub async fn wait<S, Y, E, F: Future>(airlock: &Airlock<S, Y, E>, future: F) -> Result<F::Output, Thrown<E>> {
    let _point = airlock.point();
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Err(thrown) = airlock.check_thrown() {
            return Poll::Ready(Err(thrown));
        }
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => {
                airlock.ask(Request::Park);
                Poll::Pending
            }
        }
    })
    .await
}

/// Delegates to `sub`, and is ready with what it returned.
///
/// # Errors
///
/// What the sub raised, or why it cannot be delegated to.
pub async fn yield_from<S, Y, E, C: IntoSub<S, Y, E>>(
    airlock: &Airlock<S, Y, E>,
    sub: C,
    first: Option<S>,
) -> Result<C::Return, Thrown<E>> {
    let delegated = airlock.delegate(sub.into_sub(first).map_err(Thrown::Misuse)?);
    let mut switched_out = false;
    poll_fn(|_| {
        if !std::mem::replace(&mut switched_out, true) {
            return Poll::Pending;
        }
        delegated.ended().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
