//! How a fiber body is run: corosensei switches to its stack.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

use coro_core::backend::{self, Airlock, CurrentWake, Progress, Request};
use coro_core::coroutine::{MisuseKind, Thrown};
use coro_core::stats::Flavour;

use crate::Co;
use crate::current::run_here;
use crate::error::{Types, WaitError};
use crate::stack::{Site, Stack, StackError, StackPool};
use crate::switch::{Coroutine, CoroutineResult, Yielder};

/// corosensei's end of the switch. No value passes through it: they are in the [`Airlock`].
pub(crate) type Switch = Yielder<(), ()>;

type Fiber<R, E> = Coroutine<(), (), Result<R, Thrown<E>>, Stack>;

/// What a fiber shares with its body.
pub(crate) struct Exchange<S, Y, E> {
    pub(crate) airlock: Airlock<S, Y, E>,
    /// The fiber is being dropped.
    forced: Cell<bool>,
    /// A panic was on its way already when the fiber was resumed: it is not the fiber's own.
    panicking_before: Cell<bool>,
    site: Site,
    /// From where it takes its stack; `None` for the thread's usual one, and when it has it.
    pool: Cell<Option<StackPool>>,
}

impl<S, Y, E> Exchange<S, Y, E> {
    /// Whether the stack is being unwound, by a drop or by a panic of the body. Then there is nobody to suspend to.
    #[inline(always)]
    pub(crate) fn is_unwinding(&self) -> bool {
        self.forced.get() || (std::thread::panicking() && !self.panicking_before.get())
    }
}

/// An [`Exchange`], whatever its types.
pub(crate) trait Erased {
    /// The wake of the resume in progress, if it has one.
    fn wake(&self) -> Option<CurrentWake>;

    /// See [`Exchange::is_unwinding`].
    fn is_unwinding(&self) -> bool;

    /// The fiber must switch out next.
    fn ask_to_park(&self);

    /// Takes a value of the type that the fiber yields out of an `Option`, if what it receives is `sent`. Then the fiber
    /// must switch out next.
    fn ask_to_yield(&self, sent: TypeId, value: &mut dyn Any) -> Result<(), Types>;

    /// The error that was thrown at a wait, if one was.
    fn check_thrown(&self) -> Result<(), WaitError>;

    /// What the fiber was resumed with: a value, which is put into an `Option`; an error; or `None` for a mere wake-up.
    fn answer(&self, sent: &mut dyn Any) -> Option<Result<(), WaitError>>;
}

impl<S: 'static, Y: 'static, E: 'static> Erased for Exchange<S, Y, E> {
    fn wake(&self) -> Option<CurrentWake> {
        self.airlock.wake()
    }

    fn is_unwinding(&self) -> bool {
        self.is_unwinding()
    }

    fn ask_to_park(&self) {
        self.airlock.ask(Request::Park);
    }

    fn ask_to_yield(&self, sent: TypeId, value: &mut dyn Any) -> Result<(), Types> {
        let value = value.downcast_mut::<Option<Y>>().filter(|_| sent == TypeId::of::<S>());
        let value = value.and_then(Option::take).ok_or_else(Types::of::<S, Y>)?;
        self.airlock.ask(Request::Yield(value));
        Ok(())
    }

    fn check_thrown(&self) -> Result<(), WaitError> {
        self.airlock.check_thrown().map_err(WaitError::from_thrown)
    }

    fn answer(&self, sent: &mut dyn Any) -> Option<Result<(), WaitError>> {
        Some(match self.airlock.answer()? {
            Ok(value) => {
                if let Some(sent) = sent.downcast_mut::<Option<S>>() {
                    *sent = Some(value);
                }
                Ok(())
            }
            Err(thrown) => Err(WaitError::from_thrown(thrown)),
        })
    }
}

/// A body that has not begun: it has no stack yet.
trait Begin<S, Y, R, E> {
    /// Puts it on a stack, where the first resume runs it.
    fn begin(self: Box<Self>, stack: Stack, exchange: Rc<Exchange<S, Y, E>>) -> Fiber<R, E>;
}

impl<F, S, Y, R, E> Begin<S, Y, R, E> for F
where
    F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
    S: 'static,
    Y: 'static,
    R: 'static,
    E: 'static,
{
    fn begin(self: Box<Self>, stack: Stack, exchange: Rc<Exchange<S, Y, E>>) -> Fiber<R, E> {
        let body = *self;
        Coroutine::with_stack(stack, move |switch: &Switch, ()| {
            let erased: Rc<dyn Erased> = Rc::clone(&exchange) as _;
            run_here(switch, erased, |here| body(&mut Co::new(exchange, here)))
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
    pub(crate) fn new<F>(body: F, site: Site, pool: Option<StackPool>) -> Self
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
            site,
            pool: Cell::new(pool),
        });
        Self { exchange, body: Some(Box::new(body)), fiber: None }
    }

    /// Gives the body a stack. Without one it never runs.
    #[inline(never)]
    pub(crate) fn begin(&mut self) -> Result<(), StackError> {
        let Some(body) = self.body.take() else { unreachable!("a body that has ended is not run") };
        let site = self.exchange.site;
        let stack = match self.exchange.pool.take() {
            Some(pool) => Stack::take(&pool, site)?,
            None => StackPool::with_usual(|pool| Stack::take(pool, site))?,
        };
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
        if self.fiber.is_none() && self.begin().is_err() {
            return Progress::Ended(Err(Thrown::Misuse(MisuseKind::NoStack)));
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
    }
}
