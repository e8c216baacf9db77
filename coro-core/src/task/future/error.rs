//! How a future can refuse.

use std::any::Any;
use std::fmt;

/// The result is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the result is not there yet: await it, or ask is_done() first")]
pub struct InvalidState;

/// The future has a result already. What should have become it comes back.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the future is done already: only the first one sets its result; ask is_done() if it may have been cancelled"
)]
pub struct SetRefused<T>(pub T);

impl<T> fmt::Debug for SetRefused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SetRefused").finish_non_exhaustive()
    }
}

/// Why a result could not be set on an [`AnyFuture`](super::AnyFuture). The value comes back.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SetResultError {
    /// It is a task, whose result is what its body returns.
    #[error("Task does not support set_result operation: its result is what its body returns")]
    Task(Box<dyn Any>),
    /// It is done already.
    #[error("{}", SetRefused(()))]
    Done(Box<dyn Any>),
    /// The value is not of its type.
    #[error("the value is not of the type of the future's result")]
    WrongType(Box<dyn Any>),
}

impl fmt::Debug for SetResultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task(_) => "Task",
            Self::Done(_) => "Done",
            Self::WrongType(_) => "WrongType",
        })
    }
}
