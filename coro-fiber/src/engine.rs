//! How a fiber body is run: corosensei switches to its stack.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::panic::resume_unwind;
use std::task::Waker;
use std::thread;

use coro_core::backend::{self, Airlock, CurrentWake, Progress, Request};
use coro_core::coroutine::{FrameInfo, MisuseKind, OwnStack, State, Thrown};
use coro_core::event_loop::{self, Exception};
use coro_core::stats::Flavour;
use corosensei::stack::Stack as _;

use crate::Co;
use crate::body::Body;
use crate::command::{self, Command};
use crate::error::{Types, WaitError};
use crate::stack::{Site, Stack, StackError, StackPool, fetch_beneath};
use crate::switch::{Coroutine, CoroutineResult, Yielder};

/// corosensei's end of the switch. No value passes through it: they are in the [`Airlock`].
pub(crate) type Switch = Yielder<(), ()>;

pub(crate) type Fiber<R, E> = Coroutine<(), (), thread::Result<Result<R, Thrown<E>>>, Stack>;

/// In whose [context](coro_core::context) a body begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// That of whoever resumes it, for ever.
    InTheirs,
    /// A copy of that, because it is resumed by hand.
    InItsOwn,
    /// It has been taken, to be run or to be dropped.
    Already,
}

/// What a fiber shares with its body.
pub(crate) struct Exchange<S, Y, E> {
    pub(crate) airlock: Airlock<S, Y, E>,
    /// How the body will begin, if it has not.
    pub(crate) begins: Cell<Begins>,
    /// The fiber is being dropped.
    forced: Cell<bool>,
    /// A panic was on its way already when the fiber was resumed: it is not the fiber's own.
    panicking_before: Cell<bool>,
    /// It was suspended while a panic was on its way, perhaps its own: then nothing else must unwind what that unwinds.
    in_doubt: Cell<bool>,
    site: Site,
    /// From where it takes its stack; `None` for the thread's usual one, and when it has it.
    pool: Cell<Option<StackPool>>,
}

impl<S, Y, E> Exchange<S, Y, E> {
    /// Whether the stack is being unwound, by a drop or by a panic of the body. Then there is nobody to suspend to.
    #[inline(always)]
    pub(crate) fn is_unwinding(&self) -> bool {
        self.forced.get() || (thread::panicking() && self.is_panicking())
    }

    /// Whether a panic is the body's own, as far as can be told.
    #[cold]
    fn is_panicking(&self) -> bool {
        let outside = self.panicking_before.get();
        self.in_doubt.set(outside);
        !outside
    }
}

/// An [`Exchange`], whatever its types.
pub(crate) trait Erased {
    /// For those who know them.
    fn as_any(&self) -> &dyn Any;

    /// The wake of the resume in progress, if it has one.
    fn wake(&self) -> Option<CurrentWake>;

    /// See [`Exchange::is_unwinding`].
    fn is_unwinding(&self) -> bool;

    /// Whether the fiber is being dropped.
    fn is_dropped(&self) -> bool;

    /// Whether the stack is being unwound here and now, as far as can be told.
    fn is_in_destructor(&self) -> bool;

    /// Whether the stack may not be unwound.
    fn is_in_doubt(&self) -> bool;

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
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn wake(&self) -> Option<CurrentWake> {
        self.airlock.wake()
    }

    fn is_unwinding(&self) -> bool {
        self.is_unwinding()
    }

    fn is_dropped(&self) -> bool {
        self.forced.get()
    }

    fn is_in_destructor(&self) -> bool {
        thread::panicking() && !self.panicking_before.get()
    }

