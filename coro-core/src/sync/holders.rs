//! Who holds something that several can have at once, for reports.

use std::cell::RefCell;
use std::rc::Rc;

use slab::Slab;

use crate::event_loop::{Core, Word};

/// The tasks that took something and have not given it back. Cloning gives another handle to the same list.
#[derive(Clone, Default)]
pub(crate) struct Holders(Rc<RefCell<Slab<Word>>>);

impl Holders {
    /// The present task takes it. The key is to be given back with it.
    #[inline]
    pub(super) fn enter(&self) -> usize {
        self.0.borrow_mut().insert(Core::current_word())
    }

    /// Another has it, or nobody that can be named.
    pub(super) fn rename(&self, key: usize, holder: Word) {
        if let Some(named) = self.0.borrow_mut().get_mut(key) {
            *named = holder;
        }
    }

    #[inline]
    pub(super) fn leave(&self, key: usize) {
        self.0.borrow_mut().remove(key);
    }

    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// One of them, that has a name if there is one.
    pub(super) fn any(&self) -> Word {
        let holders = self.0.borrow();
        holders
            .iter()
            .map(|(_, holder)| *holder)
            .find(|holder| *holder != Word::NOBODY)
            .unwrap_or(Word::NOBODY)
    }
}
