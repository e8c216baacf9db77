//! `next`, `send`, `throw` and `close`, in Python's words.

use super::{
    AsyncGenerator, Closed, Consumer, Coroutine, Input, Items, Misuse, Outcome, Resumed, State, Thrown,
};

/// The types that have a value for "nothing was sent": Python's `None`.
pub trait Nothing {
    /// That value.
    fn nothing() -> Self;

    /// Whether this is that value.
    fn is_nothing(&self) -> bool;
}

impl Nothing for () {
    fn nothing() -> Self {}

    fn is_nothing(&self) -> bool {
        true
    }
}

impl<T> Nothing for Option<T> {
    fn nothing() -> Self {
        None
    }

    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

/// Why a [`close`](CoroutineExt::close) did not end the coroutine quietly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseError<S, Y, E> {
    /// The body ended with this error instead of its exit.
    #[error("the coroutine raised an error while it was closed")]
    Raised(Thrown<E>),
    /// The close was refused, or the body yielded ([`Misuse::IgnoredExit`]).
    #[error("{0}")]
    Misuse(Misuse<S, Y, E>),
}

/// The operations of Python's generator objects, for every [`Coroutine`].
///
/// # Examples
///
/// ```
/// use coro_core::native::Native;
/// use coro_core::prelude::*;
///
/// let mut average = Native::<f64, f64, ()>::new(async |co| {
///     let (mut sum, mut count, mut mean) = (0.0, 0.0, 0.0);
///     loop {
///         sum += co.yield_(mean).await?;
///         count += 1.0;
///         mean = sum / count;
///     }
/// });
/// assert_eq!(average.start(), Ok(Outcome::Yielded(0.0))); // to the first yield
/// assert_eq!(average.send(10.0), Ok(Outcome::Yielded(10.0)));
/// assert_eq!(average.send(20.0), Ok(Outcome::Yielded(15.0)));
/// assert_eq!(average.close(), Ok(None));
/// ```
pub trait CoroutineExt: Coroutine {
    /// Starts a new coroutine, else sends it [nothing](Nothing).
    ///
    /// # Errors
    ///
    /// [`Misuse::Finished`] for ever once it has ended.
    fn next(&mut self) -> Resumed<Self>
    where
        Self::Send: Nothing,
    {
        match self.state() {
            State::Created => self.start(),
            _ => self.send(Self::Send::nothing()),
        }
    }

    /// Makes `value` the result of the `yield` that the body is suspended at, and runs to the next one.
    ///
    /// # Errors
    ///
    /// [`Misuse`] hands the value back: [`NotStarted`](Misuse::NotStarted), [`Running`](Misuse::Running),
    /// [`Finished`](Misuse::Finished).
    #[inline(always)]
    fn send(&mut self, value: Self::Send) -> Resumed<Self> {
        self.resume(Input::Send(value))
    }

    /// Raises `error` at the `yield` that the body is suspended at, and runs to the next one.
    ///
    /// In a coroutine that has not started or has finished the error comes straight back as
    /// [`Outcome::Raised`].
    ///
    /// # Errors
    ///
    /// [`Misuse::Running`] hands the error back.
    fn throw(&mut self, error: impl Into<Thrown<Self::Error>>) -> Resumed<Self>
    where
        Self: Sized,
    {
        self.resume(Input::Throw(error.into()))
    }

    /// Asks the body to end, and gives the value it returned on that, if it did.
    ///
    /// # Errors
    ///
    /// [`CloseError::Raised`] if the body ended with another error,
    /// [`CloseError::Misuse`] if it yielded instead (it is still suspended then) or is running.
    fn close(&mut self) -> Closed<Self> {
        closed(self.resume(Input::Close))
    }

    /// What it yields, as an iterator: Python's `for item in generator`. By `(&mut coroutine).items()` it can be used
    /// afterwards.
    fn items(self) -> Items<Self>
    where
        Self: Sized + Coroutine<Send: Nothing>,
    {
        Items::new(self)
    }

    /// What it yields, as a `futures::Stream`, for a body that also waits: `for` of [`items`](Self::items) becomes
    /// `while let Some(item) = stream.next().await`. A coroutine that borrows goes in
    /// [`AsyncGenerator::scoped`].
    #[track_caller]
    fn stream(self) -> AsyncGenerator<Self>
    where
        Self: Sized + Coroutine<Send: Nothing, Error: 'static> + 'static,
    {
        AsyncGenerator::new(self)
    }

    /// What it receives, as a `futures::Sink`. A consumer that yields something makes nothing of it with
    /// [`map_yield`](super::Adapt::map_yield). By `(&mut coroutine).sink()` it can be used afterwards.
    fn sink(self) -> Consumer<Self>
    where
        Self: Sized + Coroutine<Yield = ()>,
    {
        Consumer::new(self)
    }
}

impl<C: Coroutine + ?Sized> CoroutineExt for C {}

/// What a finished coroutine answers.
pub(crate) fn finished<S, Y, R, E>(input: Option<Input<S, E>>) -> Result<Outcome<Y, R, E>, Misuse<S, Y, E>> {
    match input {
        None => Err(Misuse::Finished(None)),
        Some(Input::Send(value)) => Err(Misuse::Finished(Some(value))),
        Some(Input::Throw(error)) => Ok(Outcome::Raised(error)),
        Some(Input::Close) => Ok(Outcome::Closed),
    }
}

/// The answer to a close, in the words of [`CoroutineExt::close`].
pub(crate) fn closed<S, Y, R, E>(
    resumed: Result<Outcome<Y, R, E>, Misuse<S, Y, E>>,
) -> Result<Option<R>, CloseError<S, Y, E>> {
    match resumed {
        Ok(Outcome::Returned(value)) => Ok(Some(value)),
        Ok(Outcome::Closed) => Ok(None),
        Ok(Outcome::Raised(error)) => Err(CloseError::Raised(error)),
        Ok(Outcome::Yielded(value)) => Err(CloseError::Misuse(Misuse::IgnoredExit(value))),
        Err(misuse) => Err(CloseError::Misuse(misuse)),
    }
}
