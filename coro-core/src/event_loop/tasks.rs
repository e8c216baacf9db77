//! The tasks of a loop, by their slots.

use crate::task::TaskRef;

/// The tasks that have not ended. A slot is used again.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    slots: Vec<Option<TaskRef>>,
    free: Vec<u32>,
    len: usize,
}

/// A task has the slot of its place and one more: the first slot is that of the mailbox.
const FIRST: u32 = 1;

impl Tasks {
    /// The slot that the next task will have.
    ///
    /// # Panics
    ///
    /// If the loop has no room for another task: it has `slots` in all.
    pub(super) fn vacant(&self, slots: u32) -> u32 {
        let slot = self.free.last().copied().unwrap_or(self.slots.len() as u32 + FIRST);
        assert!(slot < slots, "a loop has no room for more than {} tasks", slots - FIRST);
        slot
    }

    /// Puts a task into the slot that [`vacant`](Self::vacant) has named.
    pub(super) fn insert(&mut self, task: TaskRef) {
        self.len += 1;
        match self.free.pop() {
            Some(slot) => self.slots[(slot - FIRST) as usize] = Some(task),
            None => self.slots.push(Some(task)),
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, slot: u32) -> Option<&TaskRef> {
        // That of the mailbox is out of range.
        self.slots.get(slot.wrapping_sub(FIRST) as usize)?.as_ref()
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<TaskRef> {
        let task = self.slots.get_mut(slot.wrapping_sub(FIRST) as usize)?.take()?;
        self.free.push(slot);
        self.len -= 1;
        Some(task)
    }

    /// In the order of spawning.
    pub(super) fn all(&self) -> Vec<TaskRef> {
        let mut all: Vec<_> = self.slots.iter().flatten().cloned().collect();
        all.sort_by_key(|task| task.header().id());
        all
    }
}
