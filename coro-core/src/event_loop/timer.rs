//! Timers, in the order of (deadline, sequence number). Cancelling one frees it at once.

use std::cell::Cell;
use std::task::Waker;

use super::Core;
use super::callback::Callback;
use super::current::{CoreNumber, find};
use super::wheel::{Key, Wheel};
use super::word::Word;
use crate::task::word_of;
use crate::time::Time;

/// What happens when a timer is due.
#[derive(Debug)]
pub(super) enum Action {
    /// A task of ours is woken.
    Wake(Word),
    Call(Callback),
    /// Somebody else is woken. Apart, because most timers are none of these.
    Foreign(Box<Waker>),
}

impl Action {
    #[inline(always)]
    pub(super) fn wake(waker: Waker) -> Self {
        match word_of(&waker) {
            Some(word) => Self::Wake(word),
            None => Self::Foreign(Box::new(waker)),
        }
    }

    fn will_wake(&self, waker: &Waker) -> bool {
        match self {
            Self::Wake(word) => word_of(waker) == Some(*word),
            Self::Foreign(own) => own.will_wake(waker),
            Self::Call(_) => true,
        }
    }
}

/// The pending timers of a loop.
#[derive(Debug, Default)]
pub(super) struct Timers(Wheel<Action>);

impl Timers {
    #[inline(always)]
    pub(super) fn insert(&mut self, deadline: Time, action: Action) -> Key {
        self.0.insert(to_wheel(deadline), action)
    }

    /// What has to be dropped comes back, for the caller to do that outside every borrow.
    #[inline(always)]
    pub(super) fn remove(&mut self, key: Key) -> Option<Box<Action>> {
        self.0.remove_with(key, |action| match action {
            Action::Wake(_) => None,
            action => Some(Box::new(action)),
        })?
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Action> {
        self.0.get_mut(key)
    }

    pub(super) fn next_deadline(&mut self) -> Option<Time> {
        self.0.next_deadline().map(from_wheel)
    }

    /// With when it was due.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<(Time, Action)> {
        let (deadline, action) = self.0.pop_due(to_wheel(now))?;
        Some((from_wheel(deadline), action))
    }

    /// Tells of each task that one will wake, and when.
    pub(super) fn each_wake(&self, mut tell: impl FnMut(Word, Time)) {
        self.0.each(|deadline, action| {
            if let Action::Wake(word) = action {
                tell(*word, from_wheel(deadline));
            }
        });
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
#[derive(Debug)]
pub(crate) struct TimerKey {
    core: CoreNumber,
    /// `None` if it was never pending: its loop was closed.
    key: Option<Key>,
    cancelled: Cell<bool>,
}

impl TimerKey {
    pub(super) fn new(core: CoreNumber, key: Option<Key>) -> Self {
        Self { core, key, cancelled: Cell::new(false) }
    }

    /// Whether the timer has gone off; if not, it will wake `waker`. A timer of a loop that is gone never will.
    pub(crate) fn poll_expired(&self, waker: &Waker) -> bool {
        let poll = |core: &Core| {
            let mut timers = core.timers.borrow_mut();
            match self.key.and_then(|key| timers.get_mut(key)) {
                _ if core.is_closed() => Polled::Pending,
                None if self.cancelled.get() => Polled::Pending,
                None => Polled::Expired,
                Some(action) if !action.will_wake(waker) => Polled::OtherWaker,
                Some(_) => Polled::Pending,
            }
        };
        match Core::with(self.core, poll) {
            Some(Polled::Expired) => true,
            Some(Polled::Pending) | None => false,
            Some(Polled::OtherWaker) => {
                self.replace_waker(waker.clone());
                false
            }
        }
    }

    /// When it is due, while it is pending.
    pub(crate) fn deadline(&self, core: &Core) -> Time {
        let deadline = self.key.and_then(|key| core.timers.borrow().0.deadline(key));
        deadline.map_or(Time::MAX, from_wheel)
    }

    #[cold]
    fn replace_waker(&self, waker: Waker) {
        let Some(core) = find(self.core) else { return };
        let Some(key) = self.key else { return };
        let outdated = {
            let mut timers = core.timers.borrow_mut();
            timers.get_mut(key).map(|action| std::mem::replace(action, Action::wake(waker)))
        };
        drop(outdated);
    }

    /// Removes the timer, if it is still pending.
    #[inline(always)]
    pub(crate) fn cancel(&self) {
        self.cancelled.set(true);
        let Some(key) = self.key else { return };
        if let Some(Some(action)) = Core::with(self.core, |core| core.timers.borrow_mut().remove(key)) {
            drop(action);
        }
    }
}
