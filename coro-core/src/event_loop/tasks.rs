//! The tasks of a loop, by their slots.

use std::cell::Cell;

use super::record::Lease;
use super::word::{MAIL, SLOTS, Word};
use crate::task::TaskRef;

/// The tasks that have not ended. A slot is used again.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// The first slot is that of the mailbox: no task is there.
    slots: Vec<Option<TaskRef>>,
    /// The names of those who come next into slots where nobody is. The record knows them too, but further away.
    vacant: Vec<Word>,
    /// For each slot, the slot of the task that its task awaited last. It may have ended long ago.
    awaited: Vec<Cell<u32>>,
}

/// How many slots are made at once.
const AT_ONCE: usize = 16;

impl Tasks {
    /// A place for another task, if there is one: its word, and where to put it, where nobody is. It cannot panic.
    #[inline(always)]
    pub(super) fn vacancy(&mut self) -> Option<(Word, &mut Option<TaskRef>)> {
        let word = self.vacant.pop()?;
        Some((word, self.slots.get_mut(word.slot() as usize)?))
    }

    /// Makes some places, if there is none.
    ///
    /// # Panics
    ///
    /// If the loop has no room for another task.
    pub(super) fn make_room(&mut self, lease: &Lease) {
        if !self.vacant.is_empty() {
            return;
        }
        let (first, all) = (self.slots.len().max(MAIL as usize + 1), SLOTS as usize);
        assert!(first < all, "a loop has no room for more than {} tasks", SLOTS - 1);
        let end = (first + AT_ONCE).min(all);
        self.slots.resize_with(end, || None);
        self.awaited.resize_with(end, || Cell::new(MAIL));
        // The first one is taken first.
        let words = (first..end).rev().map(|slot| lease.record().word(lease.name(), slot as u32));
        // For all of them together.
        self.vacant.reserve(end);
        self.vacant.extend(words);
    }

    #[inline(always)]
    pub(super) fn get(&self, slot: u32) -> Option<&TaskRef> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// Takes the task out of a slot, which has another tenant from now on.
    #[inline(always)]
    pub(super) fn remove(&mut self, word: Word, lease: &Lease) -> Option<TaskRef> {
        let task = self.slots.get_mut(word.slot() as usize)?.take()?;
        let next = lease.vacate(word);
        // There is room for all slots: nothing is allocated when a task ends.
        if self.vacant.len() < self.vacant.capacity() {
            self.vacant.push(next);
        }
        Some(task)
    }

    /// A task awaits another one.
    #[inline(always)]
    pub(super) fn note_awaited(&self, task: Word, awaited: Word) {
        if let Some(note) = self.awaited.get(task.slot() as usize) {
            note.set(awaited.slot());
        }
    }

    /// The task that one awaited last, or who came after that one. Only that one can tell whether it is still awaited.
    pub(super) fn awaited_by(&self, task: Word) -> Option<&TaskRef> {
        self.get(self.awaited.get(task.slot() as usize)?.get())
    }

    /// In the order of spawning.
    pub(super) fn all(&self) -> Vec<TaskRef> {
        let mut all: Vec<_> = self.slots.iter().flatten().cloned().collect();
        all.sort_by_key(|task| task.header().id());
        all
    }
}
