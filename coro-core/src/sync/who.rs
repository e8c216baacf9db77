//! Who waits at a place in a line.

use std::task::Waker;

use crate::event_loop::Word;
use crate::task::{call, wake, word_of};

/// Who is to be woken for a place in a line.
pub(super) enum Who {
    /// A task of ours.
    Task(Word),
    /// Apart, because most are none of these.
    Foreign(Box<Waker>),
    /// Nobody: it was called.
    Called,
    /// Nobody: its wait was cut off.
    CutOff,
}

impl Who {
    #[inline(always)]
    pub(super) fn of(waker: &Waker) -> Self {
        word_of(waker).map_or_else(|| Self::foreign(waker), Self::Task)
    }

    #[cold]
    fn foreign(waker: &Waker) -> Self {
        Self::Foreign(Box::new(waker.clone()))
    }

    #[inline(always)]
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Task(_) | Self::Foreign(_))
    }

    /// Wakes it, cancelled or not.
    pub(super) fn wake(self) {
        match self {
            Self::Task(word) => wake(word),
            Self::Foreign(waker) => waker.wake(),
            Self::Called | Self::CutOff => {}
        }
    }

    /// Wakes it, unless it is a task whose wait was cut off. False then.
    #[inline]
    pub(super) fn call(self) -> bool {
        match self {
            Self::Task(word) => call(word),
            other => {
                other.wake();
                true
            }
        }
    }
}
