//! What other threads leave for a loop, and how they wake it.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, PoisonError};

use super::LoopClosed;
use super::core::Core;
use super::record::Record;
use super::word::{MAIL, Word};
use crate::task::TaskRef;
use crate::threads::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::threads::{Mutex, MutexGuard};

/// A function sent from another thread, with its cancel flag, and where it was sent.
pub(super) type RemoteCall = (Arc<AtomicBool>, &'static Location<'static>, Box<dyn FnOnce() + Send>);

#[derive(Default)]
struct State {
    calls: Vec<RemoteCall>,
    closed: bool,
}

/// The mailbox of a loop. Outlives it: a call to a loop that is gone is refused.
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// That of the loop; when it is gone, perhaps that of another, whose mailbox is looked into for nothing then.
    record: &'static Record,
    handles: AtomicUsize,
    /// The signals that have come and not been heard, a bit each by its number.
    signals: AtomicU64,
}

impl Inbox {
    pub(super) fn new(record: &'static Record) -> Self {
        Self { state: Mutex::default(), record, handles: AtomicUsize::new(0), signals: AtomicU64::new(0) }
    }

    /// Gives the call back if the loop is closed.
    fn send(&self, call: RemoteCall) -> Result<(), RemoteCall> {
        let mut state = self.lock();
        if state.closed {
            return Err(call);
        }
        state.calls.push(call);
        drop(state);
        self.record.wake(MAIL, None);
        Ok(())
    }

    /// Calls `function` on the loop's thread, or drops it if the loop is closed.
    #[track_caller]
    pub(super) fn call(&self, function: Box<dyn FnOnce() + Send>) {
        let refused = self.send((Arc::new(AtomicBool::new(false)), Location::caller(), function)).err();
        drop(refused);
    }

    /// Takes all calls.
    pub(super) fn take_calls(&self) -> Vec<RemoteCall> {
        std::mem::take(&mut self.lock().calls)
    }

    pub(super) fn close(&self) -> Vec<RemoteCall> {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.calls)
    }

    /// A signal has come. False if the loop has not heard the one before. For handlers of signals, wherever they interrupt
    /// the thread: it takes no lock that is held, and no memory.
    #[cfg(unix)]
    pub(super) fn signal(&self, signal: u32) -> bool {
        let bit = 1 << signal;
        let heard = self.signals.fetch_or(bit, Ordering::SeqCst) & bit == 0;
        self.record.wake(MAIL, None);
        heard
    }

    /// Takes the signals that have come.
    pub(super) fn take_signals(&self) -> u64 {
        match self.signals.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.signals.swap(0, Ordering::SeqCst),
        }
    }

    /// How many [`RemoteHandle`]s there are: whether another thread could still send something. A loop that is marked as
    /// asleep is roused when that changes.
    pub(super) fn handles(&self) -> usize {
        self.handles.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock; a poisoned one would still hold whole calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("handles", &self.handles()).finish_non_exhaustive()
    }
}

/// A handle to a loop for other threads.
///
/// While one exists, a simulated loop with nothing to do waits for it instead of reporting a stall.
#[derive(Debug)]
pub struct RemoteHandle(Arc<Inbox>);

impl RemoteHandle {
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        inbox.handles.fetch_add(1, Ordering::Relaxed);
        Self(inbox)
    }

    /// Whether both are the mailbox of one loop.
    pub(super) fn is_of(&self, inbox: &Arc<Inbox>) -> bool {
        Arc::ptr_eq(&self.0, inbox)
    }

    /// Calls `function` on the loop's thread, in the order of the calls, waking the loop if it waits.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`]: the loop is closed, and the function was dropped.
    #[track_caller]
    pub fn call_soon_threadsafe(
        &self,
        function: impl FnOnce() + Send + 'static,
    ) -> Result<RemoteCallHandle, LoopClosed> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let call: RemoteCall = (Arc::clone(&cancelled), Location::caller(), Box::new(function));
        match self.0.send(call) {
            Ok(()) => Ok(RemoteCallHandle(cancelled)),
            Err(_refused) => Err(LoopClosed),
        }
    }
}

impl Clone for RemoteHandle {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for RemoteHandle {
    fn drop(&mut self) {
        self.0.handles.fetch_sub(1, Ordering::Relaxed);
        // A simulated loop that waits for remote handles must notice that the last one is gone. That publishes it too.
        self.0.record.rouse();
    }
}

/// A call on its way from another thread.
#[derive(Debug, Clone)]
pub struct RemoteCallHandle(Arc<AtomicBool>);

impl RemoteCallHandle {
    /// Keeps the call from being made, if it has not begun. From any thread.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// For those who wait on other threads.
impl Core {
    /// Whether the handle is one to this loop.
    pub(crate) fn is_home_of(&self, remote: &RemoteHandle) -> bool {
        remote.is_of(&self.inbox)
    }

    /// The task that has this word now, if there is one still.
    pub(crate) fn task_with(&self, word: Word) -> Option<TaskRef> {
        let tasks = self.tasks.borrow();
        tasks.get(word.slot()).filter(|task| task.header().word() == word).cloned()
    }
}