    fn is_in_doubt(&self) -> bool {
        self.in_doubt.get()
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

pub(crate) struct Engine<S, Y, R, E> {
    body: Body<S, Y, R, E>,
    /// From when it begins until it has ended.
    fiber: Option<Fiber<R, E>>,
    /// Where its stack begins, which it grows down from.
    base: usize,
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
        let exchange = Exchange {
            airlock: Airlock::default(),
            begins: Cell::new(Begins::InTheirs),
            forced: Cell::new(false),
            panicking_before: Cell::new(false),
            in_doubt: Cell::new(false),
            site,
            pool: Cell::new(pool),
        };
        Self { body: Body::new(exchange, body), fiber: None, base: 0 }
    }

    /// It begins with a context of its own, or in that of whoever resumes it.
    pub(crate) fn set_own_context(&self, own: bool) {
        let begins = &self.body.exchange().begins;
        if begins.get() != Begins::Already {
            begins.set(if own { Begins::InItsOwn } else { Begins::InTheirs });
        }
    }

    /// Gives the body a stack. Without one it never runs.
    #[inline(never)]
    pub(crate) fn begin(&mut self) -> Result<(), StackError> {
        let exchange = self.body.exchange();
        let site = exchange.site;
        let stack = match exchange.pool.take() {
            Some(pool) => Stack::take(&pool, site)?,
            None => StackPool::with_usual(|pool| Stack::take(pool, site))?,
        };
        self.base = stack.base().get();
        self.fiber = Some(self.body.begin(stack));
        Ok(())
    }

    /// Ends a body that is suspended.
    #[cold]
    #[inline(never)]
    fn unwind(&self, mut fiber: Fiber<R, E>) {
        if !fiber.started() {
            return;
        }
        let exchange = self.body.exchange();
        exchange.forced.set(true);
        exchange.panicking_before.set(thread::panicking());
        command::give(Command::Unwind);
        match fiber.resume(()) {
            CoroutineResult::Return(Ok(result)) => drop(result),
            CoroutineResult::Return(Err(payload)) if command::is_unwinding(&*payload) => (),
            CoroutineResult::Return(Err(payload)) => {
                drop(fiber);
                resume_unwind(payload);
            }
            CoroutineResult::Yield(()) => {
                std::mem::forget(fiber);
                exchange.site.report_leak();
            }
        }
    }
}

impl<S, Y, R, E> Drop for Engine<S, Y, R, E> {
    fn drop(&mut self) {
        backend::Engine::end(self);
    }
}

impl<S, Y, R, E> fmt::Debug for Engine<S, Y, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("airlock", &self.body.exchange().airlock).finish_non_exhaustive()
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
        &self.body.exchange().airlock
    }

    #[inline(always)]
    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<R, Thrown<E>>> {
        let panicking = thread::panicking();
        let exchange = self.body.exchange();
        if panicking != exchange.panicking_before.get() {
            exchange.panicking_before.set(panicking);
            // Without a panic there is none of its own either.
            exchange.in_doubt.set(panicking && exchange.in_doubt.get());
        }
        if self.fiber.is_none() && self.begin().is_err() {
            return Progress::Ended(Err(Thrown::Misuse(MisuseKind::NoStack)));
        }
        let Some(fiber) = &mut self.fiber else { unreachable!("it has begun") };
        match self.body.exchange().airlock.run_with_wake(wake, || fiber.resume(())) {
            CoroutineResult::Yield(()) => Progress::Suspended,
            CoroutineResult::Return(Ok(result)) => Progress::Ended(result),
            CoroutineResult::Return(Err(payload)) => resume_unwind(payload),
        }
    }

    fn fetch(&self) {
        fetch_beneath(self.base);
    }

    #[inline(always)]
    fn end(&mut self) {
        if self.body.exchange().begins.replace(Begins::Already) != Begins::Already {
            self.body.discard();
        }
        if let Some(fiber) = self.fiber.take()
            && !fiber.done()
        {
            self.unwind(fiber);
        }
    }

    fn own_stack(&mut self) -> OwnStack {
        let suspended = |fiber: &&mut Fiber<R, E>| fiber.started() && !fiber.done();
        let Some(fiber) = self.fiber.as_mut().filter(suspended) else { return OwnStack::None };
        if cfg!(any(miri, coro_threads)) {
            return OwnStack::Unsupported;
        }
        command::give(Command::Probe);
        match fiber.resume(()) {
            CoroutineResult::Yield(()) => command::take_captured(),
            CoroutineResult::Return(_) => unreachable!("it suspends again, and runs nothing of its body"),
        }
    }
}

impl Site {
    /// The body of a fiber that was dropped did not end: its stack is left as it is, for ever.
    #[cold]
    fn report_leak(self) {
        let Self { name, made_at } = self;
        let flavour = Some(Flavour::Fiber);
        let info = FrameInfo { flavour, name, made_at: Some(made_at), state: State::Running };
        event_loop::report(Exception::Leaked(info));
    }
}
