//! A lock for many readers or one writer.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::holders::{Holders, Key};
use super::marks::Marks;
use super::{Line, Place};
use crate::event_loop::Wanted;

/// A value that many tasks may read at once, or one may write.
///
/// It is fair: readers and writers stand in one line, and nobody overtakes. So a reader that comes while a writer waits
/// waits behind it, and no stream of readers keeps a writer out. A task that reads must not ask to read again: a writer
/// may wait in between. Cloning gives another handle to the same lock.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, sync::RwLock};
///
/// let sum = Loop::simulated().run(async {
///     let numbers = RwLock::new(vec![1, 2]);
///     {
///         let (one, other) = (numbers.read().await, numbers.read().await);
///         assert_eq!(one.len(), other.len());
///         assert!(numbers.try_write().is_err());
///     }
///     numbers.write().await.push(3);
///     numbers.read().await.iter().sum::<i32>()
/// });
/// assert_eq!(sum.unwrap(), 6);
/// ```
///
/// # References
///
/// Courtois, Heymans, Parnas: [Concurrent control with "readers" and "writers"](https://doi.org/10.1145/362759.362813)
/// (1971), whose two solutions starve one side each; this one is neither of them.
pub struct RwLock<T>(Rc<Shared<T>>);

struct Shared<T> {
    /// `None` while it is written. Nobody else has a reference to it when nobody reads.
    value: RefCell<Option<Rc<T>>>,
    access: Access,
}

/// Who reads and who writes, with those that were promised to.
struct Access {
    readers: Cell<usize>,
    writer: Cell<bool>,
    line: Line,
    wants: Marks<Want>,
    /// Of those who do it, not of those who may.
    holders: Holders,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Want {
    #[default]
    Read,
    Write,
}

/// [`RwLock::try_read`] or [`RwLock::try_write`] would have to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lock is in use, or promised to one who waits: wait with read() or write()")]
pub struct WouldWait;

/// What such a lock looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many read, with those that have been promised to.
    pub readers: usize,
    /// Whether one writes, or has been promised to.
    pub writer: bool,
    /// How many wait.
    pub waiting: usize,
}

impl<T> RwLock<T> {
    /// A lock that nobody uses, around `value`.
    pub fn new(value: T) -> Self {
        let value = RefCell::new(Some(Rc::new(value)));
        Self(Rc::new(Shared { value, access: Access::new() }))
    }

    /// Waits until it can be read; not at all if nobody writes or waits.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has locked nothing, and those behind it are served.
    pub fn read(&self) -> Read<T> {
        Read { lock: self.clone(), place: Place::NONE }
    }

    /// Waits until it can be written; not at all if nobody uses it or waits.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped wait has locked nothing, and those behind it are served.
    pub fn write(&self) -> Write<T> {
        Write { lock: self.clone(), place: Place::NONE }
    }

    /// Reads, if nobody writes or waits.
    ///
    /// # Errors
    ///
    /// [`WouldWait`].
    pub fn try_read(&self) -> Result<ReadGuard<T>, WouldWait> {
        let taken = self.0.access.try_take(Want::Read);
        taken.then(|| self.read_guard()).flatten().ok_or(WouldWait)
    }

    /// Writes, if nobody uses it or waits.
    ///
    /// # Errors
    ///
    /// [`WouldWait`].
    pub fn try_write(&self) -> Result<WriteGuard<T>, WouldWait> {
        if self.0.access.try_take(Want::Write) { Ok(self.write_guard()) } else { Err(WouldWait) }
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        let access = &self.0.access;
        Statistics { readers: access.readers.get(), writer: access.writer.get(), waiting: access.line.len() }
    }

    /// For one who may read.
    fn read_guard(&self) -> Option<ReadGuard<T>> {
        let value = self.0.value.borrow().clone()?;
        Some(ReadGuard { lock: self.clone(), value: Some(value), key: self.0.access.holders.enter() })
    }

    /// For one who may write.
    fn write_guard(&self) -> WriteGuard<T> {
        let value = self.0.value.borrow_mut().take();
        WriteGuard { lock: self.clone(), value, key: self.0.access.holders.enter() }
    }
}

impl Access {
    fn new() -> Self {
        let holders = Holders::default();
        let line = Line::held_by(Wanted::Write, &holders);
        Self { readers: Cell::new(0), writer: Cell::new(false), line, wants: Marks::default(), holders }
    }

    /// Whether it could be done beside those who do something.
    fn allows(&self, want: Want) -> bool {
        !self.writer.get() && (want == Want::Read || self.readers.get() == 0)
    }

    fn begin(&self, want: Want) {
        match want {
            Want::Read => self.readers.set(self.readers.get() + 1),
            Want::Write => self.writer.set(true),
        }
    }

    /// Begins, for a newcomer, if it need not wait.
    fn try_take(&self, want: Want) -> bool {
        let taken = self.line.is_empty() && self.allows(want);
        if taken {
            self.begin(want);
        }
        taken
    }

