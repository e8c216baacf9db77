//! The adapter that goes on with another coroutine.

use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll, ready};

use crate::coroutine::{Coroutine, FrameInfo, Input, InputOf, Misuse, Outcome, Resumed, State};

/// Two coroutines, one after the other. Made by [`Adapt::chain`](super::Adapt::chain).
pub struct Chain<C: Coroutine, D> {
    first: C,
    second: D,
    /// What the first returned; the second's turn has come then.
    returned: Option<C::Return>,
    /// The second's turn has come.
    is_second: bool,
    /// The resume that the first is parked in is a close.
    closing: bool,
}

impl<C: Coroutine, D> Chain<C, D> {
    pub(super) fn new(first: C, second: D) -> Self {
        Self { first, second, returned: None, is_second: false, closing: false }
    }

    /// The coroutines themselves, where they stand.
    pub fn into_inner(self) -> (C, D) {
        (self.first, self.second)
    }
}

impl<C, D> Coroutine for Chain<C, D>
where
    C: Coroutine,
    D: Coroutine<Send = C::Send, Yield = C::Yield, Error = C::Error>,
{
    type Send = C::Send;
    type Yield = C::Yield;
    type Return = (C::Return, D::Return);
    type Error = C::Error;

    fn state(&self) -> State {
        // Where the first ended otherwise than by returning, it stands for the whole: it is finished, and answers as
        // such.
        if self.is_second { self.second.state() } else { self.first.state() }
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        if self.is_second { self.second.delegates() } else { self.first.delegates() }
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<crate::coroutine::FrameTrace> {
        if self.is_second { self.second.backtrace() } else { self.first.backtrace() }
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        if self.is_second {
            return self.poll_second(cx, input);
        }
        let was_closing = self.closing;
        self.closing |= matches!(input, Some(Input::Close));
        let resumed = ready!(self.first.poll_resume(cx, input));
        let closing = self.closing;
        self.closing = match resumed {
            // Refused: what was under way still is.
            Err(Misuse::Running(_)) => was_closing,
            // It stays where it is.
            Err(Misuse::ForeignPending) => closing,
            _ => false,
        };
        match resumed? {
            Outcome::Yielded(value) => Poll::Ready(Ok(Outcome::Yielded(value))),
            Outcome::Raised(error) => Poll::Ready(Ok(Outcome::Raised(error))),
            Outcome::Closed => Poll::Ready(Ok(Outcome::Closed)),
            Outcome::Returned(_) if closing => Poll::Ready(Ok(Outcome::Closed)),
            Outcome::Returned(value) => {
                self.returned = Some(value);
                self.is_second = true;
                self.poll_second(cx, None)
            }
        }
    }
}

impl<C, D> Chain<C, D>
where
    C: Coroutine,
    D: Coroutine<Send = C::Send, Yield = C::Yield, Error = C::Error>,
{
    fn poll_second(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.second.poll_resume(cx, input).map_ok(|outcome| match outcome {
            Outcome::Yielded(value) => Outcome::Yielded(value),
            Outcome::Returned(second) => match self.returned.take() {
                Some(first) => Outcome::Returned((first, second)),
                // It returned twice, which a coroutine does not.
                None => Outcome::Closed,
            },
            Outcome::Raised(error) => Outcome::Raised(error),
            Outcome::Closed => Outcome::Closed,
        })
    }
}

impl<C: Coroutine, D: Coroutine> fmt::Debug for Chain<C, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.first.state()).field(&self.second.state()).finish()
    }
}
