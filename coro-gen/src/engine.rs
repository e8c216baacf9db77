//! How a generator body is run: genawaiter resumes it.

#![allow(unsafe_code)]

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomPinned;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use coro_core::backend::{self, Airlock, BodyCell, Link, Progress};
use coro_core::coroutine::Thrown;
use coro_core::stats::Flavour;
use genawaiter::{GeneratorState, stack};

use crate::Co;

/// A body whose type is erased.
pub type Erased<R, E> = dyn Future<Output = Result<R, Thrown<E>>>;

pub(crate) struct Engine<S, Y, E, B: ?Sized>(BodyCell<S, Y, E, B>);

/// The body, as genawaiter runs it.
struct Switching<'a, B> {
    body: Pin<&'a mut B>,
    switch: stack::Co<'a, ()>,
    /// What the generator has a `&mut` to is read through `switch` as well, as in a future that borrows from itself. That
    /// is allowed for what is not `Unpin`, which no compiler takes to be reached in one way only.
    _shared: PhantomPinned,
}

impl<B: Future> Future for Switching<'_, B> {
    type Output = B::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<B::Output> {
        // SAFETY: nothing is moved out of it, and there is nothing pinned in it.
        let Self { body, switch, .. } = unsafe { self.get_unchecked_mut() };
        let polled = body.as_mut().poll(cx);
        if polled.is_pending() {
            // The body switches out through genawaiter here and nowhere else, whatever it is pending on. A foreign future
            // leaves no request in the airlock, and the machine says what that means.
            drop(switch.yield_(()));
        }
        polled
    }
}

/// Makes the engine of `body`.
///
/// genawaiter is a bare switch in it: no value passes through that, they are in the airlock. All is in one future, in the
/// cell beside the airlock, so that a resume goes through one `async` block of ours, one jump by state, and nothing else is
/// allocated.
///
/// ```text
///   cell: future ──▶ genawaiter::stack::Gen ──▶ its shelf ──▶ body, all three in the future
/// ```
pub(crate) fn engine<S, Y, R, E, F>(body: F) -> Engine<S, Y, E, impl Future<Output = Result<R, Thrown<E>>>>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E>) -> Result<R, Thrown<E>>,
{
    let run = |link: Link<S, Y, E>| async move {
        let mut co = Co::new(link);
        let body = pin!(body(&mut co));
        let mut shelf = stack::Shelf::new();
        let switching = |switch| Switching { body, switch, _shared: PhantomPinned };
        // SAFETY: its `Co` stays in the `Switching`, which the generator drops, and which does not use it when it has ended.
        let mut generator = unsafe { stack::Gen::new(&mut shelf, switching) };
        poll_fn(move |cx| {
            // Not `resume_with`: that hides the wake from the body.
            let mut resumed = generator.async_resume();
            if let Poll::Ready(GeneratorState::Complete(result)) = Pin::new(&mut resumed).poll(cx) {
                return Poll::Ready(result);
            }
            Poll::Pending
        })
        .await
    };
    // SAFETY: the link is in `co`, which the future owns: it is dropped with it, in the cell. The body gets it as a
    // `&mut` of a lifetime that it cannot choose, and cannot exchange it for that of another body, whose `'c` is
    // another and invariant. The suspension points do not give their `Exclusive` away. Nobody gets at the future to swap
    // it.
    Engine(unsafe { BodyCell::new(run) })
}

impl<S, Y, R, E, B: Future<Output = Result<R, Thrown<E>>> + 'static> Engine<S, Y, E, B> {
    /// The same, with the type of its body erased.
    pub(crate) fn erase(self) -> Engine<S, Y, E, Erased<R, E>> {
        // SAFETY: it is the pointer it is given.
        Engine(unsafe { self.0.erase(|body| body as NonNull<backend::Inner<S, Y, E, Erased<R, E>>>) })
    }
}

impl<S, Y, E, B: ?Sized> fmt::Debug for Engine<S, Y, E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("airlock", self.0.airlock()).finish_non_exhaustive()
    }
}

impl<S, Y, R, E, B> backend::Engine for Engine<S, Y, E, B>
where
    B: Future<Output = Result<R, Thrown<E>>> + ?Sized,
{
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Generator);
    // A generator waits through its `Co`, so that the same body means the same in every flavour.
    const WAITS_ON_ANY_FUTURE: bool = false;

    #[inline(always)]
    fn airlock(&self) -> &Airlock<S, Y, E> {
        self.0.airlock()
    }

    #[inline(always)]
    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<R, Thrown<E>>> {
        let Some(body) = self.0.body() else { unreachable!("a body that has ended is not run") };
        match body.poll(&mut Context::from_waker(wake.unwrap_or(Waker::noop()))) {
            Poll::Ready(result) => Progress::Ended(result),
            Poll::Pending => Progress::Suspended,
        }
    }

    fn end(&mut self) {
        self.0.end();
    }
}
