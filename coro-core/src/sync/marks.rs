//! What is to be known of each place in a line, kept beside it.

use std::cell::RefCell;

use super::Place;

/// A mark for each place of one line.
#[derive(Default)]
pub(super) struct Marks<K>(RefCell<Vec<K>>);

impl<K: Copy + Default> Marks<K> {
    /// Marks the place at `index`.
    pub(super) fn set(&self, index: usize, mark: K) {
        let mut marks = self.0.borrow_mut();
        if index >= marks.len() {
            marks.resize(index + 1, K::default());
        }
        marks[index] = mark;
    }

    /// Marks a place, if it is one.
    pub(super) fn set_place(&self, place: &Place, mark: K) {
        if !place.is_none() {
            self.set(place.index(), mark);
        }
    }

    /// The mark of the place at `index`; that of nobody where there is none.
    pub(super) fn get(&self, index: usize) -> K {
        self.0.borrow().get(index).copied().unwrap_or_default()
    }
}