    fn poll(&self, want: Want, place: &mut Place, cx: &Context<'_>) -> Poll<()> {
        let arrives = place.is_none();
        self.line.set_wanted(if want == Want::Read { Wanted::Read } else { Wanted::Write });
        // Who was called has begun already.
        let polled = self.line.poll(place, cx, |called| (called || self.try_take(want)).then_some(()));
        if polled.is_pending() && arrives {
            self.wants.set_place(place, want);
        }
        polled
    }

    /// Ends what a guard, or one who was called, has begun.
    fn end(&self, want: Want) {
        match want {
            Want::Read => self.readers.set(self.readers.get() - 1),
            Want::Write => self.writer.set(false),
        }
        self.call();
    }

    fn leave(&self, want: Want, place: &mut Place) {
        if place.is_none() {
            return;
        }
        if self.line.leave(place) {
            self.end(want);
        } else {
            // Those behind a writer may read now.
            self.call();
        }
    }

    /// Calls the first ones in line, as long as they can do what they want.
    #[inline(always)]
    fn call(&self) {
        if !self.line.is_empty() {
            self.call_first_ones();
        }
    }

    #[inline(never)]
    fn call_first_ones(&self) {
        while let Some(first) = self.line.first_index() {
            let want = self.wants.get(first);
            if !self.allows(want) {
                return;
            }
            // Before the call: a foreign waker may come back here.
            self.begin(want);
            self.line.call_next();
        }
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for RwLock<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Statistics { readers, writer, waiting } = self.statistics();
        f.debug_struct("RwLock")
            .field("readers", &readers)
            .field("writer", &writer)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

/// A [`RwLock::read`] on its way.
#[must_use = "nothing is read until this is awaited"]
pub struct Read<T> {
    lock: RwLock<T>,
    place: Place,
}

impl<T> Future for Read<T> {
    type Output = ReadGuard<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ReadGuard<T>> {
        let Self { lock, place } = &mut *self;
        let polled = lock.0.access.poll(Want::Read, place, cx);
        polled.map(|()| lock.read_guard().expect(THERE))
    }
}

impl<T> Drop for Read<T> {
    fn drop(&mut self) {
        self.lock.0.access.leave(Want::Read, &mut self.place);
    }
}

impl<T> fmt::Debug for Read<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Read").field(&self.lock).finish()
    }
}

/// A [`RwLock::write`] on its way.
#[must_use = "nothing is written until this is awaited"]
pub struct Write<T> {
    lock: RwLock<T>,
    place: Place,
}

impl<T> Future for Write<T> {
    type Output = WriteGuard<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<WriteGuard<T>> {
        let Self { lock, place } = &mut *self;
        lock.0.access.poll(Want::Write, place, cx).map(|()| lock.write_guard())
    }
}

impl<T> Drop for Write<T> {
    fn drop(&mut self) {
        self.lock.0.access.leave(Want::Write, &mut self.place);
    }
}

impl<T> fmt::Debug for Write<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Write").field(&self.lock).finish()
    }
}

/// Where the value is, by what this lock allows.
const THERE: &str = "the value is in the lock unless one writes, and then nobody reads";

/// The value of a [`RwLock`], which nobody writes while this exists.
#[must_use = "a guard that is dropped at once has locked nothing"]
pub struct ReadGuard<T> {
    lock: RwLock<T>,
    /// `Some` until it is dropped.
    value: Option<Rc<T>>,
    /// Among the holders.
    key: Key,
}

impl<T> Deref for ReadGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(THERE)
    }
}

impl<T> Drop for ReadGuard<T> {
    fn drop(&mut self) {
        // Before it ends: who writes next has the only reference.
        drop(self.value.take());
        self.lock.0.access.holders.leave(&mut self.key);
        self.lock.0.access.end(Want::Read);
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadGuard").field(&**self).finish()
    }
}

/// The value of a [`RwLock`], which nobody else uses while this exists.
#[must_use = "a guard that is dropped at once has locked nothing"]
pub struct WriteGuard<T> {
    lock: RwLock<T>,
    /// The only reference to it. `Some` until it is dropped.
    value: Option<Rc<T>>,
    /// Among the holders.
    key: Key,
}

impl<T> WriteGuard<T> {
    /// Goes over to reading, with nobody in between who writes.
    pub fn downgrade(self) -> ReadGuard<T> {
        let lock = self.lock.clone();
        // Before the writer ends, so that whoever that calls is a reader.
        lock.0.access.begin(Want::Read);
        drop(self);
        lock.read_guard().expect(THERE)
    }
}

impl<T> Deref for WriteGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(THERE)
    }
}

impl<T> DerefMut for WriteGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().and_then(Rc::get_mut).expect(THERE)
    }
}

impl<T> Drop for WriteGuard<T> {
    fn drop(&mut self) {
        self.lock.0.access.holders.leave(&mut self.key);
        *self.lock.0.value.borrow_mut() = self.value.take();
        self.lock.0.access.end(Want::Write);
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteGuard").field(&**self).finish()
    }
}
