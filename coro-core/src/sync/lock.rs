//! Mutual exclusion between tasks: asyncio's lock, around a value.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{Line, Place};
use crate::event_loop::{Core, Wanted, Word};

/// A value that one task at a time may use, across its waits.
///
/// It is fair: when it is released it is promised to whoever has waited longest, and who comes meanwhile waits behind.
/// A cancelled wait passes the promise on. Without a value, write `Lock<()>`. Cloning gives another handle to the same
/// lock.
///
/// The value moves into the [`Guard`] and back, so that a guard borrows nothing and any body can hold it: put a large
/// one in a box. A panic while it is held releases it, as an exception does in Python.
///
/// ```text
///            lock, try_lock
///    Free ───────────────────▶ Locked ◀──────────────┐
///     ▲                          │                    │ the called one runs
///     │  released, nobody waits  │  released, one waits
///     ├──────────────────────────┴───────────────▶ Promised ──┐ the called one is dropped,
///     │   the called one is dropped, nobody waits     │  ▲    │ one waits
///     └───────────────────────────────────────────────┘  └────┘
/// ```
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, gather, native::spawn, sync::Lock, time::yield_now};
///
/// let balance = Loop::simulated().run(async {
///     let account = Lock::new(100);
///     let deposits = (0..3).map(|_| {
///         let account = account.clone();
///         spawn(async move {
///             let mut balance = account.lock().await;
///             let before = *balance;
///             yield_now().await;
///             *balance = before + 10;
///         })
///     });
///     gather(deposits).await.unwrap();
///     *account.lock().await
/// });
/// assert_eq!(balance.unwrap(), 130);
/// ```
///
/// # References
///
/// [`asyncio.Lock`](https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock). Its error for releasing a lock
/// that is not locked cannot happen here: only a guard releases, once.
pub struct Lock<T>(Rc<Shared<T>>);

struct Shared<T> {
    state: Cell<State>,
    /// `None` while it is locked: the guard has it.
    value: Cell<Option<T>>,
    line: Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody waits.
    Free,
    Locked,
    /// Unlocked, but one who waited has been called and has not run.
    Promised,
}

/// [`Lock::try_lock`] would have to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lock is locked, or promised to one who waits: wait with lock()")]
pub struct WouldWait;

/// What a lock looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Whether a guard exists.
    pub locked: bool,
    /// How many wait, with the one that has been promised the lock and has not run.
    pub waiting: usize,
}

impl<T> Lock<T> {
    /// An unlocked lock around `value`.
    pub fn new(value: T) -> Self {
        let (state, value) = (Cell::new(State::Free), Cell::new(Some(value)));
        Self(Rc::new(Shared { state, value, line: Line::of(Wanted::Lock) }))
    }

    /// Waits for the lock; not at all if it is free. The guard releases it when it is dropped.
    ///
    /// Who holds it and locks it again waits for ever, unless it is cancelled.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has locked nothing, and the next in line is served.
    pub fn lock(&self) -> Acquire<T> {
        Acquire { lock: self.clone(), place: Place::NONE }
    }

    /// Locks it, if it is free.
    ///
    /// # Errors
    ///
    /// [`WouldWait`], also if it is unlocked and somebody who waited has not run yet.
    pub fn try_lock(&self) -> Result<Guard<T>, WouldWait> {
        self.take(false).ok_or(WouldWait)
    }

    /// Whether a guard exists. An unlocked lock can still be promised to one who waits.
    pub fn is_locked(&self) -> bool {
        self.0.state.get() == State::Locked
    }

    /// Whether both are handles to one lock.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        let promised = usize::from(self.0.state.get() == State::Promised);
        Statistics { locked: self.is_locked(), waiting: self.0.line.len() + promised }
    }

    /// Locks it for one who was called, or who finds it free.
    #[inline]
    fn take(&self, called: bool) -> Option<Guard<T>> {
        if !called && self.0.state.get() != State::Free {
            return None;
        }
        let value = self.0.value.take()?;
        self.0.state.set(State::Locked);
        self.0.line.set_holder(Core::current_word());
        Some(Guard { lock: self.clone(), value: Some(value) })
    }
}

impl<T> Shared<T> {
    fn release(&self) {
        self.line.set_holder(Word::NOBODY);
        // Before the call: a foreign waker may come back here.
        self.state.set(if self.line.is_empty() { State::Free } else { State::Promised });
        if !self.line.call_next_present() {
            // Those who waited are cancelled.
            self.state.set(State::Free);
        }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for Lock<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("state", &self.0.state.get()).finish_non_exhaustive()
    }
}

/// A [`Lock::lock`] on its way.
#[must_use = "a lock is not taken until it is awaited"]
pub struct Acquire<T> {
    lock: Lock<T>,
    place: Place,
}

impl<T> Future for Acquire<T> {
    type Output = Guard<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Guard<T>> {
        let Self { lock, place } = &mut *self;
        lock.0.line.poll(place, cx, |called| lock.take(called))
    }
}

impl<T> Drop for Acquire<T> {
    fn drop(&mut self) {
        if self.lock.0.line.leave(&mut self.place) {
            self.lock.0.release();
        }
    }
}

impl<T> fmt::Debug for Acquire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acquire").field(&self.lock).finish()
    }
}

/// The value of a [`Lock`], which is locked while this exists.
#[must_use = "a guard that is dropped at once has locked nothing"]
pub struct Guard<T> {
    lock: Lock<T>,
    /// `Some` until it is dropped.
    value: Option<T>,
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("only a drop takes the value out of a guard"),
        }
    }
}

impl<T> DerefMut for Guard<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("only a drop takes the value out of a guard"),
        }
    }
}

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        self.lock.0.value.set(self.value.take());
        self.lock.0.release();
    }
}

impl<T: fmt::Debug> fmt::Debug for Guard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&**self).finish()
    }
}
