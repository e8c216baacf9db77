//! The error of a task, for any number to have.

use std::fmt;
use std::sync::Arc;

use super::TaskError;
use crate::coroutine::Thrown;

/// The error of a result that several look at.
#[derive(Clone, thiserror::Error)]
#[error(transparent)]
pub struct SharedError(Arc<TaskError>);

impl SharedError {
    /// The error itself.
    pub fn get_ref(&self) -> &TaskError {
        &self.0
    }

    /// Whether it is a cancellation.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl fmt::Debug for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<TaskError> for SharedError {
    fn from(error: TaskError) -> Self {
        Self(Arc::new(error))
    }
}

/// The error itself, if nobody else has it, or if it can be copied, as a cancellation can; else this one, as
/// [`TaskError::Other`].
impl From<SharedError> for TaskError {
    fn from(shared: SharedError) -> Self {
        let shared = match Arc::try_unwrap(shared.0) {
            Ok(error) => return error,
            Err(shared) => shared,
        };
        match &*shared {
            Self::Cancelled(cancelled) => Self::Cancelled(cancelled.clone()),
            Self::TimedOut(error) => Self::TimedOut(*error),
            Self::Misuse(kind) => Self::Misuse(*kind),
            Self::InvalidState(state) => Self::InvalidState(*state),
            Self::AwaitsItself => Self::AwaitsItself,
            Self::ForeignLoop => Self::ForeignLoop,
            Self::AlreadyTaken => Self::AlreadyTaken,
            Self::WouldBlock => Self::WouldBlock,
            Self::LoopClosed => Self::LoopClosed,
            Self::GivenToGroup => Self::GivenToGroup,
            Self::NothingToAwait => Self::NothingToAwait,
            Self::Panicked(_) | Self::Group(_) | Self::Other(_) => Self::other(SharedError(shared)),
        }
    }
}

impl From<SharedError> for Thrown<TaskError> {
    fn from(shared: SharedError) -> Self {
        Self::Error(shared.into())
    }
}
