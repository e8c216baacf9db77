//! A thread for each fiber, of which one runs at a time: what a switch of stacks is above the switch, and Miri understands.
//!
//! Whoever resumes a fiber waits until it suspends or has ended, and a fiber that is suspended until it is resumed. The two
//! hand each other the turn through a lock, so that each sees what the other did. The thread of a fiber that has ended is
//! joined, and a fiber that is forgotten leaves its thread waiting for ever.
//!
//! What differs from a switch: `std::thread::panicking()` and the `thread_local!`s of others are those of the fiber's own
//! thread. Ours are those of the thread that resumes it, see [`coro_core::local`].

#![allow(unsafe_code)]

use std::io;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use coro_core::local::Adoptable;
use corosensei::stack::StackPointer;

/// As `corosensei::CoroutineResult`.
pub(crate) enum CoroutineResult<Yield, Return> {
    Yield(Yield),
    Return(Return),
}

/// Whose turn it is.
enum Turn<R> {
    /// The fiber's.
    Fiber,
    /// That of whoever resumed it.
    Suspended,
    /// The same, for the last time.
    Ended(thread::Result<R>),
    /// The end has been noticed.
    Over,
}

struct Baton<R> {
    turn: Mutex<Turn<R>>,
    passed: Condvar,
}

/// What goes to another thread that must not by its type.
struct Across<T>(T);

// SAFETY: it is made and used in this module only, for what passes between the thread of a fiber and the one that resumes
// it. One of the two runs at a time, and passes the turn under a lock, so nothing is used by both at once, and each sees all
// that the other did. To them it is as if both were one thread, and their thread-locals, as far as they are ours, are
// the same; others are not, which is why this is for tests only.
unsafe impl<T> Send for Across<T> {}

impl<T> Across<T> {
    /// By a method, so that a closure takes the whole of it.
    fn into_inner(self) -> T {
        self.0
    }
}

impl<R> Baton<R> {
    fn lock(&self) -> MutexGuard<'_, Turn<R>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, turn: Turn<R>) {
        *self.lock() = turn;
        self.passed.notify_all();
    }

    fn wait(&self, is_mine: impl Fn(&Turn<R>) -> bool) -> MutexGuard<'_, Turn<R>> {
        let mut turn = self.lock();
        while !is_mine(&turn) {
            turn = self.passed.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        turn
    }
}

/// The fiber's end: as `corosensei::Yielder`.
pub(crate) struct Yielder<Input, Yield> {
    /// Gives the turn away until it is back.
    suspend: Box<dyn Fn()>,
    of: PhantomData<fn(Input) -> Yield>,
}

impl Yielder<(), ()> {
    pub(crate) fn suspend(&self, (): ()) {
        (self.suspend)();
    }
}

/// What a fiber here needs of a stack.
#[derive(Debug)]
pub(crate) struct DefaultStack(());

impl DefaultStack {
    pub(crate) fn new(_stack_bytes: usize) -> io::Result<Self> {
        Ok(Self(()))
    }

    pub(crate) fn base(&self) -> StackPointer {
        StackPointer::MAX
    }

    pub(crate) fn limit(&self) -> StackPointer {
        StackPointer::MIN
    }
}

/// As `corosensei::Coroutine`, but for the drop: whoever has one ends it. Its stack is only kept.
pub(crate) struct Coroutine<Input, Yield, Return, Stack> {
    /// Until it begins.
    body: Option<Body<Input, Yield, Return>>,
    baton: Arc<Baton<Return>>,
    thread: Option<JoinHandle<()>>,
    begin: Begin<Input, Yield, Return>,
    _stack: Stack,
    /// It never leaves the thread that resumes it.
    not_send: PhantomData<Rc<()>>,
}

/// Kept from when the types were known to be `'static`.
type Begin<Input, Yield, Return> = fn(Body<Input, Yield, Return>, Arc<Baton<Return>>) -> JoinHandle<()>;

type Body<Input, Yield, Return> = Box<dyn FnOnce(&Yielder<Input, Yield>) -> Return>;

impl<Return, Stack> Coroutine<(), (), Return, Stack> {
    pub(crate) fn with_stack(
        stack: Stack,
        body: impl FnOnce(&Yielder<(), ()>, ()) -> Return + 'static,
    ) -> Self
    where
        Return: 'static,
    {
        let baton = Arc::new(Baton { turn: Mutex::new(Turn::Suspended), passed: Condvar::new() });
        let body: Body<(), (), Return> = Box::new(move |yielder| body(yielder, ()));
        Self {
            begin: begin::<Return>,
            body: Some(body),
            baton,
            thread: None,
            _stack: stack,
            not_send: PhantomData,
        }
    }

    pub(crate) fn resume(&mut self, (): ()) -> CoroutineResult<(), Return> {
        match self.turn() {
            None => CoroutineResult::Yield(()),
            Some(Ok(value)) => CoroutineResult::Return(value),
            Some(Err(payload)) => resume_unwind(payload),
        }
    }

    pub(crate) fn done(&self) -> bool {
        self.body.is_none() && matches!(*self.baton.lock(), Turn::Over)
    }

    pub(crate) fn started(&self) -> bool {
        self.body.is_none()
    }

    /// Lets the fiber run until it suspends, which is `None`, or ends.
    fn turn(&mut self) -> Option<thread::Result<Return>> {
        self.baton.give(Turn::Fiber);
        if let Some(body) = self.body.take() {
            self.thread = Some((self.begin)(body, Arc::clone(&self.baton)));
        }
        let mut turn = self.baton.wait(|turn| !matches!(turn, Turn::Fiber));
        if let Turn::Suspended = *turn {
            return None;
        }
        let Turn::Ended(result) = std::mem::replace(&mut *turn, Turn::Over) else {
            unreachable!("a fiber that is over is not resumed")
        };
        drop(turn);
        // Until nothing of it runs any more.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        Some(result)
    }
}

/// The thread of a fiber, whose turn it is.
fn begin<R: 'static>(body: Body<(), (), R>, baton: Arc<Baton<R>>) -> JoinHandle<()> {
    let (across, locals) = (Across((body, baton)), Adoptable::current());
    thread::spawn(move || {
        // SAFETY: this thread runs when it has the turn, while the one that it belongs to waits for it. That joins this one,
        // or never hears of it again.
        unsafe { locals.adopt() };
        let (body, baton) = across.into_inner();
        let yielder = Yielder { suspend: suspends(&baton), of: PhantomData };
        let result = catch_unwind(AssertUnwindSafe(|| body(&yielder)));
        drop(yielder);
        baton.give(Turn::Ended(result));
    })
}

fn suspends<R: 'static>(baton: &Arc<Baton<R>>) -> Box<dyn Fn()> {
    let baton = Arc::clone(baton);
    Box::new(move || {
        baton.give(Turn::Suspended);
        drop(baton.wait(|turn| matches!(turn, Turn::Fiber)));
    })
}
