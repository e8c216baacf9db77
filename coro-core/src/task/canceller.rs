//! Cancelling a task without its handle.

use std::fmt;

use super::{TaskId, TaskInfo, TaskRef};
use crate::event_loop::Word;

/// What can cancel a task, whatever its type and whoever has its [`JoinHandle`](super::JoinHandle).
///
/// It keeps neither the body of the task nor its result.
#[derive(Clone)]
pub struct Canceller(TaskRef);

impl Canceller {
    pub(super) fn new(task: TaskRef) -> Self {
        Self(task)
    }

    /// See [`JoinHandle::cancel`](super::JoinHandle::cancel).
    pub fn cancel(&self) -> bool {
        self.0.cancel()
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
        self.0.header().info()
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(f)
    }
}
