//! How a generator body is run: genawaiter resumes it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Waker;

use coro_core::backend::{self, Airlock, Progress};
use coro_core::coroutine::Thrown;
use coro_core::stats::Flavour;
use genawaiter::GeneratorState;

use crate::Co;

type Resume<R, E> = Box<dyn FnMut() -> GeneratorState<(), Result<R, Thrown<E>>>>;

pub(crate) struct Engine<S, Y, R, E> {
    airlock: Rc<Airlock<S, Y, E>>,
    /// `genawaiter::rc::Gen::resume_with`, with the type of the body erased. No value passes through it: they are
    /// in the airlock.
    /// `None` once it has ended.
    resume: Option<Resume<R, E>>,
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
            let mut co = Co::new(Rc::clone(&shared));
            let mut body = pin!(body(&mut co));
            poll_fn(|_| {
                let polled = shared.poll_with_wake(|cx| body.as_mut().poll(cx));
                if polled.is_pending() {
                    // The body switches out through genawaiter here and nowhere else, whatever it is pending on.
                    // A foreign future leaves no request in the airlock, and the machine says what that means;
                    // left to itself, genawaiter would panic.
                    drop(switch.yield_(()));
                }
                polled
            })
            .await
        });
        Self { airlock, resume: Some(Box::new(move || generator.resume_with(()))) }
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

    const FLAVOUR: Option<Flavour> = Some(Flavour::Generator);
    // A generator waits through its `Co`, so that the same body means the same in every flavour.
    const WAITS_ON_ANY_FUTURE: bool = false;

    #[inline(always)]
    fn airlock(&self) -> &Airlock<S, Y, E> {
        &self.airlock
    }

    #[inline(always)]
    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<R, Thrown<E>>> {
        let Some(resume) = &mut self.resume else { unreachable!("a body that has ended is not run") };
        match self.airlock.run_with_wake(wake, resume) {
            GeneratorState::Yielded(()) => Progress::Suspended,
            GeneratorState::Complete(result) => Progress::Ended(result),
        }
    }

    fn end(&mut self) {
        self.resume = None;
    }
}
