//! Mutual exclusion between tasks: asyncio's lock, around a value.

mod guard;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub use guard::Guard;
use guard::Guarded;

use super::{Line, Place};
use crate::event_loop::{Core, Wanted, Word};

/// A value that one task at a time may use, across its waits.
///
/// It is fair: when it is released it is promised to whoever has waited longest, and who comes meanwhile waits behind.
/// A cancelled wait passes the promise on. Without a value, write `Lock<()>`. Cloning gives another handle to the same
/// lock.
///
/// A [`Guard`] borrows nothing, so that any body can hold it. A panic while it is held releases it, as an exception does in
/// Python.
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
    guarded: Guarded<T>,
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
        Self(Rc::new(Shared { guarded: Guarded::new(value), line: Line::of(Wanted::Lock) }))
    }

    /// Waits for the lock; not at all if it is free. The guard releases it when it is dropped.
    ///
    /// Who holds it and locks it again waits for ever, unless it is cancelled.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has locked nothing, and the next in line is served.
    #[inline(always)]
    pub fn lock(&self) -> Acquire<T> {
        Acquire { lock: Some(Rc::clone(&self.0)), place: Place::NONE }
    }

    /// Locks it, if it is free.
    ///
    /// # Errors
    ///
    /// [`WouldWait`], also if it is unlocked and somebody who waited has not run yet.
    pub fn try_lock(&self) -> Result<Guard<T>, WouldWait> {
        take(&mut Some(Rc::clone(&self.0)), false).ok_or(WouldWait)
    }

    /// Whether a guard exists. An unlocked lock can still be promised to one who waits.
    pub fn is_locked(&self) -> bool {
        self.0.guarded.state() == State::Locked
    }

    /// Whether both are handles to one lock.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        let promised = usize::from(self.0.guarded.state() == State::Promised);
        Statistics { locked: self.is_locked(), waiting: self.0.line.len() + promised }
    }
}

/// Locks it for one who was called, or who finds it free.
#[inline(always)]
fn take<T>(lock: &mut Option<Rc<Shared<T>>>, called: bool) -> Option<Guard<T>> {
    let guard = Guard::take(lock, if called { State::Promised } else { State::Free })?;
    guard.shared().line.set_holder(Core::current_word());
    Some(guard)
}

impl<T> Shared<T> {
    /// It is free: for the next in line, if there is one.
    #[inline(always)]
    fn release(&self) {
        self.line.set_holder(Word::NOBODY);
        if !self.line.is_empty() {
            self.promise();
        }
    }

    /// Calls the next one in line, if one is there.
    fn promise(&self) {
        // Before the call: a foreign waker may come back here.
        self.guarded.promise(State::Promised);
        if !self.line.call_next_present() {
            // Those who waited are cancelled.
            self.guarded.promise(State::Free);
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
        f.debug_struct("Lock").field("state", &self.0.guarded.state()).finish_non_exhaustive()
    }
}

/// A [`Lock::lock`] on its way.
///
/// # Panics
///
/// When it is polled again after it has given the lock, as any future may.
#[must_use = "a lock is not taken until it is awaited"]
pub struct Acquire<T> {
    /// `None` once it has been given.
    lock: Option<Rc<Shared<T>>>,
    place: Place,
}

impl<T> Future for Acquire<T> {
    type Output = Guard<T>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Guard<T>> {
        let Self { lock, place } = &mut *self;
        // Most locks are free.
        if place.is_none()
            && let Some(guard) = take(lock, false)
        {
            return Poll::Ready(guard);
        }
        wait(lock, place, cx)
    }
}

/// Waits in line for it.
#[inline(never)]
fn wait<T>(lock: &mut Option<Rc<Shared<T>>>, place: &mut Place, cx: &Context<'_>) -> Poll<Guard<T>> {
    let Some(shared) = lock.clone() else {
        panic!("an Acquire was polled after it gave the lock: await it once")
    };
    shared.line.wait(place, cx, |called| take(lock, called))
}

impl<T> Drop for Acquire<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.place.is_none() {
            self.leave();
        }
    }
}

impl<T> Acquire<T> {
    /// Leaves the line, and passes on what it was promised.
    fn leave(&mut self) {
        if let Some(shared) = &self.lock
            && shared.line.leave(&mut self.place)
        {
            shared.promise();
        }
    }
}

impl<T> fmt::Debug for Acquire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("waiting", &!self.place.is_none()).finish_non_exhaustive()
    }
}
