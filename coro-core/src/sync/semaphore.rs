//! A number of permits: asyncio's semaphore.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::holders::{Holders, Key};
use super::permits::Permits;
use super::{Line, Place};
use crate::event_loop::{Wanted, Word};
use crate::task::Canceller;

/// So many permits, which tasks take and give back.
///
/// It is fair: a permit that is given back is promised to whoever has waited longest, and who comes meanwhile waits
/// behind, even if there are more. A cancelled wait gives back what it was promised. Cloning gives another handle to
/// the same semaphore.
///
/// One that must never have more permits than at first is a [`BoundedSemaphore`](super::BoundedSemaphore); one that knows
/// its borrowers, and whose size can change, a [`CapacityLimiter`](super::CapacityLimiter).
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, gather, native::spawn, sync::Semaphore, time};
/// use std::time::Duration;
///
/// let ended = Loop::simulated().run(async {
///     let two_at_once = Semaphore::new(2);
///     let downloads = (0..6).map(|_| {
///         let two_at_once = two_at_once.clone();
///         spawn(async move {
///             let _permit = two_at_once.acquire().await;
///             time::sleep(Duration::from_secs(1)).await;
///         })
///     });
///     gather(downloads).await.unwrap();
///     time::now().as_secs_f64()
/// });
/// assert_eq!(ended.unwrap(), 3.0);
/// ```
///
/// # References
///
/// [`asyncio.Semaphore`](https://docs.python.org/3/library/asyncio-sync.html#asyncio.Semaphore). What its `release` is
/// for most of the time, the drop of a [`Permit`] does.
#[derive(Clone)]
pub struct Semaphore(Rc<Shared>);

struct Shared {
    permits: Permits,
    holders: Holders,
    /// How many permits were taken for good, and can still be given back one by one.
    forgotten: Cell<usize>,
}

/// [`Semaphore::try_acquire`] would have to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no permit is free, or others wait for one: wait with acquire()")]
pub struct WouldWait;

/// [`Semaphore::release`] found as many permits as can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the semaphore has as many permits as can be counted: release() makes one more, and a dropped permit is back already"
)]
pub struct TooManyPermits;

const AGAIN: &str = "an Acquire was polled after it gave a permit: await it once";

/// What a semaphore looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many permits nobody has.
    pub value: usize,
    /// How many guards exist.
    pub held: usize,
    /// How many tasks wait, with those that have been promised a permit and have not run.
    pub waiting: usize,
}

impl Semaphore {
    /// A semaphore of `value` permits: none is possible, more than `isize::MAX` count as that.
    pub fn new(value: usize) -> Self {
        let value = isize::try_from(value).unwrap_or(isize::MAX);
        let holders = Holders::default();
        let permits = Permits::new(value, Line::held_by(Wanted::Permit, &holders));
        Self(Rc::new(Shared { permits, holders, forgotten: Cell::new(0) }))
    }

    /// Waits for a permit; not at all if one is free and nobody waits. The guard gives it back when it is dropped.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has taken nothing, and those in line are served.
    #[inline(always)]
    pub fn acquire(&self) -> Acquire {
        Acquire { semaphore: Some(self.clone()), place: Place::NONE }
    }

    /// Takes a permit, if one is free and nobody waits.
    ///
    /// # Errors
    ///
    /// [`WouldWait`], also if somebody who waited has been promised one and has not run yet.
    pub fn try_acquire(&self) -> Result<Permit, WouldWait> {
        if self.0.permits.try_take() { Ok(self.clone().into_permit()) } else { Err(WouldWait) }
    }

    /// Adds a permit that no guard gives back: one that was [forgotten](Permit::forget), or a new one.
    ///
    /// # Errors
    ///
    /// [`TooManyPermits`], and nothing changes, when there are `isize::MAX`.
    pub fn release(&self) -> Result<(), TooManyPermits> {
        if self.0.permits.free() == isize::MAX.unsigned_abs() {
            return Err(TooManyPermits);
        }
        self.0.forgotten.set(self.0.forgotten.get().saturating_sub(1));
        self.0.permits.add(1);
        Ok(())
    }

    /// [`release`](Self::release), if a permit was forgotten. False if none was.
    pub(super) fn release_forgotten(&self) -> bool {
        let forgotten = self.0.forgotten.get();
        forgotten > 0 && self.release().is_ok()
    }

    /// Whether who comes now has to wait: for a permit, or for those before it.
    pub fn is_locked(&self) -> bool {
        self.0.permits.is_locked()
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            value: self.0.permits.free(),
            held: self.0.holders.len(),
            waiting: self.0.permits.waiting(),
        }
    }

    /// One that has been taken.
    #[inline(always)]
    fn into_permit(self) -> Permit {
        let key = self.0.holders.enter();
        Permit { semaphore: self, key }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statistics { value, held, waiting } = self.statistics();
        f.debug_struct("Semaphore")
            .field("value", &value)
            .field("held", &held)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// A [`Semaphore::acquire`] on its way.
///
/// # Panics
///
/// When it is polled again after it has given a permit, as any future may.
#[must_use = "a permit is not taken until this is awaited"]
pub struct Acquire {
    /// `None` once a permit has been given.
    semaphore: Option<Semaphore>,
    place: Place,
}

impl Future for Acquire {
    type Output = Permit;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let Self { semaphore, place } = &mut *self;
        let polled = match semaphore {
            Some(semaphore) => semaphore.0.permits.poll(place, cx),
            None => Poll::Ready(()),
        };
        polled.map(|()| semaphore.take().expect(AGAIN).into_permit())
    }
}

impl Drop for Acquire {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(semaphore) = &self.semaphore {
            semaphore.0.permits.leave(&mut self.place);
        }
    }
}

impl fmt::Debug for Acquire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("waiting", &!self.place.is_none()).finish_non_exhaustive()
    }
}

/// A permit of a [`Semaphore`], or of a [`BoundedSemaphore`](super::BoundedSemaphore), which has it back when this is
/// dropped.
#[must_use = "a permit that is dropped at once is given back at once"]
pub struct Permit {
    semaphore: Semaphore,
    /// Among the holders.
    key: Key,
}

impl Permit {
    /// Says who has it, for reports of who waits for whom. At first that is the task that took it; one that takes a permit
    /// for another task names that one, and `None` is for a permit that no task will give back.
    pub fn set_holder(&self, task: Option<&Canceller>) {
        self.semaphore.0.holders.rename(&self.key, task.map_or(Word::NOBODY, Canceller::word));
    }

    /// Keeps the permit taken without a guard, until somebody [releases](Semaphore::release) it.
    pub fn forget(mut self) {
        let shared = &self.semaphore.0;
        if shared.holders.leave(&mut self.key) {
            shared.forgotten.set(shared.forgotten.get() + 1);
        }
    }
}

impl Drop for Permit {
    #[inline(always)]
    fn drop(&mut self) {
        if self.semaphore.0.holders.leave(&mut self.key) {
            self.semaphore.0.permits.add(1);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.semaphore).finish()
    }
}
