//! What the cell of a task runs.

use std::any::type_name;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Cancelled, TaskCoroutine, TaskError};
#[cfg(doc)]
use crate::coroutine::Coroutine;
use crate::coroutine::{FrameInfo, FrameTrace, Input, Outcome, Resumed, Thrown};

/// What an event loop runs for a task: a future in its place, or a [`TaskCoroutine`] in a [`Stepwise`].
pub trait TaskBody {
    /// What the task returns.
    type Output;

    /// Whether it has memory of its own far from its place, such as a stack.
    const IS_FAR: bool = false;

    /// Runs it to its next wait or its end.
    fn step(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Self::Output, TaskError>>;

    /// Throws `error` where it waits. Gives what came of it, or `None`: it is to be stepped for that.
    fn throw(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        error: TaskError,
    ) -> Option<Poll<Result<Self::Output, TaskError>>>;

    /// Asks for the memory that its next step will touch, if that [is far](Self::IS_FAR), while it waits for its turn. It
    /// comes while others run.
    fn fetch(&self) {}

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

/// A coroutine as the body of a task; [far](TaskBody::IS_FAR) if it has a stack of its own.
#[derive(Debug)]
pub struct Stepwise<C, const IS_FAR: bool = false>(C);

impl<C, const IS_FAR: bool> Stepwise<C, IS_FAR> {
    /// `coroutine`, for a loop.
    pub fn new(coroutine: C) -> Self {
        Self(coroutine)
    }
}

// It is resumed through `&mut`, and never pinned.
impl<C, const IS_FAR: bool> Unpin for Stepwise<C, IS_FAR> {}

impl<C: TaskCoroutine, const IS_FAR: bool> TaskBody for Stepwise<C, IS_FAR> {
    type Output = C::Return;

    const IS_FAR: bool = IS_FAR;

    #[inline(always)]
    fn step(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<C::Return, TaskError>> {
        self.0.poll_resume(cx, None).map(result_of::<C>)
    }

    fn throw(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        error: TaskError,
    ) -> Option<Poll<Result<C::Return, TaskError>>> {
        let resumed = self.0.begin_resume(cx, Input::Throw(Thrown::Error(error)))?;
        Some(resumed.map(result_of::<C>))
    }

    #[inline(always)]
    fn fetch(&self) {
        self.0.fetch();
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

/// What the task ends with.
#[inline(always)]
fn result_of<C: TaskCoroutine>(resumed: Resumed<C>) -> Result<C::Return, TaskError> {
    match resumed {
        Ok(Outcome::Returned(value)) => Ok(value),
        Ok(Outcome::Raised(thrown)) => Err(thrown.into()),
        Ok(Outcome::Closed) => Err(Cancelled::new().into()),
        Ok(Outcome::Yielded(never)) => match never {},
        Err(misuse) => Err(misuse.into()),
    }
}
