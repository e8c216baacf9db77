//! How a generator body is run: genawaiter resumes it.

#![allow(unsafe_code)]

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use coro_core::backend::{self, Airlock, BodyCell, Link, Progress};
use coro_core::coroutine::Thrown;
use coro_core::stats::Flavour;
use genawaiter::GeneratorState;

use crate::Co;

/// A body under genawaiter: a bare switch. No value passes through it: they are in the airlock.
pub trait Switch<R, E> {
    /// A poll of `genawaiter::rc::Gen::async_resume`.
    fn switch(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Progress<Result<R, Thrown<E>>>;
}

impl<R, E, F: Future<Output = Result<R, Thrown<E>>>> Switch<R, E> for genawaiter::rc::Gen<(), (), F> {
    #[inline(always)]
    fn switch(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Progress<Result<R, Thrown<E>>> {
        // Not `resume_with`: that hides the wake from the body.
        match Pin::new(&mut self.get_mut().async_resume()).poll(cx) {
            Poll::Ready(GeneratorState::Complete(result)) => Progress::Ended(result),
            Poll::Ready(GeneratorState::Yielded(())) | Poll::Pending => Progress::Suspended,
        }
    }
}

/// A body whose type is erased.
pub type Erased<R, E> = dyn Switch<R, E>;

pub(crate) struct Engine<S, Y, R, E, B: ?Sized>(BodyCell<S, Y, E, B>, PhantomData<fn() -> R>);

/// Makes the engine of `body`.
pub(crate) fn engine<S, Y, R, E, F>(body: F) -> Engine<S, Y, R, E, impl Switch<R, E>>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E>) -> Result<R, Thrown<E>>,
{
    let run = |link: Link<S, Y, E>| {
        genawaiter::rc::Gen::new(|switch| async move {
            let mut co = Co::new(link);
            let mut body = pin!(body(&mut co));
            poll_fn(|cx| {
                let polled = body.as_mut().poll(cx);
                if polled.is_pending() {
                    // The body switches out through genawaiter here and nowhere else, whatever it is pending on.
                    // A foreign future leaves no request in the airlock, and the machine says what that means.
                    drop(switch.yield_(()));
                }
                polled
            })
            .await
        })
    };
    // SAFETY: the link is in `co`, which the future owns: it is dropped with it, in the cell. The body
    // gets `co` as a `&mut` of a lifetime that it cannot choose, and cannot exchange it for that of another body, whose
    // `'c` is another and invariant. The suspension points do not give their `Exclusive` away. The future is `Unpin` behind
    // genawaiter's pointer, and nobody gets at it to swap it.
    Engine(unsafe { BodyCell::new(run) }, PhantomData)
}

impl<S, Y, R, E, B: Switch<R, E> + 'static> Engine<S, Y, R, E, B> {
    /// The same, with the type of its body erased.
    pub(crate) fn erase(self) -> Engine<S, Y, R, E, Erased<R, E>> {
        // SAFETY: it is the pointer it is given.
        let erased = unsafe { self.0.erase(|body| body as NonNull<backend::Inner<S, Y, E, Erased<R, E>>>) };
        Engine(erased, PhantomData)
    }
}

impl<S, Y, R, E, B: ?Sized> fmt::Debug for Engine<S, Y, R, E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("airlock", self.0.airlock()).finish_non_exhaustive()
    }
}

impl<S, Y, R, E, B: Switch<R, E> + ?Sized> backend::Engine for Engine<S, Y, R, E, B> {
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
        body.switch(&mut Context::from_waker(wake.unwrap_or(Waker::noop())))
    }

    fn end(&mut self) {
        self.0.end();
    }
}
