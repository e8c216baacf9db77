//! A job, between those who run it and those who wait for it.
//!
//! ```text
//!   Waiting ── 1 ──▶ Running ── 2 ──▶ Over ── 3 ──▶ Gone
//!      │                │              ▲             ▲
//!      ├────── 4 ───────┼──────────────┘             │
//!      └────── 5 ───────┴──────── 6 ─────────────────┘
//! ```
//!
//! 1. [`Work::run`] takes the function. 2. It is over. 3. [`JobCell::poll`] or [`JobCell::wait`] takes the result.
//! 4. [`Work::refuse`], by a pool, or whoever cancels. 5. [`JobCell::withdraw`]: nobody wants it, and it has not begun.
//! 6. It is over, and nobody reads the result (`unread`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::JobError;
use crate::event_loop::{Inbox, Unheard};
use crate::task::Panic;
use crate::threads::{Condvar, Mutex, MutexGuard};

type Function<T> = Box<dyn FnOnce() -> T + Send>;

enum Stage<T> {
    Waiting(Function<T>),
    Running,
    Over(Result<T, JobError>),
    Gone,
}

struct State<T> {
    stage: Stage<T>,
    waker: Option<Waker>,
    /// Nobody will read the result.
    unread: bool,
    /// The loop that is to hear of a panic that nobody reads.
    home: Option<Arc<Inbox>>,
}

/// See the documentation of the module.
pub(crate) struct JobCell<T> {
    state: Mutex<State<T>>,
    /// For threads that wait.
    over: Condvar,
}

/// A job of any type, as those see it who run it.
///
/// What its end leaves untold is given back, or printed.
pub(crate) trait Work: Send + Sync {
    /// Runs it, if it has not begun.
    fn run(&self) -> Option<Unheard>;

    /// Ends it, if it has not begun. Says whether it did.
    fn refuse(&self, why: JobError) -> (bool, Option<Unheard>);

    /// Whether it has not begun, nor ended.
    fn is_waiting(&self) -> bool;
}

impl<T> JobCell<T> {
    pub(crate) fn new(function: impl FnOnce() -> T + Send + 'static, home: Option<Arc<Inbox>>) -> Self {
        let stage = Stage::Waiting(Box::new(function) as Function<T>);
        Self { state: Mutex::new(State { stage, waker: None, unread: false, home }), over: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing of the user's runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result, once; else `waker` is woken when there is one.
    ///
    /// # Panics
    ///
    /// If it was taken before.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Result<T, JobError>> {
        // Foreign code, to be run outside of the lock.
        let waker = waker.clone();
        let mut state = self.lock();
        match state.take_result() {
            Some(result) => {
                drop(state);
                Poll::Ready(result)
            }
            None => {
                let outdated = state.waker.replace(waker);
                drop(state);
                drop(outdated);
                Poll::Pending
            }
        }
    }

    /// Blocks the thread until it is over, but no longer than this.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Option<Result<T, JobError>> {
        let state = self.lock();
        let waits = |state: &mut State<T>| matches!(state.stage, Stage::Waiting(_) | Stage::Running);
        let mut state = match timeout {
            None => block(&self.over, state, waits),
            Some(timeout) => block_for(&self.over, state, timeout, waits),
        };
        state.take_result()
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.lock().stage, Stage::Over(_) | Stage::Gone)
    }

    /// Whether it was begun, not refused.
    pub(crate) fn has_begun(&self) -> bool {
        match &self.lock().stage {
            Stage::Waiting(_) => false,
            Stage::Running | Stage::Gone => true,
            Stage::Over(result) => matches!(result, Ok(_) | Err(JobError::Panicked(_))),
        }
    }

    /// Names the loop that is to hear of a panic that nobody reads.
    pub(crate) fn set_home(&self, home: Arc<Inbox>) {
        let outdated = self.lock().home.replace(home);
        drop(outdated);
    }

    /// Nobody will read the result; it is run all the same.
    pub(crate) fn forgo(&self) -> Option<Unheard> {
        let mut state = self.lock();
        state.unread = true;
        let waker = state.waker.take();
        let over = match state.stage {
            Stage::Over(_) => std::mem::replace(&mut state.stage, Stage::Gone),
            _ => Stage::Gone,
        };
        let home = state.home.clone();
        drop(state);
        drop(waker);
        match over {
            Stage::Over(result) => Unheard::of(unread(result), home),
            _ => None,
        }
    }

    /// Nobody will read the result; if it has not begun, it never does.
    pub(crate) fn withdraw(&self) -> Option<Unheard> {
        let mut state = self.lock();
        if !matches!(state.stage, Stage::Waiting(_)) {
            drop(state);
            return self.forgo();
        }
        let withdrawn = std::mem::replace(&mut state.stage, Stage::Gone);
        let (waker, home) = (state.waker.take(), state.home.clone());
        drop(state);
        drop(waker);
        Unheard::of(let_go(withdrawn), home)
    }

    fn finish(&self, result: Result<T, JobError>) -> Option<Unheard> {
        let mut state = self.lock();
        let home = state.home.take();
        if state.unread {
            state.stage = Stage::Gone;
            drop(state);
            return Unheard::of(unread(result), home);
        }
        state.stage = Stage::Over(result);
        let waker = state.waker.take();
        drop(state);
        self.over.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
        None
    }
}

