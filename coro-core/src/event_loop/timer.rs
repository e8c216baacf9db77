//! Timers, in the order of (deadline, sequence number). Cancelling one frees it at once.

use std::cell::Cell;
use std::fmt;
use std::rc::Weak;
use std::task::Waker;

use super::Core;
use super::callback::Callback;
use super::wheel::{Key, Wheel};
use crate::time::Time;

/// What happens when a timer is due.
#[derive(Debug)]
pub(super) enum Action {
    Wake(Waker),
    Call(Callback),
}

/// The pending timers of a loop.
#[derive(Debug, Default)]
pub(super) struct Timers(Wheel<Action>);

impl Timers {
    pub(super) fn insert(&mut self, deadline: Time, action: Action) -> Key {
        self.0.insert(to_wheel(deadline), action)
    }

    /// The action comes back to be dropped by the caller, outside every borrow.
    pub(super) fn remove(&mut self, key: Key) -> Option<Action> {
        self.0.remove(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Action> {
        self.0.get_mut(key)
    }

    pub(super) fn next_deadline(&mut self) -> Option<Time> {
        self.0.next_deadline().map(from_wheel)
    }

    pub(super) fn pop_due(&mut self, now: Time) -> Option<Action> {
        self.0.pop_due(to_wheel(now))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) -> Vec<Action> {
        self.0.clear()
    }
}

/// The same order, without a sign.
fn to_wheel(time: Time) -> u64 {
    time.as_nanos().cast_unsigned() ^ (1 << 63)
}

fn from_wheel(time: u64) -> Time {
    Time::from_nanos((time ^ (1 << 63)).cast_signed())
}

enum Polled {
    Pending,
    Expired,
    /// Pending, and will wake somebody else.
    OtherWaker,
}

/// A pending timer of one loop.
pub(crate) struct TimerKey {
    core: Weak<Core>,
    /// `None` if it was never pending: its loop was closed.
    key: Option<Key>,
    deadline: Time,
    cancelled: Cell<bool>,
}

impl TimerKey {
    pub(super) fn new(core: Weak<Core>, deadline: Time, key: Option<Key>) -> Self {
        Self { core, key, deadline, cancelled: Cell::new(false) }
    }

    /// When the timer is due.
    pub(crate) fn deadline(&self) -> Time {
        self.deadline
    }

    /// Whether the timer has gone off; if not, it will wake `waker`. A timer of a loop that is gone never will.
    pub(crate) fn poll_expired(&self, waker: &Waker) -> bool {
        let poll = |core: &Core| {
            let mut timers = core.timers.borrow_mut();
            match self.key.and_then(|key| timers.get_mut(key)) {
                _ if core.is_closed() => Polled::Pending,
                None if self.cancelled.get() => Polled::Pending,
                None => Polled::Expired,
                Some(Action::Wake(current)) if !current.will_wake(waker) => Polled::OtherWaker,
                Some(_) => Polled::Pending,
            }
        };
        match Core::with(&self.core, poll) {
            Some(Polled::Expired) => true,
            Some(Polled::Pending) | None => false,
            Some(Polled::OtherWaker) => {
                self.replace_waker(waker.clone());
                false
            }
        }
    }

    #[cold]
    fn replace_waker(&self, waker: Waker) {
        let Some(core) = self.core.upgrade() else { return };
        let Some(key) = self.key else { return };
        let outdated = {
            let mut timers = core.timers.borrow_mut();
            timers.get_mut(key).map(|action| std::mem::replace(action, Action::Wake(waker)))
        };
        drop(outdated);
    }

    /// Removes the timer, if it is still pending.
    pub(crate) fn cancel(&self) {
        self.cancelled.set(true);
        let Some(key) = self.key else { return };
        let action = Core::with(&self.core, |core| core.timers.borrow_mut().remove(key));
        drop(action);
    }
}

impl fmt::Debug for TimerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimerKey({})", self.deadline())
    }
}
