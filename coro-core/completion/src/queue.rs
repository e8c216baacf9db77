//! The two queues, and the bells on them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use coro_core::driver::{Completed, Notify, Operation, Slot, Socket};
use rustix::event::{EventfdFlags, eventfd};

/// What the loop asks for.
#[derive(Debug)]
pub(crate) enum Submission {
    /// This descriptor is that of this socket from now on.
    Adopt(Socket, OwnedFd),
    Start(Slot, Operation),
    Cancel(Slot),
    Close(Socket),
    /// The driver is gone.
    End,
}

/// The end of an operation.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) slot: Slot,
    pub(crate) result: Completed,
    /// That of an operation that failed: the result has no place for it. It is freed by the loop's thread, after the
    /// kernel is done with it.
    pub(crate) buffer: Option<Vec<u8>>,
}

/// Entries on their way to another thread, which waits for the bell.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    entries: Mutex<Vec<T>>,
    /// An eventfd: readable once it was rung.
    bell: OwnedFd,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { entries: Mutex::default(), bell })
    }

    /// Hands over all at once, and rings once for them.
    pub(crate) fn push(&self, entries: &mut Vec<T>) {
        if entries.is_empty() {
            return;
        }
        let mut queued = self.lock();
        let unheard = !queued.is_empty();
        queued.append(entries);
        drop(queued);
        // Whoever has not taken what was there before has not heard the bell either.
        if !unheard {
            self.ring();
        }
    }

    /// Takes all. The bell is silenced first: what is pushed after that rings it again.
    pub(crate) fn take(&self) -> Vec<T> {
        // It fails only if nobody has rung.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        std::mem::take(&mut self.lock())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Readable once somebody has rung.
    pub(crate) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    fn ring(&self) {
        // It fails only if the counter is full, and then it is readable.
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // Nothing panics under the lock.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notify for Queue<Finished> {
    fn notify(&self) {
        self.ring();
    }
}
