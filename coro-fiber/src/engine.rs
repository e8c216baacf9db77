//! How a fiber body is run: corosensei switches to its stack.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::task::Context;

use coro_core::backend::{self, Airlock, Progress};
use coro_core::coroutine::Thrown;
use coro_core::stats::Flavour;
use corosensei::stack::DefaultStack;
use corosensei::{CoroutineResult, Yielder};

use crate::{Co, stack};

/// corosensei's end of the switch. No value passes through it: they are in the [`Airlock`].
pub(crate) type Switch = Yielder<(), ()>;

type Fiber<R, E> = corosensei::Coroutine<(), (), Result<R, Thrown<E>>, DefaultStack>;

/// What a body must know before it suspends: not while its stack is unwound.
#[derive(Debug, Default)]
pub(crate) struct Unwinding {
    /// The fiber is being dropped.
    forced: Cell<bool>,
    /// A panic was on its way already when the fiber was resumed: it is not the fiber's own.
    before: Cell<bool>,
}

impl Unwinding {
    /// Whether the stack is being unwound, by a drop or by a panic of the body.
    pub(crate) fn is_under_way(&self) -> bool {
        self.forced.get() || (std::thread::panicking() && !self.before.get())
    }
}

pub(crate) struct Engine<S, Y, R, E> {
    airlock: Rc<Airlock<S, Y, E>>,
    unwinding: Rc<Unwinding>,
    /// `None` only while it is dropped.
    fiber: Option<Fiber<R, E>>,
}

impl<S, Y, R, E> Engine<S, Y, R, E> {
    pub(crate) fn new<F>(body: F) -> Self
    where
        F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        let airlock = Rc::new(Airlock::default());
        let unwinding = Rc::new(Unwinding::default());
        let (shared, flag) = (Rc::clone(&airlock), Rc::clone(&unwinding));
        let fiber = corosensei::Coroutine::with_stack(stack::take(), move |switch: &Switch, ()| {
            body(&mut Co::new(shared, flag, switch))
        });
        Self { airlock, unwinding, fiber: Some(fiber) }
    }
}

impl<S, Y, R, E> Drop for Engine<S, Y, R, E> {
    fn drop(&mut self) {
        let Some(mut fiber) = self.fiber.take() else { return };
        if !fiber.done() {
            self.unwinding.forced.set(true);
            fiber.force_unwind();
        }
        stack::give_back(fiber.into_stack());
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

    const FLAVOUR: Flavour = Flavour::Fiber;
    // A fiber body can only wait through its `Co`, which always makes a request.
    const WAITS_ON_ANY_FUTURE: bool = false;

    fn airlock(&self) -> &Airlock<S, Y, E> {
        &self.airlock
    }

    fn run(&mut self, cx: &mut Context<'_>) -> Progress<Result<R, Thrown<E>>> {
        self.airlock.set_wake(cx);
        self.unwinding.before.set(std::thread::panicking());
        let Some(fiber) = &mut self.fiber else { unreachable!("the fiber is there until it is dropped") };
        match fiber.resume(()) {
            CoroutineResult::Yield(()) => Progress::Suspended,
            CoroutineResult::Return(result) => Progress::Ended(result),
        }
    }
}
