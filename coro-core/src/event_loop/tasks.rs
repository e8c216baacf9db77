//! The tasks of a loop, by their slots.

use super::record::{Lease, Record};
use super::word::{SLOTS, Word};
use crate::task::TaskRef;

/// The tasks that have not ended. A slot is used again.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    slots: Vec<Option<TaskRef>>,
    free: Vec<Vacant>,
}

/// A slot that was used before.
#[derive(Debug, Clone, Copy)]
struct Vacant {
    slot: u32,
    /// The next one. The record knows it too, but further away.
    tenant: u32,
}

/// A task has the slot of its place and one more: the first slot is that of the mailbox.
const FIRST: u32 = 1;

impl Tasks {
    /// The word of the next task, in the record of its loop.
    ///
    /// # Panics
    ///
    /// If the loop has no room for another task.
    #[inline(always)]
    pub(super) fn next_word(&self, lease: &Lease) -> Word {
        match self.free.last() {
            Some(vacant) => Word::new(lease.name(), vacant.slot, vacant.tenant),
            None => {
                let slot = self.slots.len() as u32 + FIRST;
                assert!(slot < SLOTS, "a loop has no room for more than {} tasks", SLOTS - FIRST);
                lease.record().word(lease.name(), slot)
            }
        }
    }

    /// Puts a task in, which has the word that [`next_word`](Self::next_word) gave.
    #[inline(always)]
    pub(super) fn insert(&mut self, task: TaskRef) {
        match self.free.pop() {
            Some(Vacant { slot, .. }) => self.slots[(slot - FIRST) as usize] = Some(task),
            None => self.slots.push(Some(task)),
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, slot: u32) -> Option<&TaskRef> {
        // That of the mailbox is out of range.
        self.slots.get(slot.wrapping_sub(FIRST) as usize)?.as_ref()
    }

    /// Takes the task out of a slot, which has another tenant from now on.
    #[inline(always)]
    pub(super) fn remove(&mut self, word: Word, record: &Record) -> Option<TaskRef> {
        let task = self.slots.get_mut(word.slot().wrapping_sub(FIRST) as usize)?.take()?;
        self.free.push(Vacant { slot: word.slot(), tenant: record.vacate(word) });
        Some(task)
    }

    /// In the order of spawning.
    pub(super) fn all(&self) -> Vec<TaskRef> {
        let mut all: Vec<_> = self.slots.iter().flatten().cloned().collect();
        all.sort_by_key(|task| task.header().id());
        all
    }
}