impl<T: Send> Work for JobCell<T> {
    fn run(&self) -> Option<Unheard> {
        let mut state = self.lock();
        if !matches!(state.stage, Stage::Waiting(_)) {
            return None;
        }
        let begun = std::mem::replace(&mut state.stage, Stage::Running);
        drop(state);
        let Stage::Waiting(function) = begun else { return None };
        let result = catch_unwind(AssertUnwindSafe(function));
        self.finish(result.map_err(|payload| JobError::Panicked(Panic::new(payload))))
    }

    fn refuse(&self, why: JobError) -> (bool, Option<Unheard>) {
        let mut state = self.lock();
        if !matches!(state.stage, Stage::Waiting(_)) {
            return (false, None);
        }
        let end = if state.unread { Stage::Gone } else { Stage::Over(Err(why)) };
        let refused = std::mem::replace(&mut state.stage, end);
        let (waker, home) = (state.waker.take(), state.home.take());
        drop(state);
        self.over.notify_all();
        let panic = let_go(refused);
        if let Some(waker) = waker {
            waker.wake();
        }
        (true, Unheard::of(panic, home))
    }

    fn is_waiting(&self) -> bool {
        matches!(self.lock().stage, Stage::Waiting(_))
    }
}

impl<T> State<T> {
    fn take_result(&mut self) -> Option<Result<T, JobError>> {
        match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Over(result) => Some(result),
            Stage::Gone => panic!("a Job was polled after it gave its result: await it once"),
            stage => {
                self.stage = stage;
                None
            }
        }
    }
}

/// What a result that nobody reads leaves to tell.
fn unread<T>(result: Result<T, JobError>) -> Option<Panic> {
    match result {
        Err(JobError::Panicked(panic)) => Some(panic),
        result => let_go(result),
    }
}

/// Drops what may have a destructor of the user's.
fn let_go<V>(value: V) -> Option<Panic> {
    catch_unwind(AssertUnwindSafe(|| drop(value))).err().map(Panic::new)
}

fn block<'a, S>(
    condvar: &Condvar,
    mut guard: MutexGuard<'a, S>,
    waits: impl Fn(&mut S) -> bool,
) -> MutexGuard<'a, S> {
    while waits(&mut guard) {
        guard = condvar.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
    guard
}

fn block_for<'a, S>(
    condvar: &Condvar,
    mut guard: MutexGuard<'a, S>,
    timeout: Duration,
    waits: impl Fn(&mut S) -> bool,
) -> MutexGuard<'a, S> {
    let started = std::time::Instant::now();
    while waits(&mut guard) {
        let left = timeout.saturating_sub(started.elapsed());
        if left.is_zero() {
            break;
        }
        guard = condvar.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    guard
}
