//! What other threads leave for a loop, and how they wake it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::LoopClosed;
use crate::driver::Notify;
use crate::task::TaskId;

/// A function sent from another thread, with its cancel flag.
pub(super) type RemoteCall = (Arc<AtomicBool>, Box<dyn FnOnce() + Send>);

pub(super) enum Message {
    Wake(TaskId),
    Call(RemoteCall),
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    /// Set by the loop before it waits, cleared by whoever wakes it: one notification a sleep, none when awake.
    sleeping: bool,
    closed: bool,
}

/// The mailbox of a loop. Outlives it: a message to a loop that is gone is refused or forgotten.
pub(crate) struct Inbox {
    state: Mutex<State>,
    notify: Arc<dyn Notify>,
    handles: AtomicUsize,
}

impl Inbox {
    pub(super) fn new(notify: Arc<dyn Notify>) -> Self {
        Self { state: Mutex::default(), notify, handles: AtomicUsize::new(0) }
    }

    /// Leaves a wake-up for a task.
    pub(crate) fn wake(&self, task: TaskId) {
        // A task of a loop that is closed has ended: there is nothing to wake.
        drop(self.send(Message::Wake(task)));
    }

    /// Gives the message back if the loop is closed.
    pub(super) fn send(&self, message: Message) -> Result<(), Message> {
        let mut state = self.lock();
        if state.closed {
            return Err(message);
        }
        state.messages.push(message);
        let wake = std::mem::take(&mut state.sleeping);
        drop(state);
        if wake {
            self.notify.notify();
        }
        Ok(())
    }

    /// Takes all messages, and marks the loop as awake.
    pub(super) fn drain(&self) -> Vec<Message> {
        let mut state = self.lock();
        state.sleeping = false;
        std::mem::take(&mut state.messages)
    }

    /// Marks the loop as asleep, unless a message has come: then it must not wait.
    pub(super) fn try_sleep(&self) -> bool {
        let mut state = self.lock();
        state.sleeping = state.messages.is_empty();
        state.sleeping
    }

    pub(super) fn close(&self) -> Vec<Message> {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.messages)
    }

    /// How many [`RemoteHandle`]s there are: whether another thread could still send something.
    pub(super) fn handles(&self) -> usize {
        self.handles.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock; a poisoned one would still hold whole messages.
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
        inbox.handles.fetch_add(1, Ordering::SeqCst);
        Self(inbox)
    }

    /// Calls `function` on the loop's thread, in the order of the calls, waking the loop if it waits.
    ///
    /// # Errors
    ///
    /// [`LoopClosed`]: the loop is closed, and the function was dropped.
    pub fn call_soon_threadsafe(
        &self,
        function: impl FnOnce() + Send + 'static,
    ) -> Result<RemoteCallHandle, LoopClosed> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let call: RemoteCall = (Arc::clone(&cancelled), Box::new(function));
        match self.0.send(Message::Call(call)) {
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
        self.0.handles.fetch_sub(1, Ordering::SeqCst);
        // A simulated loop that waits for remote handles must notice that the last one is gone.
        let sleeping = std::mem::take(&mut self.0.lock().sleeping);
        if sleeping {
            self.0.notify.notify();
        }
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
