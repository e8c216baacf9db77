//! How a native body is run: its future is polled.

#![allow(unsafe_code)]

use core::fmt;
use core::future::Future;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

use super::Co;
use crate::backend::{self, Airlock, BodyCell, Mobility, Progress};
use crate::coroutine::Thrown;
use crate::stats::Flavour;

/// A body whose type is erased.
pub type Erased<R, E> = dyn Future<Output = Result<R, Thrown<E>>>;

pub(super) struct Engine<S, Y, E, F: ?Sized>(BodyCell<S, Y, E, F>);

/// Makes the engine of `body`, whose `Co` delegates as `M` says.
pub(super) fn engine<S, Y, R, E, M, F>(body: F) -> Engine<S, Y, E, impl Future<Output = Result<R, Thrown<E>>>>
where
    M: Mobility,
    F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E, M>) -> Result<R, Thrown<E>>,
{
    let run = |link| async move {
        let mut co = Co::new(link);
        body(&mut co).await
    };
    // SAFETY: the link is in `co`, which the future owns: it is dropped with it, in the cell. The body gets it as a
    // `&mut` of a lifetime that it cannot choose, and cannot exchange it for that of another body, whose `'c` is
    // another and invariant. The suspension points do not give their `Exclusive` away. Nobody gets at the future to swap
    // it. A `Movable` `Co` delegates only to a `MovableSub`.
    Engine(unsafe { BodyCell::new(run) })
}

impl<S, Y, R, E, F> Engine<S, Y, E, F>
where
    F: Future<Output = Result<R, Thrown<E>>> + 'static,
{
    /// The same, with the type of its body erased.
    pub(super) fn erase(self) -> Engine<S, Y, E, Erased<R, E>> {
        // SAFETY: it is the pointer it is given.
        Engine(unsafe { self.0.erase(|body| body as NonNull<backend::Inner<S, Y, E, Erased<R, E>>>) })
    }
}

impl<S, Y, E, F: ?Sized> fmt::Debug for Engine<S, Y, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("airlock", self.0.airlock()).finish_non_exhaustive()
    }
}

impl<S, Y, R, E, F> backend::Engine for Engine<S, Y, E, F>
where
    F: Future<Output = Result<R, Thrown<E>>> + ?Sized,
{
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Native);
    const WAITS_ON_ANY_FUTURE: bool = true;

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
