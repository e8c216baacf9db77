//! The suspension points of bodies that are futures: what the `Co` of a stackless flavour is made of.
//!
//! `A` is how such a body reaches its airlock: a reference, or an [`Exclusive`](super::Exclusive).

use core::fmt;
use core::future::{Future, poll_fn};
use core::ops::Deref;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use super::{Airlock, Delegated, IntoSub, Point, Request};
use crate::coroutine::Thrown;

/// Hands out `value`, and is ready with the answer to it: what was sent, or what was thrown in instead.
#[inline(always)]
pub fn yield_<S, Y, E, A>(airlock: A, value: Y) -> Yielding<S, Y, E, A>
where
    A: Deref<Target = Airlock<S, Y, E>>,
{
    Yielding { point: Point::new(airlock), value: Some(value) }
}

/// A yield. Made by [`yield_`]. A future of its own rather than an `async fn`: every level of those costs at every
/// resume.
#[must_use = "a yield does nothing until it is awaited"]
pub struct Yielding<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> {
    point: Point<S, Y, E, A>,
    /// `None` once it was handed out.
    value: Option<Y>,
}

// Nothing in it is pinned.
impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> Unpin for Yielding<S, Y, E, A> {}

impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> Future for Yielding<S, Y, E, A> {
    type Output = Result<S, Thrown<E>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(value) = self.value.take() {
            self.point.ask(Request::Yield(value));
            return Poll::Pending;
        }
        match self.point.answer() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }
}

impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> fmt::Debug for Yielding<S, Y, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielding").field("handed_out", &self.value.is_none()).finish_non_exhaustive()
    }
}

/// Waits for `future`, parked while it is pending.
///
/// # Errors
///
/// What was thrown in meanwhile. The future is dropped then.
pub async fn wait<S, Y, E, A, F>(airlock: A, future: F) -> Result<F::Output, Thrown<E>>
where
    A: Deref<Target = Airlock<S, Y, E>>,
    F: Future,
{
    let point = Point::new(airlock);
    let mut future = pin!(future);
    // What is captured is owned, so that the whole goes to another thread if its parts do.
    poll_fn(move |cx| {
        if let Err(thrown) = point.check_thrown() {
            return Poll::Ready(Err(thrown));
        }
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => {
                point.ask(Request::Park);
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
pub async fn yield_from<S, Y, E, A, C>(airlock: A, sub: C, first: Option<S>) -> Result<C::Return, Thrown<E>>
where
    A: Deref<Target = Airlock<S, Y, E>>,
    C: IntoSub<S, Y, E>,
{
    let delegated = Delegated::begin(airlock, sub.into_sub(first).map_err(Thrown::Misuse)?);
    let mut switched_out = false;
    poll_fn(move |_| {
        if !core::mem::replace(&mut switched_out, true) {
            return Poll::Pending;
        }
        delegated.ended().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
