//! What a group says if it takes no child.

use std::fmt;

use crate::coroutine::Thrown;
use crate::task::TaskError;

/// Why a group takes no child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody has entered it yet.
    #[error("the task group has not been entered: create its tasks in the body that it runs")]
    NotEntered,
    /// It is over: its body and all children have ended.
    #[error("the task group is finished: make a new one")]
    Finished,
    /// It was cancelled, or something in it failed, and it waits for its children to end.
    #[error("the task group is shutting down, and takes no more tasks")]
    ShuttingDown,
}

/// A child that a group has not taken. Nothing of it has run.
pub struct Refused<C> {
    child: C,
    why: Refusal,
}

impl<C> Refused<C> {
    pub(super) fn new(child: C, why: Refusal) -> Self {
        Self { child, why }
    }

    /// Why.
    pub fn why(&self) -> Refusal {
        self.why
    }

    /// The child itself.
    pub fn into_child(self) -> C {
        self.child
    }
}

impl<C> fmt::Display for Refused<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<C> fmt::Debug for Refused<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.why).finish()
    }
}

impl<C> std::error::Error for Refused<C> {}

impl From<Refusal> for TaskError {
    fn from(why: Refusal) -> Self {
        Self::other(why)
    }
}

/// The child is dropped.
impl<C> From<Refused<C>> for TaskError {
    fn from(refused: Refused<C>) -> Self {
        refused.why.into()
    }
}

/// The child is dropped.
impl<C> From<Refused<C>> for Thrown<TaskError> {
    fn from(refused: Refused<C>) -> Self {
        Self::Error(refused.into())
    }
}
