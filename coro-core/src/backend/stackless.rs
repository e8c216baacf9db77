//! The suspension points of bodies that are futures: what the `Co` of a stackless flavour is made of.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::{Airlock, IntoSub, Request};
use crate::coroutine::Thrown;

/// Hands out `value`, and is ready with the answer to it.
///
/// # Errors
///
/// What was thrown in instead of a value.
pub async fn yield_<S, Y, E>(airlock: &Airlock<S, Y, E>, value: Y) -> Result<S, Thrown<E>> {
    let _asking = airlock.asking(Request::Yield(value));
    let mut switched_out = false;
    poll_fn(|_| {
        if !std::mem::replace(&mut switched_out, true) {
            return Poll::Pending;
        }
        airlock.answer().map_or(Poll::Pending, Poll::Ready)
    })
    .await
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
