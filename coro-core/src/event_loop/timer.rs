//! Timers, in the order of (deadline, sequence number). Cancelling one frees it at once.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Weak;
use std::task::Waker;

use super::Core;
use super::ready::Callback;
use crate::time::Time;

/// What happens when a timer is due.
#[derive(Debug)]
pub(super) enum Action {
    Wake(Waker),
    Call(Callback),
}

/// The pending timers of a loop.
#[derive(Debug, Default)]
pub(super) struct Timers {
    pending: BTreeMap<(Time, u64), Action>,
    sequence: u64,
}

impl Timers {
    pub(super) fn insert(&mut self, deadline: Time, action: Action) -> (Time, u64) {
        self.sequence += 1;
        let key = (deadline, self.sequence);
        self.pending.insert(key, action);
        key
    }

    /// The action comes back to be dropped by the caller, outside every borrow.
    pub(super) fn remove(&mut self, key: (Time, u64)) -> Option<Action> {
        self.pending.remove(&key)
    }

    pub(super) fn get_mut(&mut self, key: (Time, u64)) -> Option<&mut Action> {
        self.pending.get_mut(&key)
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.pending.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    pub(super) fn pop_due(&mut self, now: Time) -> Option<Action> {
        let entry = self.pending.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn clear(&mut self) -> BTreeMap<(Time, u64), Action> {
        std::mem::take(&mut self.pending)
    }
}

/// A pending timer of one loop.
pub(crate) struct TimerKey {
    core: Weak<Core>,
    key: (Time, u64),
    cancelled: Cell<bool>,
}

impl TimerKey {
    pub(super) fn new(core: Weak<Core>, key: (Time, u64)) -> Self {
        Self { core, key, cancelled: Cell::new(false) }
    }

    /// When the timer is due.
    pub(crate) fn deadline(&self) -> Time {
        self.key.0
    }

    /// Whether the timer has gone off; if not, it will wake `waker`. A timer of a loop that is gone never will.
    pub(crate) fn poll_expired(&self, waker: &Waker) -> bool {
        let Some(core) = self.core.upgrade().filter(|core| !core.is_closed()) else { return false };
        let outdated = {
            let mut timers = core.timers.borrow_mut();
            match timers.get_mut(self.key) {
                None => return !self.cancelled.get(),
                Some(Action::Wake(current)) if !current.will_wake(waker) => {
                    Some(std::mem::replace(current, waker.clone()))
                }
                Some(_) => None,
            }
        };
        drop(outdated);
        false
    }

    /// Removes the timer, if it is still pending.
    pub(crate) fn cancel(&self) {
        self.cancelled.set(true);
        let Some(core) = self.core.upgrade() else { return };
        let action = core.timers.borrow_mut().remove(self.key);
        drop(action);
    }
}

impl fmt::Debug for TimerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimerKey({})", self.deadline())
    }
}
