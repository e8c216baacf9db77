//! Why a fiber that waited, or suspended, did not get what it wanted.

use std::any::Any;

use coro_core::coroutine::{MisuseKind, Thrown};
use coro_core::task::{Cancelled, TaskError};

use crate::thrown::ThrownError;

/// Why a [`wait`](crate::wait()) ended without the result of its future.
///
/// In the body of a task `?` passes it on, as in any function that returns a [`TaskError`] or a
/// [`TaskResult`](coro_core::task::TaskResult):
///
/// ```
/// use coro_core::task::TaskError;
/// use std::time::Duration;
///
/// fn handler() -> Result<&'static str, TaskError> {
///     coro_fiber::sleep(Duration::from_millis(1))?;
///     Ok("done")
/// }
/// assert_eq!(coro_fiber::run(|_| Ok(handler()?)).unwrap(), "done");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The task was cancelled while it waited: the code after the wait is the cleanup.
    #[error(transparent)]
    Cancelled(Cancelled),
    /// Another error of a task was thrown into it.
    #[error(transparent)]
    Task(TaskError),
    /// The fiber was asked to end, by `close`: clean up, and return.
    #[error("the coroutine was asked to exit")]
    Exit,
    /// A misuse of another coroutine was thrown into it.
    #[error(transparent)]
    Misuse(MisuseKind),
    /// An error of the program's own was thrown into it, which is in here.
    #[error(transparent)]
    Thrown(ThrownError),
    /// There is no fiber on this thread that could wait. The future was not polled.
    #[error(
        "waited outside a fiber: call it in coro_fiber::spawn() or run(), make a future of the code that waits with \
         coro_fiber::on_fiber(), or write .await where the function is async"
    )]
    Outside,
    /// The stack of the fiber is being unwound, by a panic or because the fiber was dropped: nobody would resume it.
    #[error("the stack of the fiber is being unwound: a destructor that runs meanwhile cannot wait")]
    Unwinding,
}

impl WaitError {
    /// Whether the fiber was asked to end: by a cancellation, a close, or because it is dropped.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Cancelled(_) | Self::Exit | Self::Unwinding)
    }

    pub(crate) fn from_thrown<E: 'static>(thrown: Thrown<E>) -> Self {
        match thrown {
            Thrown::Error(error) => Self::from_error(error),
            Thrown::Exit => Self::Exit,
            Thrown::Misuse(kind) => Self::Misuse(kind),
        }
    }

    fn from_error<E: 'static>(error: E) -> Self {
        match cast::<E, TaskError>(error) {
            Ok(TaskError::Cancelled(cancelled)) => Self::Cancelled(cancelled),
            Ok(error) => Self::Task(error),
            Err(error) => cast(error).unwrap_or_else(|error| Self::Thrown(ThrownError::new(error))),
        }
    }

    /// What a body whose errors are of type `E` raises for it.
    ///
    /// # Errors
    ///
    /// What is none of its errors: [`Outside`](Self::Outside), and an error of another type.
    pub fn into_thrown<E: 'static>(self) -> Result<Thrown<E>, Self> {
        match self {
            Self::Exit | Self::Unwinding => Ok(Thrown::Exit),
            Self::Misuse(kind) => Ok(Thrown::Misuse(kind)),
            Self::Thrown(error) => error.downcast().map(Thrown::Error).map_err(Self::Thrown),
            Self::Cancelled(cancelled) => {
                cast(TaskError::from(cancelled)).map(Thrown::Error).map_err(Self::from_error)
            }
            Self::Task(error) => cast(error).map(Thrown::Error).map_err(Self::from_error),
            Self::Outside => Err(self),
        }
    }
}

/// A value of another name for its type.
fn cast<A: 'static, B: 'static>(value: A) -> Result<B, A> {
    let mut value = Some(value);
    let any: &mut dyn Any = &mut value;
    match any.downcast_mut::<Option<B>>().and_then(Option::take) {
        Some(value) => Ok(value),
        None => Err(value.unwrap_or_else(|| unreachable!("it is of another type"))),
    }
}

impl From<WaitError> for Thrown<TaskError> {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Exit | WaitError::Unwinding => Self::Exit,
            WaitError::Misuse(kind) => Self::Misuse(kind),
            WaitError::Cancelled(cancelled) => cancelled.into(),
            WaitError::Task(error) => Self::Error(error),
            error @ (WaitError::Thrown(_) | WaitError::Outside) => Self::Error(TaskError::other(error)),
        }
    }
}

impl From<WaitError> for TaskError {
    fn from(error: WaitError) -> Self {
        Thrown::from(error).into()
    }
}

impl From<WaitError> for std::io::Error {
    /// With the error inside: of the kind [`Other`](std::io::ErrorKind::Other), which nobody tries again.
    fn from(error: WaitError) -> Self {
        Self::other(error)
    }
}

/// Why a [`suspend`](crate::suspend()) gave no value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuspendError<Y> {
    /// The value was handed out, and then something was thrown in.
    #[error(transparent)]
    Thrown(WaitError),
    /// There is no fiber on this thread that could suspend. The value comes back.
    #[error("suspended outside a fiber: call it in the body of a coro_fiber::Fiber")]
    Outside(Y),
    /// The stack of the fiber is being unwound: nobody would resume it. The value comes back.
    #[error("the stack of the fiber is being unwound: a destructor that runs meanwhile cannot suspend")]
    Unwinding(Y),
    /// The fiber yields or receives something else. The value comes back.
    #[error("the fiber yields {} and receives {}: suspend it with these types", types.yielded, types.sent)]
    Types {
        /// The value that was not handed out.
        value: Y,
        /// What it could be suspended with.
        types: Types,
    },
}

/// The types of what passes in and out of a fiber at its suspensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Types {
    /// What it receives.
    pub sent: &'static str,
    /// What it yields.
    pub yielded: &'static str,
}

impl Types {
    pub(crate) fn of<S, Y>() -> Self {
        Self { sent: std::any::type_name::<S>(), yielded: std::any::type_name::<Y>() }
    }
}
