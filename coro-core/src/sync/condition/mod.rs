//! Waiting for others to change what a lock guards: asyncio's condition.

mod wait;

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::Line;
use super::lock::{self, Guard, Lock, WouldWait};
use crate::event_loop::Wanted;
pub use wait::{Wait, WaitFor};

/// A value under a lock, and a line of those who wait until others have changed it.
///
/// [`lock`](Self::lock) gives a [`Held`], through which the value is used and everything else is done: so to wait or to
/// notify without the lock cannot be written. Several conditions can share one lock ([`with_lock`](Self::with_lock));
/// [`Held::at`] goes from one to the other.
///
/// A wait lets go of the lock, waits to be notified, and has the lock again when it is over. Look again then: others may
/// have been there first. [`Held::wait_for`] does that.
///
/// # Cancellation
///
/// A notification is never lost: a wait that is given up after it was notified notifies the next one.
///
/// A wait that is *dropped* (a plain `.await` of a native body that is cancelled or loses a race) has let go of the lock
/// for good. A body that goes on after the cancellation, as Python's does, waits with `co.settle(held.wait())`, in every
/// flavour: what is thrown at it, once or again and again, comes out when it has the lock again, with the [`Held`].
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, native::spawn, sync::Condition, time::yield_now};
///
/// let seen = Loop::simulated().run(async {
///     let level = Condition::new(0);
///     let waiter = spawn({
///         let level = level.clone();
///         async move { *level.lock().await.wait_for(|level| *level >= 2).await }
///     });
///     for _ in 0..3 {
///         yield_now().await;
///         let mut level = level.lock().await;
///         *level += 1;
///         level.notify_all();
///     }
///     waiter.await.unwrap()
/// });
/// // It had to lock it again, after who was there before.
/// assert!(seen.unwrap() >= 2);
/// ```
///
/// # References
///
/// [`asyncio.Condition`](https://docs.python.org/3/library/asyncio-sync.html#asyncio.Condition).
pub struct Condition<T>(Rc<Shared<T>>);

struct Shared<T> {
    lock: Lock<T>,
    line: Line,
}

/// [`Held::at`] was given a condition of another lock. The lock stays held.
#[derive(thiserror::Error)]
#[error(
    "the condition belongs to another lock than the one that is held: make both with Condition::with_lock() of one lock"
)]
pub struct OtherLock<T>(pub Held<T>);

/// What a condition looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many wait to be notified.
    pub waiting: usize,
    /// Whether its lock is locked.
    pub locked: bool,
}

impl<T> Condition<T> {
    /// A condition with a lock of its own, around `value`.
    pub fn new(value: T) -> Self {
        Self::with_lock(&Lock::new(value))
    }

    /// Another condition of what `lock` guards.
    pub fn with_lock(lock: &Lock<T>) -> Self {
        Self(Rc::new(Shared { lock: lock.clone(), line: Line::of(Wanted::Notification) }))
    }

    /// Waits for the lock; not at all if it is free.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has locked nothing, and the next in line is served.
    pub fn lock(&self) -> Locking<T> {
        Locking { condition: self.clone(), acquire: self.0.lock.lock() }
    }

    /// Locks it, if it is free.
    ///
    /// # Errors
    ///
    /// [`WouldWait`], also if it is promised to somebody who waited.
    pub fn try_lock(&self) -> Result<Held<T>, WouldWait> {
        Ok(self.held(self.0.lock.try_lock()?))
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        Statistics { waiting: self.0.line.len(), locked: self.0.lock.is_locked() }
    }

    fn held(&self, guard: Guard<T>) -> Held<T> {
        Held { condition: self.clone(), guard }
    }
}

impl<T: Default> Default for Condition<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for Condition<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Condition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("waiting", &self.statistics().waiting)
            .field("lock", &self.0.lock)
            .finish()
    }
}

/// The value of a [`Condition`], whose lock is locked while this exists.
#[must_use = "a guard that is dropped at once has locked nothing"]
pub struct Held<T> {
    condition: Condition<T>,
    guard: Guard<T>,
}

impl<T> Held<T> {
    /// Lets go of the lock, waits to be notified, and locks again. It may also end when nobody notified for it: after a
    /// notification that somebody else gave up.
    ///
    /// # Cancellation
    ///
    /// Strict for the notification, which goes to the next one. Dropped, it has let go of the lock; with `co.settle` it
    /// has it again.
    pub fn wait(self) -> Wait<T> {
        Wait::new(self)
    }

    /// Waits, again and again, until `predicate` says that the value is as it should be; not at all if it is.
    ///
    /// # Cancellation
    ///
    /// As [`wait`](Self::wait). One that was interrupted under `co.settle` ends whatever the predicate says.
    pub fn wait_for<P: FnMut(&T) -> bool>(self, predicate: P) -> WaitFor<T, P> {
        WaitFor::new(self, predicate)
    }

    /// Wakes the `n` that have waited longest, or all if fewer wait. They go on when they have the lock.
    pub fn notify(&self, n: usize) {
        let line = &self.condition.0.line;
        for _ in 0..n.min(line.len()) {
            line.call_next();
        }
    }

    /// Wakes everybody who waits.
    pub fn notify_all(&self) {
        self.condition.0.line.call_all();
    }

    /// Goes over to another condition of the same lock, which stays locked.
    ///
    /// # Errors
    ///
    /// [`OtherLock`] gives it back if `condition` belongs to another lock.
    pub fn at(self, condition: &Condition<T>) -> Result<Self, OtherLock<T>> {
        if !condition.0.lock.is_same(&self.condition.0.lock) {
            return Err(OtherLock(self));
        }
        Ok(condition.held(self.guard))
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T: fmt::Debug> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&**self).finish()
    }
}

impl<T> fmt::Debug for OtherLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OtherLock").field(&self.0.condition).finish()
    }
}

/// A [`Condition::lock`] on its way.
#[must_use = "a lock is not taken until it is awaited"]
pub struct Locking<T> {
    condition: Condition<T>,
    acquire: lock::Acquire<T>,
}

impl<T> Future for Locking<T> {
    type Output = Held<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Held<T>> {
        let polled = Pin::new(&mut self.acquire).poll(cx);
        polled.map(|guard| self.condition.held(guard))
    }
}

impl<T> fmt::Debug for Locking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Locking").field(&self.condition).finish()
    }
}
