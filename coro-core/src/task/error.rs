//! How a task can end without a result.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{Cancelled, InvalidState};
use crate::coroutine::{Misuse, MisuseKind, Thrown};
use crate::group::ErrorGroup;
use crate::scope::TimeoutError;

/// Why a task has no result. Also what is thrown into a task, and raised out of it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// It was cancelled: Python's `CancelledError`.
    #[error(transparent)]
    Cancelled(Cancelled),
    /// A time that it was given was up.
    #[error(transparent)]
    TimedOut(TimeoutError),
    /// It panicked.
    #[error("the task panicked: {0}")]
    Panicked(Panic),
    /// Its body misused a coroutine, or its engine.
    #[error("{0}")]
    Misuse(MisuseKind),
    /// It awaited its own handle, which can never be done.
    #[error("a task cannot await itself: await another one's handle")]
    AwaitsItself,
    /// It awaited the handle of a task of another loop.
    #[error("the awaited task belongs to another event loop: await it there")]
    ForeignLoop,
    /// Its result has been taken before, by an earlier wait.
    #[error("the result of the task has been taken already: await its handle once")]
    AlreadyTaken,
    /// The result of a [`Future`](super::Future) was asked for before it was there.
    #[error(transparent)]
    InvalidState(InvalidState),
    /// A thread was to block until a task of its own loop has ended.
    #[error(
        "this would block the loop that runs the task: await its wrap_future(), or wait on another thread"
    )]
    WouldBlock,
    /// Its loop was closed before it ended.
    #[error("the event loop was closed before the task ended")]
    LoopClosed,
    /// It was the child of a group, and has failed: the error is in what the [group](crate::group::TaskGroup) gives.
    #[error("the task failed, and its group has the error")]
    GivenToGroup,
    /// Several went wrong, as one.
    #[error(transparent)]
    Group(ErrorGroup),
    /// Somebody was to wait for one of several tasks, and there were none.
    #[error("there is nothing to wait for: give at least one task")]
    NothingToAwait,
    /// Something else went wrong, and this is the error. Made by [`other`](Self::other).
    #[error("{0}")]
    Other(#[source] OtherError),
}

impl TaskError {
    /// Any error, as the reason why a task has no result.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(OtherError(Box::new(error.into())))
    }

    /// The error itself, if it is of a type: that of [`other`](Self::other), or one of those in here; the first one of a
    /// group.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        let error: &(dyn Error + 'static) = match self {
            Self::Cancelled(cancelled) => cancelled,
            Self::TimedOut(timed_out) => timed_out,
            Self::Group(errors) => return errors.find(),
            Self::Other(other) => other.get_ref(),
            error => error,
        };
        error.downcast_ref()
    }

    /// Whether the task was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // It says so itself.
            Self::Cancelled(cancelled) => cancelled.fmt(f),
            Self::TimedOut(_) => f.write_str("TimedOut"),
            Self::Panicked(panic) => f.debug_tuple("Panicked").field(panic).finish(),
            Self::Misuse(kind) => f.debug_tuple("Misuse").field(kind).finish(),
            Self::AwaitsItself => f.write_str("AwaitsItself"),
            Self::ForeignLoop => f.write_str("ForeignLoop"),
            Self::AlreadyTaken => f.write_str("AlreadyTaken"),
            Self::InvalidState(_) => f.write_str("InvalidState"),
            Self::WouldBlock => f.write_str("WouldBlock"),
            Self::LoopClosed => f.write_str("LoopClosed"),
            Self::GivenToGroup => f.write_str("GivenToGroup"),
            Self::Group(errors) => errors.fmt(f),
            Self::NothingToAwait => f.write_str("NothingToAwait"),
            Self::Other(error) => f.debug_tuple("Other").field(error).finish(),
        }
    }
}

impl From<InvalidState> for TaskError {
    fn from(state: InvalidState) -> Self {
        Self::InvalidState(state)
    }
}

/// What was thrown, as the reason why a task has no result.
impl From<Thrown<Self>> for TaskError {
    fn from(thrown: Thrown<Self>) -> Self {
        match thrown {
            Thrown::Error(error) => error,
            Thrown::Exit => Self::Cancelled(Cancelled::new()),
            Thrown::Misuse(kind) => Self::Misuse(kind),
        }
    }
}

/// A misuse in a task, without the values handed back.
impl<S, Y, E> From<Misuse<S, Y, E>> for TaskError {
    fn from(misuse: Misuse<S, Y, E>) -> Self {
        Self::Misuse(misuse.kind())
    }
}

/// An error of any type, in a task error.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct OtherError(
    // Behind one more pointer, because a task error is moved with every result.
    Box<Box<dyn Error + Send + Sync>>,
);

impl OtherError {
    /// The error itself.
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        *self.0
    }

    /// The error itself.
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &**self.0
    }
}

impl fmt::Debug for OtherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a task panicked with.
pub struct Panic(
    // On the heap, because a task error is moved with every result, and hardly one is a panic.
    Box<Caught>,
);

struct Caught {
    /// In a lock only so that the error is `Sync`, as errors are expected to be.
    payload: Mutex<Box<dyn Any + Send>>,
    message: String,
}

impl Panic {
    #[cold]
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a value that is not a message".to_string());
        Self(Box::new(Caught { payload: Mutex::new(payload), message }))
    }

    /// The message of the panic.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The payload, as `std::panic::resume_unwind` takes it.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message()).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}
