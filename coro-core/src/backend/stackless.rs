//! The suspension points of bodies that are futures: what the `Co` of a stackless flavour is made of.
//!
//! `A` is how such a body reaches its airlock: a reference, or an [`Exclusive`](super::Exclusive).

use core::fmt;
use core::future::Future;
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

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
            if let Some(thrown) = self.point.take_late() {
                self.point.leave();
                return Poll::Ready(Err(thrown));
            }
            self.point.ask(Request::Yield(value));
            return Poll::Pending;
        }
        match self.point.answer() {
            Some(answer) => {
                self.point.leave();
                Poll::Ready(answer)
            }
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
#[inline(always)]
pub fn wait<S, Y, E, A, F>(airlock: A, future: F) -> Waiting<S, Y, E, A, F>
where
    A: Deref<Target = Airlock<S, Y, E>>,
    F: Future,
{
    Waiting { point: Point::new(airlock), future }
}

pin_project! {
    /// A wait. Made by [`wait`]. A future of its own for the same reason as [`Yielding`].
    ///
    /// # Errors
    ///
    /// What was thrown in meanwhile. The future is dropped then.
    #[must_use = "a wait does nothing until it is awaited"]
    pub struct Waiting<S, Y, E, A, F>
    where
        A: Deref<Target = Airlock<S, Y, E>>,
    {
        // Dropped first.
        point: Point<S, Y, E, A>,
        #[pin]
        future: F,
    }
}

impl<S, Y, E, A, F> Future for Waiting<S, Y, E, A, F>
where
    A: Deref<Target = Airlock<S, Y, E>>,
    F: Future,
{
    type Output = Result<F::Output, Thrown<E>>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Err(thrown) = this.point.check_thrown() {
            this.point.leave();
            return Poll::Ready(Err(thrown));
        }
        match this.future.poll(cx) {
            Poll::Ready(output) => {
                this.point.leave_unanswered();
                Poll::Ready(Ok(output))
            }
            Poll::Pending => {
                this.point.park();
                Poll::Pending
            }
        }
    }
}

impl<S, Y, E, A, F> fmt::Debug for Waiting<S, Y, E, A, F>
where
    A: Deref<Target = Airlock<S, Y, E>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("point", &self.point).finish_non_exhaustive()
    }
}

/// Delegates to `sub`, and is ready with what it returned.
#[inline]
pub fn yield_from<S, Y, E, A, C>(airlock: A, sub: C, first: Option<S>) -> Delegating<S, Y, E, A, C>
where
    A: Deref<Target = Airlock<S, Y, E>>,
    C: IntoSub<S, Y, E>,
{
    Delegating { begin: Some(airlock), sub: Some(sub), first, delegated: None }
}

/// A delegation. Made by [`yield_from`]. A future of its own rather than an `async fn`: that would move the sub several
/// times.
///
/// # Errors
///
/// What the sub raised, or why it cannot be delegated to.
#[must_use = "a delegation does nothing until it is awaited"]
pub struct Delegating<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>, C: IntoSub<S, Y, E>> {
    /// `None`, as the two below, once it was asked for.
    begin: Option<A>,
    sub: Option<C>,
    first: Option<S>,
    delegated: Option<Delegated<S, Y, C::Return, E, A>>,
}

// Nothing in it is pinned.
impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>, C: IntoSub<S, Y, E>> Unpin for Delegating<S, Y, E, A, C> {}

impl<S, Y, E, A, C> Future for Delegating<S, Y, E, A, C>
where
    A: Deref<Target = Airlock<S, Y, E>>,
    C: IntoSub<S, Y, E>,
{
    type Output = Result<C::Return, Thrown<E>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let (Some(airlock), Some(sub)) = (this.begin.take(), this.sub.take()) {
            if let Some(thrown) = airlock.take_late() {
                return Poll::Ready(Err(thrown));
            }
            return match sub.into_sub(this.first.take()) {
                Ok(delegation) => {
                    this.delegated = Some(Delegated::begin(airlock, delegation));
                    Poll::Pending
                }
                Err(misuse) => Poll::Ready(Err(Thrown::Misuse(misuse))),
            };
        }
        match this.delegated.as_ref().and_then(Delegated::ended) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl<S, Y, E, A, C> fmt::Debug for Delegating<S, Y, E, A, C>
where
    A: Deref<Target = Airlock<S, Y, E>>,
    C: IntoSub<S, Y, E>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegating").field("asked", &self.begin.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;
    use core::pin::pin;
    use core::task::Waker;

    use super::*;

    #[test]
    fn a_wait_asks_for_as_long_as_it_is_pending_however_often_it_is_polled() {
        let airlock = Airlock::<(), (), ()>::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut answers = [Poll::Pending, Poll::Ready(()), Poll::Pending].into_iter();
        {
            let mut wait = pin!(wait(&airlock, poll_fn(|_| answers.next().unwrap())));
            assert_eq!(wait.as_mut().poll(&mut cx), Poll::Pending);
            assert!(airlock.has_landing());
            assert_eq!(wait.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
            assert!(!airlock.has_landing());
            assert_eq!(wait.as_mut().poll(&mut cx), Poll::Pending);
            assert!(airlock.has_landing());
        }
        assert!(!airlock.has_landing());
    }
}
