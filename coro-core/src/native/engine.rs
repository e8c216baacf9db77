//! How a native body is run: its future is polled.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::Co;
use crate::backend::{self, Airlock, Progress};
use crate::coroutine::Thrown;
use crate::stats::Flavour;

type Body<R, E> = Pin<Box<dyn Future<Output = Result<R, Thrown<E>>>>>;

pub(super) struct Engine<S, Y, R, E> {
    airlock: Rc<Airlock<S, Y, E>>,
    /// `None` once it has ended.
    body: Option<Body<R, E>>,
}

impl<S, Y, R, E> Engine<S, Y, R, E> {
    pub(super) fn new<F>(body: F) -> Self
    where
        F: for<'c> AsyncFnOnce(&'c mut Co<S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        E: 'static,
    {
        let airlock = Rc::new(Airlock::default());
        let mut co = Co::new(Rc::clone(&airlock));
        Self { airlock, body: Some(Box::pin(async move { body(&mut co).await })) }
    }
}

impl<S, Y, R, E> fmt::Debug for Engine<S, Y, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("airlock", &self.airlock).finish_non_exhaustive()
    }
}

impl<S, Y, R, E> backend::Engine for Engine<S, Y, R, E> {
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Native);
    const WAITS_ON_ANY_FUTURE: bool = true;

    #[inline(always)]
    fn airlock(&self) -> &Airlock<S, Y, E> {
        &self.airlock
    }

    #[inline(always)]
    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<R, Thrown<E>>> {
        let Some(body) = &mut self.body else { unreachable!("a body that has ended is not run") };
        match body.as_mut().poll(&mut Context::from_waker(wake.unwrap_or(Waker::noop()))) {
            Poll::Ready(result) => Progress::Ended(result),
            Poll::Pending => Progress::Suspended,
        }
    }

    fn end(&mut self) {
        self.body = None;
    }
}
