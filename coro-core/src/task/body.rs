//! What the cell of a task runs.

use std::any::type_name;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Cancelled, TaskCoroutine, TaskError};
#[cfg(doc)]
use crate::coroutine::Coroutine;
use crate::coroutine::{FrameInfo, FrameTrace, Input, Outcome, Thrown};

/// What an event loop runs for a task: a future in its place, or a [`TaskCoroutine`] in a [`Stepwise`].
pub trait TaskBody {
    /// What the task returns.
    type Output;

    /// Runs it to its next wait or its end, throwing `error` where it waits, if there is one.
    fn step(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        error: Option<TaskError>,
    ) -> Poll<Result<Self::Output, TaskError>>;

    /// What it is called, as far as its type tells.
    fn type_name() -> &'static str
    where
        Self: Sized,
    {
        type_name::<Self>()
    }

    /// What it is, while it waits, if it knows more than its type tells.
    fn info(&self) -> Option<FrameInfo> {
        None
    }

    /// Its frames while it waits, from the outside in: [`Coroutine::backtrace`].
    fn backtrace(self: Pin<&mut Self>) -> Vec<FrameTrace> {
        Vec::new()
    }
}

/// A coroutine as the body of a task.
#[derive(Debug)]
pub struct Stepwise<C>(C);

impl<C> Stepwise<C> {
    /// `coroutine`, for a loop.
    pub fn new(coroutine: C) -> Self {
        Self(coroutine)
    }
}

// It is resumed through `&mut`, and never pinned.
impl<C> Unpin for Stepwise<C> {}

impl<C: TaskCoroutine> TaskBody for Stepwise<C> {
    type Output = C::Return;

    #[inline(always)]
    fn step(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        error: Option<TaskError>,
    ) -> Poll<Result<C::Return, TaskError>> {
        let input = error.map(|error| Input::Throw(Thrown::Error(error)));
        match self.0.poll_resume(cx, input) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(Outcome::Returned(value))) => Poll::Ready(Ok(value)),
            Poll::Ready(Ok(Outcome::Raised(thrown))) => Poll::Ready(Err(thrown.into())),
            Poll::Ready(Ok(Outcome::Closed)) => Poll::Ready(Err(Cancelled::new().into())),
            Poll::Ready(Ok(Outcome::Yielded(never))) => match never {},
            Poll::Ready(Err(misuse)) => Poll::Ready(Err(misuse.into())),
        }
    }

    fn type_name() -> &'static str {
        type_name::<C>()
    }

    fn info(&self) -> Option<FrameInfo> {
        Some(self.0.info())
    }

    fn backtrace(mut self: Pin<&mut Self>) -> Vec<FrameTrace> {
        self.0.backtrace()
    }
}
