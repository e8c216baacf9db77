//! Async generators: coroutines that yield items *and* wait, driven by `.await`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::ext::closed;
use super::{Closed, Coroutine, Input, InputOf, Misuse, Nothing, Outcome, Resumed, State, Thrown};

/// The awaiting face of a coroutine: its operations are futures, so that its body may wait.
///
/// Python's asynchronous generator ([PEP 525](https://peps.python.org/pep-0525/)): `agen.send(v).await` is its
/// `asend`. It is also a [`Stream`] when it receives nothing.
///
/// # Cancellation
///
/// Strict. Dropping one of the futures leaves the resume in progress; the value that it would have given is given
/// by the next operation that carries no input of its own ([`next`](Self::next)), and a `send` before that is refused as
/// [`Misuse::Running`].
///
/// # Examples
///
/// ```
/// use coro_core::native::Native;
/// use coro_core::prelude::*;
/// use std::time::Duration;
///
/// let powers = Native::<(), u32, ()>::new(async |co| {
///     for i in 0..3 {
///         co.yield_(2u32.pow(i)).await?;
///         sleep(Duration::from_millis(100)).await;
///     }
///     Ok(())
/// });
/// let collected = Loop::simulated().run(async move {
///     let mut powers = AsyncGenerator::new(powers);
///     let mut all = Vec::new();
///     while let Ok(Some(power)) = powers.next().await {
///         all.push(power);
///     }
///     all
/// });
/// assert_eq!(collected.unwrap(), [1, 2, 4]);
/// ```
pub struct AsyncGenerator<C> {
    coroutine: C,
}

impl<C: Coroutine> AsyncGenerator<C> {
    /// Gives `coroutine` its awaiting face. Nothing runs yet.
    pub fn new(coroutine: C) -> Self {
        Self { coroutine }
    }

    /// The coroutine itself.
    pub fn into_inner(self) -> C {
        self.coroutine
    }

    /// Where the coroutine stands; see [`State`].
    pub fn state(&self) -> State {
        self.coroutine.state()
    }

    /// Runs a new coroutine to its first `yield`.
    ///
    /// # Errors
    ///
    /// As [`Coroutine::start`].
    pub fn start(&mut self) -> Resuming<'_, C> {
        Resuming { generator: self, input: None }
    }

    /// Makes `value` the result of the `yield` that the body is suspended at: Python's `asend`.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::send`](super::CoroutineExt::send).
    pub fn send(&mut self, value: C::Send) -> Resuming<'_, C> {
        self.resume(Input::Send(value))
    }

    /// Raises `error` where the body is suspended: Python's `athrow`.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::throw`](super::CoroutineExt::throw).
    pub fn throw(&mut self, error: impl Into<Thrown<C::Error>>) -> Resuming<'_, C> {
        self.resume(Input::Throw(error.into()))
    }

    /// The next item, or `None` once the body has returned: Python's `anext`.
    ///
    /// # Errors
    ///
    /// The error that the body raised, or a misuse of it.
    pub async fn next(&mut self) -> Result<Option<C::Yield>, Thrown<C::Error>>
    where
        C::Send: Nothing,
    {
        item(std::future::poll_fn(|cx| self.poll_next_resume(cx)).await)
    }

    /// Asks the body to end and waits for its cleanup: Python's `aclose`.
    ///
    /// # Errors
    ///
    /// As [`CoroutineExt::close`](super::CoroutineExt::close).
    pub async fn close(&mut self) -> Closed<C> {
        closed(self.resume(Input::Close).await)
    }

    fn resume(&mut self, input: InputOf<C>) -> Resuming<'_, C> {
        Resuming { generator: self, input: Some(input) }
    }

    fn poll_next_resume(&mut self, cx: &mut Context<'_>) -> Poll<Resumed<C>>
    where
        C::Send: Nothing,
    {
        let input = match self.coroutine.state() {
            // A new coroutine is started, a resume in progress is continued.
            State::Created | State::Running => None,
            State::Suspended | State::Finished => Some(Input::Send(C::Send::nothing())),
        };
        self.coroutine.poll_resume(cx, input)
    }
}

/// An item, the end, or an error: the answer to a resume as an iteration sees it.
fn item<S, Y, R, E>(resumed: Result<Outcome<Y, R, E>, Misuse<S, Y, E>>) -> Result<Option<Y>, Thrown<E>> {
    match resumed {
        Ok(Outcome::Yielded(value)) => Ok(Some(value)),
        Ok(Outcome::Returned(_) | Outcome::Closed) | Err(Misuse::Finished(_)) => Ok(None),
        Ok(Outcome::Raised(error)) => Err(error),
        Err(misuse) => Err(Thrown::Misuse(misuse.kind())),
    }
}

impl<C: Coroutine> fmt::Debug for AsyncGenerator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncGenerator").field(&self.state()).finish()
    }
}

impl<C> Stream for AsyncGenerator<C>
where
    C: Coroutine<Send: Nothing> + Unpin,
{
    type Item = Result<C::Yield, Thrown<C::Error>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_next_resume(cx).map(|resumed| item(resumed).transpose())
    }
}

/// A resume in progress. Made by [`AsyncGenerator`].
#[must_use = "a resume does nothing until it is awaited"]
pub struct Resuming<'a, C: Coroutine> {
    generator: &'a mut AsyncGenerator<C>,
    input: Option<InputOf<C>>,
}

impl<C: Coroutine> fmt::Debug for Resuming<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resuming").field(&self.generator).finish()
    }
}

// Nothing in it is pinned: the coroutine is used through `&mut`.
impl<C: Coroutine> Unpin for Resuming<'_, C> {}

impl<C: Coroutine> Future for Resuming<'_, C> {
    type Output = Resumed<C>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let input = self.input.take();
        self.generator.coroutine.poll_resume(cx, input)
    }
}
