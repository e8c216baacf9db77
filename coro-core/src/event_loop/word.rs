//! The names of tasks and loops, as wakers hold them: in one word.

use super::record::Record;

/// The bits of a word: `slot | tenant of the slot | record | tenant of the record`, from the lowest.
///
/// A test build has few tenants (`--cfg coro_narrow`): they come round at once, and wakers wake the wrong ones.
pub(super) const SLOT_BITS: u32 = if cfg!(coro_loom) { 4 } else { 24 };
pub(super) const SLOT_TENANT_BITS: u32 = if cfg!(coro_narrow) { 2 } else { 16 };
pub(super) const RECORD_BITS: u32 = if cfg!(coro_loom) { 2 } else { 16 };
pub(super) const RECORD_TENANT_BITS: u32 = if cfg!(coro_narrow) { 2 } else { 8 };

/// How many slots, and how many records, are made at once at first. A model has room for few.
pub(super) const FIRST_PAGE: u32 = if cfg!(coro_loom) { 4 } else { 64 };
pub(super) const CHUNK: usize = if cfg!(coro_loom) { 2 } else { 64 };

/// The slot of the mailbox: who wakes it has left something there.
pub(crate) const MAIL: u32 = 0;
/// How many tasks a loop can have at once.
pub(crate) const SLOTS: u32 = 1 << SLOT_BITS;

/// Names a slot of a loop, and who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    /// That of no task: no record has the number zero.
    pub(crate) const NOBODY: Self = Self(0);

    pub(super) fn new(record: RecordName, slot: u32, tenant: u32) -> Self {
        let slot = u64::from(slot) | u64::from(tenant) << SLOT_BITS;
        Self(slot | u64::from(record.0) << (SLOT_BITS + SLOT_TENANT_BITS))
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn slot(self) -> u32 {
        (self.0 as u32) & (SLOTS - 1)
    }

    pub(crate) fn tenant(self) -> u32 {
        (self.0 >> SLOT_BITS) as u32 & ((1 << SLOT_TENANT_BITS) - 1)
    }

    /// The name of who comes next into this slot.
    #[inline(always)]
    pub(super) fn next(self) -> Self {
        let next = Self(self.0.wrapping_add(1 << SLOT_BITS));
        if next.tenant() == 0 { next.without_carry() } else { next }
    }

    /// After the last tenant the count has run over into what is above it.
    #[cold]
    fn without_carry(self) -> Self {
        Self(self.0.wrapping_sub(1 << (SLOT_BITS + SLOT_TENANT_BITS)))
    }

    pub(crate) fn record(self) -> RecordName {
        RecordName((self.0 >> (SLOT_BITS + SLOT_TENANT_BITS)) as u32)
    }

    /// Wakes, from any thread but that of the loop.
    pub(crate) fn wake_remotely(self) {
        let name = self.record();
        if let Some(record) = Record::find(name.index()).filter(|record| record.is_tenant(name)) {
            record.wake(self.slot(), Some(self.tenant()));
        }
    }
}

/// Names a record, and which loop has it. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordName(pub(super) u32);

impl RecordName {
    pub(super) fn index(self) -> usize {
        (self.0 & ((1 << RECORD_BITS) - 1)) as usize
    }
}
