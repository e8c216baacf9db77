//! A semaphore that never has more permits than at first: asyncio's.

use std::fmt;

use super::semaphore::{Acquire, Permit, Semaphore, Statistics, WouldWait};

/// A [`Semaphore`] whose permits cannot become more: what is released must have been taken.
///
/// Guards give back what they took, and cannot do it twice. What [`release`](Self::release) can be called too often for
/// are permits without a guard, [forgotten](Permit::forget) ones.
///
/// # Examples
///
/// ```
/// use coro_core::sync::BoundedSemaphore;
/// use coro_core::sync::bounded_semaphore::ReleasedTooOften;
///
/// let desks = BoundedSemaphore::new(1);
/// desks.try_acquire().unwrap().forget();
/// assert_eq!(desks.release(), Ok(()));
/// assert_eq!(desks.release(), Err(ReleasedTooOften));
/// ```
///
/// # References
///
/// [`asyncio.BoundedSemaphore`](https://docs.python.org/3/library/asyncio-sync.html#asyncio.BoundedSemaphore).
#[derive(Clone)]
pub struct BoundedSemaphore(Semaphore);

/// [`BoundedSemaphore::release`] was called more often than permits were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "released too often: call release() once for each permit that was forgotten; a guard releases its own"
)]
pub struct ReleasedTooOften;

impl BoundedSemaphore {
    /// A semaphore that has `value` permits, and never more.
    pub fn new(value: usize) -> Self {
        Self(Semaphore::new(value))
    }

    /// See [`Semaphore::acquire`].
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn acquire(&self) -> Acquire {
        self.0.acquire()
    }

    /// See [`Semaphore::try_acquire`].
    ///
    /// # Errors
    ///
    /// [`WouldWait`].
    pub fn try_acquire(&self) -> Result<Permit, WouldWait> {
        self.0.try_acquire()
    }

    /// Gives back a permit whose guard was [forgotten](Permit::forget).
    ///
    /// # Errors
    ///
    /// [`ReleasedTooOften`], and nothing changes.
    pub fn release(&self) -> Result<(), ReleasedTooOften> {
        if self.0.release_forgotten() { Ok(()) } else { Err(ReleasedTooOften) }
    }

    /// See [`Semaphore::is_locked`].
    pub fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        self.0.statistics()
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoundedSemaphore").field(&self.0).finish()
    }
}
