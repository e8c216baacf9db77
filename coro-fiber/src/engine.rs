//! How a fiber body is run: corosensei switches to its stack.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

use coro_core::backend::{self, Airlock, Progress};
use coro_core::coroutine::{MisuseKind, Thrown};
use coro_core::stats::Flavour;
use corosensei::stack::DefaultStack;
use corosensei::{CoroutineResult, Yielder};

use crate::stagger::staggered;
use crate::{Co, stack};

/// corosensei's end of the switch. No value passes through it: they are in the [`Airlock`].
pub(crate) type Switch = Yielder<(), ()>;

type Fiber<R, E> = corosensei::Coroutine<(), (), Result<R, Thrown<E>>, DefaultStack>;

/// What a fiber shares with its body.
pub(crate) struct Exchange<S, Y, E> {
    pub(crate) airlock: Airlock<S, Y, E>,
    /// The fiber is being dropped.
    forced: Cell<bool>,
    /// A panic was on its way already when the fiber was resumed: it is not the fiber's own.
    panicking_before: Cell<bool>,
}

impl<S, Y, E> Exchange<S, Y, E> {
    /// Whether the stack is being unwound, by a drop or by a panic of the body. Then there is nobody to suspend to.
    #[inline(always)]
    pub(crate) fn is_unwinding(&self) -> bool {
        self.forced.get() || (std::thread::panicking() && !self.panicking_before.get())
    }
}

/// A body that has not begun: it has no stack yet.
trait Begin<S, Y, R, E> {
    /// Puts it on a stack, where the first resume runs it.
    fn begin(self: Box<Self>, stack: DefaultStack, exchange: Rc<Exchange<S, Y, E>>) -> Fiber<R, E>;
}

impl<F, S, Y, R, E> Begin<S, Y, R, E> for F
where
    F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
    S: 'static,
    Y: 'static,
    R: 'static,
    E: 'static,
{
    fn begin(self: Box<Self>, stack: DefaultStack, exchange: Rc<Exchange<S, Y, E>>) -> Fiber<R, E> {
        let body = *self;
        corosensei::Coroutine::with_stack(stack, move |switch: &Switch, ()| {
            staggered(|| body(&mut Co::new(exchange, switch)))
        })
    }
}

pub(crate) struct Engine<S, Y, R, E> {
    exchange: Rc<Exchange<S, Y, E>>,
    /// Until it begins: a fiber that waits for its turn has no stack.
    body: Option<Box<dyn Begin<S, Y, R, E>>>,
    /// From then on, until it has ended.
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
        let exchange = Rc::new(Exchange {
            airlock: Airlock::default(),
            forced: Cell::new(false),
            panicking_before: Cell::new(false),
        });
        Self { exchange, body: Some(Box::new(body)), fiber: None }
    }

    /// Gives the body a stack. Without one it never runs.
    #[cold]
    #[inline(never)]
    fn begin(&mut self) -> Result<(), MisuseKind> {
        let Some(body) = self.body.take() else { unreachable!("a body that has ended is not run") };
        let stack = stack::take().map_err(|_| MisuseKind::NoStack)?;
        self.fiber = Some(body.begin(stack, Rc::clone(&self.exchange)));
        Ok(())
    }
}

impl<S, Y, R, E> Drop for Engine<S, Y, R, E> {
    fn drop(&mut self) {
        backend::Engine::end(self);
    }
}

impl<S, Y, R, E> fmt::Debug for Engine<S, Y, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("airlock", &self.exchange.airlock).finish_non_exhaustive()
    }
}

impl<S, Y, R, E> backend::Engine for Engine<S, Y, R, E> {
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Fiber);
    // A fiber body can only wait through its `Co`, which always makes a request.
    const WAITS_ON_ANY_FUTURE: bool = false;

    #[inline(always)]
    fn airlock(&self) -> &Airlock<S, Y, E> {
        &self.exchange.airlock
    }

    #[inline(always)]
    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<R, Thrown<E>>> {
        let panicking = std::thread::panicking();
        if panicking != self.exchange.panicking_before.get() {
            self.exchange.panicking_before.set(panicking);
        }
        if self.fiber.is_none()
            && let Err(misuse) = self.begin()
        {
            return Progress::Ended(Err(Thrown::Misuse(misuse)));
        }
        let Some(fiber) = &mut self.fiber else { unreachable!("it has begun") };
        match self.exchange.airlock.run_with_wake(wake, || fiber.resume(())) {
            CoroutineResult::Yield(()) => Progress::Suspended,
            CoroutineResult::Return(result) => Progress::Ended(result),
        }
    }

    fn end(&mut self) {
        self.body = None;
        let Some(mut fiber) = self.fiber.take() else { return };
        if !fiber.done() {
            self.exchange.forced.set(true);
            fiber.force_unwind();
        }
        stack::give_back(fiber.into_stack());
    }
}
