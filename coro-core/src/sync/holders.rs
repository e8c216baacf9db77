//! Who holds something that several can have at once, for reports.

use std::cell::RefCell;
use std::mem::replace;
use std::rc::Rc;

use crate::event_loop::{Core, Word};

/// The tasks that took something and have not given it back. Cloning gives another handle to the same list.
///
/// Each place is read as it was written, a word at a time: to take something and to give it back soon after must not wait
/// for the memory.
#[derive(Clone, Default)]
pub(crate) struct Holders(Rc<RefCell<Table>>);

#[derive(Default)]
struct Table {
    places: Vec<Holder>,
    /// How many are free; they are linked, and the last one names the next one to be made.
    free: usize,
    first_free: usize,
}

struct Holder {
    task: Word,
    /// The next free place, or [`TAKEN`].
    next: usize,
}

/// The next one of a place that is not free.
const TAKEN: usize = usize::MAX;

/// A place among the holders, until it is given up.
#[derive(Debug)]
pub(super) struct Key(usize);

impl Holders {
    /// The present task takes it. The key is to be given back with it.
    #[inline(always)]
    pub(super) fn enter(&self) -> Key {
        let task = Core::current_word();
        let table = &mut *self.0.borrow_mut();
        let key = table.first_free;
        match table.places.get_mut(key) {
            Some(place) => {
                table.first_free = replace(&mut place.next, TAKEN);
                table.free -= 1;
                place.task = task;
            }
            None => table.push(task),
        }
        Key(key)
    }

    /// Another has it, or nobody that can be named.
    pub(super) fn rename(&self, key: &Key, holder: Word) {
        if let Some(place) = self.0.borrow_mut().places.get_mut(key.0) {
            place.task = holder;
        }
    }

    /// It is given back. False if it was before.
    #[inline(always)]
    pub(super) fn leave(&self, key: &mut Key) -> bool {
        let table = &mut *self.0.borrow_mut();
        let key = replace(&mut key.0, TAKEN);
        let Some(place) = table.places.get_mut(key) else { return false };
        place.next = replace(&mut table.first_free, key);
        table.free += 1;
        true
    }

    /// How many they are.
    pub(super) fn len(&self) -> usize {
        let table = self.0.borrow();
        table.places.len() - table.free
    }

    /// One of them, that has a name if there is one.
    pub(super) fn any(&self) -> Word {
        let table = self.0.borrow();
        let mut holders = table.places.iter().filter(|place| place.next == TAKEN).map(|place| place.task);
        holders.find(|task| *task != Word::NOBODY).unwrap_or(Word::NOBODY)
    }
}

impl Table {
    #[cold]
    fn push(&mut self, task: Word) {
        self.places.push(Holder { task, next: TAKEN });
        self.first_free = self.places.len();
    }
}
