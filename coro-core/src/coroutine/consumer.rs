//! The face of a coroutine that is there to receive: a sink.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_sink::Sink;

use super::{Coroutine, Input, InputOf, Misuse, MisuseKind, Outcome, State, Thrown};

/// Why a [`Consumer`] did not take an item, or did not end quietly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsumeError<T, E> {
    /// The body has ended. The item comes back.
    #[error("the consumer has finished")]
    Finished(T),
    /// The item before is still on its way: wait until the sink is ready. This one comes back.
    #[error("the consumer is not ready: wait for poll_ready() before each item")]
    NotReady(T),
    /// The body ended with this error.
    #[error("the consumer raised an error")]
    Raised(Thrown<E>),
    /// The body misused another coroutine or its engine, or ignored its exit.
    #[error("{0}")]
    Misuse(MisuseKind),
}

/// A coroutine that receives items, as a [`Sink`] of them. Made by [`CoroutineExt::sink`](super::CoroutineExt::sink).
///
/// | the sink | the coroutine |
/// |---|---|
/// | `poll_ready` | starts if it is new, and goes on to its next `yield` |
/// | `start_send(item)` | the item waits for the next poll |
/// | `poll_flush` | receives the item, and goes on to its next `yield` |
/// | `poll_close` | the same, and then it is closed |
///
/// Once the body has returned, its value is kept for [`returned`](Self::returned). Such a consumer is always ready, and
/// refuses every item: so the item comes back in the error ([`ConsumeError::Finished`]), instead of being
/// dropped by whoever waits until the sink is ready. Flushing and closing it do nothing. An error that the body raises comes out
/// once, from the poll that met it.
///
/// # Cancellation
///
/// Strict: an item is in the sink or handed back. One that was taken and not flushed is received with the next.
///
/// # Examples
///
/// ```
/// use coro_core::native::Native;
/// use coro_core::prelude::*;
/// use futures::{SinkExt, stream};
///
/// let mut adder = Native::<u32, (), u32>::new(async |co| {
///     let mut sum = 0;
///     loop {
///         match co.yield_(()).await {
///             Ok(item) => sum += item,
///             Err(Thrown::Exit) => return Ok(sum),
///             Err(other) => return Err(other),
///         }
///     }
/// })
/// .sink();
/// let sum = Loop::simulated().run(async move {
///     adder.send(1).await.unwrap();
///     adder.send_all(&mut stream::iter([Ok(2), Ok(3)])).await.unwrap();
///     adder.close().await.unwrap();
///     adder.returned()
/// });
/// assert_eq!(sum.unwrap(), Some(6));
/// ```
pub struct Consumer<C: Coroutine> {
    coroutine: C,
    /// Taken, and not yet received.
    item: Option<C::Send>,
    returned: Option<C::Return>,
    closing: bool,
}

impl<C: Coroutine<Yield = ()>> Consumer<C> {
    pub(super) fn new(coroutine: C) -> Self {
        Self { coroutine, item: None, returned: None, closing: false }
    }

    /// Takes the value that the body has returned, of itself or when it was closed. `None` if it has not, or if the
    /// value was taken before.
    pub fn returned(&mut self) -> Option<C::Return> {
        self.returned.take()
    }

    /// The coroutine itself, where it stands, and the item that it has not received.
    pub fn into_inner(self) -> (C, Option<C::Send>) {
        (self.coroutine, self.item)
    }

    /// Goes on to a `yield` at which it can receive, or to its end.
    fn poll_receptive(&mut self, cx: &mut Context<'_>) -> Poll<Answer<C>> {
        loop {
            match self.coroutine.state() {
                State::Created | State::Running => ready!(self.poll_resume(cx, None))?,
                State::Suspended | State::Finished => return Poll::Ready(Ok(())),
            }
        }
    }

    fn poll_deliver(&mut self, cx: &mut Context<'_>) -> Poll<Answer<C>> {
        ready!(self.poll_receptive(cx))?;
        match self.item.take() {
            None => Poll::Ready(Ok(())),
            Some(item) => {
                ready!(self.poll_resume(cx, Some(Input::Send(item))))?;
                self.poll_receptive(cx)
            }
        }
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<C>>) -> Poll<Answer<C>> {
        Poll::Ready(match ready!(self.coroutine.poll_resume(cx, input)) {
            Ok(Outcome::Yielded(()) | Outcome::Closed) => Ok(()),
            Ok(Outcome::Returned(value)) => {
                self.returned = Some(value);
                Ok(())
            }
            Ok(Outcome::Raised(error)) => Err(ConsumeError::Raised(error)),
            Err(Misuse::Finished(Some(item))) => Err(ConsumeError::Finished(item)),
            Err(Misuse::Running(Some(Input::Send(item))) | Misuse::NotStarted(item)) => {
                // Somebody else resumes it: the item stays here.
                self.item = Some(item);
                Err(ConsumeError::Misuse(MisuseKind::Running))
            }
            Err(misuse) => Err(ConsumeError::Misuse(misuse.kind())),
        })
    }
}

type Answer<C> = Result<(), ConsumeError<<C as Coroutine>::Send, <C as Coroutine>::Error>>;

// Nothing in it is pinned: the coroutine is used through `&mut`.
impl<C: Coroutine> Unpin for Consumer<C> {}

impl<C: Coroutine<Yield = ()>> Sink<C::Send> for Consumer<C> {
    type Error = ConsumeError<C::Send, C::Error>;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.poll_deliver(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, item: C::Send) -> Result<(), Self::Error> {
        if self.item.is_some() {
            return Err(ConsumeError::NotReady(item));
        }
        match self.coroutine.state() {
            State::Finished => Err(ConsumeError::Finished(item)),
            State::Running => Err(ConsumeError::NotReady(item)),
            State::Created | State::Suspended => {
                self.item = Some(item);
                Ok(())
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self.item {
            // A new coroutine with nothing to receive need not run.
            None if self.coroutine.state() == State::Created => Poll::Ready(Ok(())),
            _ => self.poll_deliver(cx),
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if !self.closing {
            ready!(self.as_mut().poll_flush(cx))?;
            if self.coroutine.state() == State::Finished {
                return Poll::Ready(Ok(()));
            }
        }
        let input = (!core::mem::replace(&mut self.closing, true)).then_some(Input::Close);
        let closed = ready!(self.poll_resume(cx, input));
        self.closing = false;
        Poll::Ready(closed)
    }
}

impl<C: Coroutine> fmt::Debug for Consumer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = self.item.is_some();
        f.debug_struct("Consumer").field("state", &self.coroutine.state()).field("has_item", &item).finish()
    }
}
