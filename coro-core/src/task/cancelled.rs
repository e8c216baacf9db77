//! What is thrown into a task that is cancelled.

use std::fmt;
use std::sync::Arc;

use super::{TaskError, TaskId};
use crate::coroutine::Thrown;

/// A cancellation: Python's `CancelledError`, with its message.
///
/// It is what [`JoinHandle::cancel`](super::JoinHandle::cancel) throws, and what a body gives on when it lets it out.
#[derive(Clone, Default)]
pub struct Cancelled(
    /// `None` if there is nothing to say.
    Option<Arc<Reason>>,
);

/// Why, and by whom.
struct Reason {
    message: Option<Box<str>>,
    by: Option<TaskId>,
}

impl Cancelled {
    /// A cancellation without a message.
    pub const fn new() -> Self {
        Self(None)
    }

    /// One by the task that runs, if one does.
    pub(crate) fn because(message: Option<&str>, by: Option<TaskId>) -> Self {
        Self(Some(Arc::new(Reason { message: message.map(Into::into), by })))
    }

    /// What whoever cancelled had to say.
    pub fn message(&self) -> Option<&str> {
        self.0.as_ref()?.message.as_deref()
    }

    /// The task that cancelled with a message, if it was one.
    pub fn by(&self) -> Option<TaskId> {
        self.0.as_ref()?.by
    }

    /// The same, as one that can be told from others.
    pub(crate) fn distinct(self) -> Self {
        if self.is_plain() { Self::because(None, None) } else { self }
    }

    /// Whether both are the same one, which is [distinct](Self::distinct).
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.as_ref().zip(other.0.as_ref()).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// Whether it says no more than that it is one.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was cancelled")?;
        self.message().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            None => f.write_str("Cancelled"),
            Some(message) => f.debug_tuple("Cancelled").field(&message).finish(),
        }
    }
}

impl std::error::Error for Cancelled {}

impl From<Cancelled> for TaskError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

impl From<Cancelled> for Thrown<TaskError> {
    fn from(cancelled: Cancelled) -> Self {
        Self::Error(cancelled.into())
    }
}
