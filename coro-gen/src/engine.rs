//! How a generator body is run: genawaiter resumes it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Context;

use coro_core::backend::{self, Airlock, Progress};
use coro_core::coroutine::Thrown;
use coro_core::stats::Flavour;
use genawaiter::GeneratorState;

use crate::Co;

/// genawaiter's end of the switch. No value passes through it: they are in the [`Airlock`].
pub(crate) type Switch = genawaiter::rc::Co<(), ()>;

type Resume<R, E> = Box<dyn FnMut() -> GeneratorState<(), Result<R, Thrown<E>>>>;

pub(crate) struct Engine<S, Y, R, E> {
    airlock: Rc<Airlock<S, Y, E>>,
    /// `genawaiter::rc::Gen::resume_with`, with the type of the body erased.
    resume: Resume<R, E>,
}

impl<S, Y, R, E> Engine<S, Y, R, E> {
    pub(crate) fn new<F>(body: F) -> Self
    where
        F: for<'c> AsyncFnOnce(&'c mut Co<S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        let airlock = Rc::new(Airlock::default());
        let shared = Rc::clone(&airlock);
        let mut generator = genawaiter::rc::Gen::new(|switch| async move {
            let switch = Rc::new(switch);
            let mut co = Co::new(Rc::clone(&shared), Rc::clone(&switch));
            never_foreign(body(&mut co), &shared, &switch).await
        });
        Self { airlock, resume: Box::new(move || generator.resume_with(())) }
    }
}

/// Runs `body`; when it is pending on anything but a request of ours, tells genawaiter that it yielded all the
/// same, instead of breaking the invariant that genawaiter panics on. The request is missing then, and the machine
/// says what that means.
async fn never_foreign<S, Y, E, T>(
    body: impl Future<Output = T>,
    airlock: &Airlock<S, Y, E>,
    switch: &Switch,
) -> T {
    let mut body = pin!(body);
    poll_fn(|cx| {
        let polled = body.as_mut().poll(cx);
        if polled.is_pending() && !airlock.is_asking() {
            drop(switch.yield_(()));
        }
        polled
    })
    .await
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

    const FLAVOUR: Flavour = Flavour::Generator;
    // genawaiter polls a body with a waker that does nothing.
    const WAITS_ON_ANY_FUTURE: bool = false;

    fn airlock(&self) -> &Airlock<S, Y, E> {
        &self.airlock
    }

    fn run(&mut self, cx: &mut Context<'_>) -> Progress<Result<R, Thrown<E>>> {
        self.airlock.set_wake(cx);
        match (self.resume)() {
            GeneratorState::Yielded(()) => Progress::Suspended,
            GeneratorState::Complete(result) => Progress::Ended(result),
        }
    }
}
