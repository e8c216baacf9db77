//! What can be spawned.

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll};

use super::{Prepared, Stepwise, TaskBody, TaskError};
use crate::coroutine::{Coroutine, FrameInfo, FrameTrace, InputOf, Resumed, State, Thrown};
use crate::native::{self, Native};
use crate::stats::Flavour;

/// A coroutine that an event loop can drive: it receives and yields nothing, and is cancelled by a
/// [`TaskError`] thrown into it.
pub trait TaskCoroutine: Coroutine<Send = (), Yield = Infallible, Error = TaskError> {}

impl<C: Coroutine<Send = (), Yield = Infallible, Error = TaskError> + ?Sized> TaskCoroutine for C {}

/// What can be spawned: every future (a native task), the tasks of the other flavours, and, through
/// [`from_coroutine`], any [`TaskCoroutine`].
pub trait IntoTask {
    /// What the task returns.
    type Output;
    /// What the loop will run.
    type Body: TaskBody<Output = Self::Output>;

    /// The engine that suspends it; `None` for a coroutine written by hand.
    const FLAVOUR: Option<Flavour>;

    /// Makes the body, for a loop only. Nothing runs yet.
    fn into_task(self) -> Prepared<Self::Body>;
}

impl<F: Future> IntoTask for F {
    type Output = F::Output;
    type Body = native::InPlace<F>;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Native);

    #[inline(always)]
    fn into_task(self) -> Prepared<native::InPlace<F>> {
        Prepared::new(native::InPlace::new(self))
    }
}

impl<F: Future> IntoTask for native::Task<F> {
    type Output = F::Output;
    type Body = native::InPlace<F>;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Native);

    #[inline(always)]
    fn into_task(self) -> Prepared<native::InPlace<F>> {
        Prepared::new(self.into_body())
    }
}

impl<R, F> IntoTask for Native<(), Infallible, R, TaskError, F>
where
    F: Future<Output = Result<R, Thrown<TaskError>>> + ?Sized,
{
    type Output = R;
    type Body = Stepwise<Self>;

    const FLAVOUR: Option<Flavour> = Some(Flavour::Native);

    #[inline(always)]
    fn into_task(self) -> Prepared<Stepwise<Self>> {
        Prepared::new(Stepwise::new(self))
    }
}

/// Makes any coroutine of the right shape spawnable.
pub fn from_coroutine<C: TaskCoroutine>(coroutine: C) -> CoroutineTask<C> {
    CoroutineTask(coroutine)
}

/// A hand-written coroutine as a task. Made by [`from_coroutine`].
#[derive(Debug)]
pub struct CoroutineTask<C>(C);

impl<C: TaskCoroutine> Coroutine for CoroutineTask<C> {
    type Send = ();
    type Yield = Infallible;
    type Return = C::Return;
    type Error = TaskError;

    fn state(&self) -> State {
        self.0.state()
    }

    fn info(&self) -> FrameInfo {
        self.0.info()
    }

    fn backtrace(&mut self) -> Vec<FrameTrace> {
        self.0.backtrace()
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.0.poll_resume(cx, input)
    }
}

impl<C: TaskCoroutine> IntoTask for CoroutineTask<C> {
    type Output = C::Return;
    type Body = Stepwise<Self>;

    const FLAVOUR: Option<Flavour> = None;

    #[inline(always)]
    fn into_task(self) -> Prepared<Stepwise<Self>> {
        Prepared::new(Stepwise::new(self))
    }
}
