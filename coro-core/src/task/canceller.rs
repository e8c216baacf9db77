//! Cancelling a task without its handle.

use std::fmt;

use super::{Cancelled, TaskId, TaskInfo, TaskRef};
use crate::event_loop::{Core, Word};

/// What can cancel a task, and undo that, whatever its type and whoever has its [`JoinHandle`](super::JoinHandle).
///
/// It keeps neither the body of the task nor its result.
#[derive(Clone)]
pub struct Canceller(TaskRef);

/// That of the task that runs on this thread.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, native::spawn, task, time::yield_now};
///
/// let result = Loop::simulated().run(async {
///     let victim = spawn(async {
///         task::current().unwrap().cancel_with("enough");
///         yield_now().await; // Here it ends.
///     });
///     victim.await
/// });
/// assert_eq!(result.unwrap().unwrap_err().to_string(), "the task was cancelled: enough");
/// ```
pub fn current() -> Option<Canceller> {
    Core::running_task().map(Canceller)
}

impl Canceller {
    pub(super) fn new(task: TaskRef) -> Self {
        Self(task)
    }

    pub(super) fn into_task(self) -> TaskRef {
        self.0
    }

    /// See [`JoinHandle::cancel`](super::JoinHandle::cancel).
    pub fn cancel(&self) -> bool {
        self.0.cancel(&Cancelled::new())
    }

    /// See [`JoinHandle::cancel_with`](super::JoinHandle::cancel_with).
    pub fn cancel_with(&self, message: &str) -> bool {
        self.0.cancel(&Cancelled::because(Some(message), Core::running_id()))
    }

    /// See [`JoinHandle::cancelling`](super::JoinHandle::cancelling).
    pub fn cancelling(&self) -> u32 {
        self.0.header().cancelling()
    }

    /// See [`JoinHandle::uncancel`](super::JoinHandle::uncancel).
    pub fn uncancel(&self) -> u32 {
        self.0.header().uncancel()
    }

    /// Whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.0.header().is_done()
    }

    /// The task's identity.
    pub fn id(&self) -> TaskId {
        self.0.header().id()
    }

    /// Its place in its loop.
    pub(crate) fn word(&self) -> Word {
        self.0.header().word()
    }

    /// What the task looks like now.
    pub fn info(&self) -> TaskInfo {
        self.0.info()
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(f)
    }
}
