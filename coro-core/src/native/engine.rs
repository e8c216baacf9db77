//! How a native body is run: its future is polled.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::Co;
use crate::backend::{self, Airlock, Progress};
use crate::coroutine::Thrown;
use crate::stats::Flavour;

type Body<R, E> = Pin<Box<dyn Future<Output = Result<R, Thrown<E>>>>>;

pub(super) struct Engine<S, Y, R, E> {
    airlock: Rc<Airlock<S, Y, E>>,
    body: Body<R, E>,
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
        Self { airlock, body: Box::pin(async move { body(&mut co).await }) }
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

    const FLAVOUR: Flavour = Flavour::Native;
    const WAITS_ON_ANY_FUTURE: bool = true;

    fn airlock(&self) -> &Airlock<S, Y, E> {
        &self.airlock
    }

    fn run(&mut self, cx: &mut Context<'_>) -> Progress<Result<R, Thrown<E>>> {
        match self.body.as_mut().poll(cx) {
            Poll::Ready(result) => Progress::Ended(result),
            Poll::Pending => Progress::Suspended,
        }
    }
}
