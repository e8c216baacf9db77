//! The adapter that ends early.

use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll};

use crate::coroutine::{Coroutine, FrameInfo, Input, InputOf, Outcome, Resumed, State, finished};

/// A coroutine that ends after some yields. Made by [`Adapt::take`](super::Adapt::take).
pub struct Take<C> {
    coroutine: C,
    left: usize,
    /// It has returned without its coroutine.
    cut: bool,
}

impl<C> Take<C> {
    pub(super) fn new(coroutine: C, count: usize) -> Self {
        Self { coroutine, left: count, cut: false }
    }

    /// The coroutine itself, where it stands.
    pub fn into_inner(self) -> C {
        self.coroutine
    }
}

impl<C: Coroutine> Take<C> {
    /// Whether `input` would make the coroutine go on to a yield too many.
    fn is_too_far(&self, input: Option<&InputOf<C>>) -> bool {
        let goes_on = match input {
            None => State::Created,
            Some(Input::Send(_)) => State::Suspended,
            Some(Input::Throw(_) | Input::Close) => return false,
        };
        self.left == 0 && self.coroutine.state() == goes_on
    }
}

impl<C: Coroutine> Coroutine for Take<C> {
    type Send = C::Send;
    type Yield = C::Yield;
    type Return = Option<C::Return>;
    type Error = C::Error;

    fn state(&self) -> State {
        if self.cut { State::Finished } else { self.coroutine.state() }
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        if self.cut { Vec::new() } else { self.coroutine.delegates() }
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<crate::coroutine::FrameTrace> {
        if self.cut { Vec::new() } else { self.coroutine.backtrace() }
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        if self.cut {
            return Poll::Ready(finished(input));
        }
        if self.is_too_far(input.as_ref()) {
            self.cut = true;
            return Poll::Ready(Ok(Outcome::Returned(None)));
        }
        self.coroutine.poll_resume(cx, input).map_ok(|outcome| match outcome {
            Outcome::Yielded(value) => {
                self.left = self.left.saturating_sub(1);
                Outcome::Yielded(value)
            }
            Outcome::Returned(value) => Outcome::Returned(Some(value)),
            Outcome::Raised(error) => Outcome::Raised(error),
            Outcome::Closed => Outcome::Closed,
        })
    }
}

impl<C: Coroutine> fmt::Debug for Take<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Take").field("state", &self.state()).field("left", &self.left).finish()
    }
}
