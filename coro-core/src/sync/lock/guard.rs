//! The value of a lock, where it stays, and the guard that uses it.

#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use super::{Shared, State};

/// A value that only a [`Guard`] uses.
pub(super) struct Guarded<T> {
    /// **Invariant:** `Locked` as long as there is a guard, and there is one at most. Only [`Guard::take`] sets it to that,
    /// and only the drop of a guard away from that.
    state: Cell<State>,
    value: UnsafeCell<T>,
}

impl<T> Guarded<T> {
    pub(super) fn new(value: T) -> Self {
        Self { state: Cell::new(State::Free), value: UnsafeCell::new(value) }
    }

    #[inline(always)]
    pub(super) fn state(&self) -> State {
        self.state.get()
    }

    /// Who is to have it next: whoever comes, or one who was called. It does nothing while it is locked.
    #[inline(always)]
    pub(super) fn promise(&self, state: State) {
        if self.state.get() != State::Locked && state != State::Locked {
            self.state.set(state);
        }
    }
}

/// The value of a [`Lock`](super::Lock), which is locked while this exists.
#[must_use = "a guard that is dropped at once has locked nothing"]
pub struct Guard<T>(Rc<Shared<T>>);

impl<T> Guard<T> {
    /// The lock, locked, if it is in this state, which is another one than that.
    #[inline(always)]
    pub(super) fn take(lock: &mut Option<Rc<Shared<T>>>, state: State) -> Option<Self> {
        let taken = lock.take_if(|lock| state != State::Locked && lock.guarded.state.get() == state)?;
        taken.guarded.state.set(State::Locked);
        Some(Self(taken))
    }

    #[inline(always)]
    pub(super) fn shared(&self) -> &Shared<T> {
        &self.0
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: by the invariant this is the only guard, and nobody else uses the value. It is borrowed for as long as the
        // result is used.
        unsafe { &*self.0.guarded.value.get() }
    }
}

impl<T> DerefMut for Guard<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as for `deref`.
        unsafe { &mut *self.0.guarded.value.get() }
    }
}

impl<T> Drop for Guard<T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.guarded.state.set(State::Free);
        self.0.release();
    }
}

impl<T: fmt::Debug> fmt::Debug for Guard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&**self).finish()
    }
}
