//! Those who are told of a result, in the order in which they came: who awaits it, and who is called back.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::task::Waker;

use crate::event_loop::{Callback, Word};
use crate::task::word_of;

/// Names a callback that was added, for whoever wants to remove it. Dropping it leaves the callback alone.
#[derive(Clone)]
pub struct DoneCallback(pub(in crate::task) Callback);

impl fmt::Debug for DoneCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoneCallback").finish_non_exhaustive()
    }
}

/// One of them. `F` is what is called.
pub(super) enum Waiter<F> {
    Wait(Waker),
    /// With what the loop will know of it, which has the context, but not the function yet.
    Call(Callback, F),
}

/// All of them, by their numbers. Nothing of it is borrowed while a waker is cloned, called or dropped.
pub(super) struct Waiters<F> {
    all: RefCell<BTreeMap<u64, Waiter<F>>>,
    /// How many have come, ever.
    entered: Cell<u64>,
}

impl<F> Waiters<F> {
    pub(super) fn new() -> Self {
        Self { all: RefCell::default(), entered: Cell::new(0) }
    }

    /// Gives its number.
    pub(super) fn add(&self, waiter: Waiter<F>) -> u64 {
        let number = self.entered.get();
        self.entered.set(number + 1);
        self.all.borrow_mut().insert(number, waiter);
        number
    }

    pub(super) fn remove(&self, number: u64) -> Option<Waiter<F>> {
        self.all.borrow_mut().remove(&number)
    }

    /// The one who waits is woken by this from now on.
    pub(super) fn update(&self, number: u64, waker: &Waker) {
        // That of a foreign executor may run anything, but to compare it is to compare two words.
        let known = |waiter: &Waiter<F>| matches!(waiter, Waiter::Wait(known) if known.will_wake(waker));
        if self.all.borrow().get(&number).is_some_and(known) {
            return;
        }
        let waiter = Waiter::Wait(waker.clone());
        let outdated = self.all.borrow_mut().insert(number, waiter);
        drop(outdated);
    }

    /// Tells of each task that waits.
    pub(super) fn each_word(&self, mut tell: impl FnMut(Word)) {
        for waiter in self.all.borrow().values() {
            if let Waiter::Wait(waker) = waiter
                && let Some(word) = word_of(waker)
            {
                tell(word);
            }
        }
    }

    /// False if it is none of them.
    pub(super) fn remove_callback(&self, callback: &Callback) -> bool {
        let is_it = |waiter: &Waiter<F>| matches!(waiter, Waiter::Call(other, _) if other.is(callback));
        let found = self.all.borrow().iter().find(|(_, waiter)| is_it(waiter)).map(|(number, _)| *number);
        found.and_then(|number| self.remove(number)).is_some()
    }

    pub(super) fn take_all(&self) -> impl Iterator<Item = Waiter<F>> + use<F> {
        self.all.take().into_values()
    }
}
