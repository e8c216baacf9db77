//! Waits that pass a cancellation on to several tasks first, and let it out when those have ended.

use std::task::{Context, Poll};

use super::landing::{Kind, Landing};
use super::{Cancelled, Members};
use crate::event_loop::{Core, Heard};

/// Hears a cancellation for a wait that goes on until it has put things in order.
#[derive(Default)]
pub(crate) struct Interrupted {
    landing: Landing,
    linked: bool,
    cancelled: Option<Cancelled>,
    let_out: bool,
}

impl Interrupted {
    /// Begins a poll. What was thrown since the last one is for `members` to hear.
    pub(crate) fn hear<T>(&mut self, cx: &Context<'_>, members: &Members<T>) {
        if !self.linked {
            return;
        }
        let Some(cancelled) = self.landing.poll_as(cx, Kind::Landing) else { return };
        Core::note_heard(Heard::Waits);
        let same = self.cancelled.as_ref().is_some_and(|before| before.is(&cancelled));
        if same && Core::throws_again() {
            return;
        }
        // The same one again has gone round a circle of tasks that wait for each other.
        members.cancel(&cancelled, same);
        self.let_out = false;
        self.cancelled = Some(cancelled);
    }

    /// Whether something was thrown.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.cancelled.is_some()
    }

    /// It waits: from now on it hears.
    pub(crate) fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !std::mem::replace(&mut self.linked, true) {
            drop(self.landing.poll_as(cx, Kind::Landing));
        }
        Poll::Pending
    }

    /// All is in order. If something was thrown, it goes on now, and the future is dropped.
    pub(crate) fn finish<T>(&mut self, output: impl FnOnce() -> T) -> Poll<T> {
        let Some(cancelled) = &self.cancelled else {
            self.landing.leave();
            return Poll::Ready(output());
        };
        if !std::mem::replace(&mut self.let_out, true) {
            self.landing.pass_on(cancelled);
        }
        Poll::Pending
    }
}
