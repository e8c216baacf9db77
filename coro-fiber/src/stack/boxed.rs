//! Slots where there is no `mmap`, or nothing to switch to: stacks of corosensei's own, or none, each in a box.

#![allow(unsafe_code)]

use std::ptr::NonNull;

use corosensei::stack::StackPointer;
#[cfg(windows)]
use corosensei::stack::StackTebFields;
#[cfg(not(coro_threads))]
use corosensei::stack::{DefaultStack, Stack};

use super::header::Header;
#[cfg(coro_threads)]
use crate::switch::DefaultStack;

/// A place for a stack. It lives for as long as there is one of these that is in no list of the arena's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(NonNull<Boxed>);

struct Boxed {
    header: Header,
    stack: DefaultStack,
}

impl Slot {
    pub(super) fn header(&self) -> &Header {
        &self.boxed().header
    }

    fn boxed(&self) -> &Boxed {
        // SAFETY: the box lives, and is only changed by `update_teb_fields`, which has the only slot on loan.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn base(self) -> StackPointer {
        self.boxed().stack.base()
    }

    pub(super) fn limit(self, _slot_bytes: usize) -> StackPointer {
        self.boxed().stack.limit()
    }

    pub(super) fn wipe(self, _slot_bytes: usize) {}

    #[cfg(windows)]
    pub(super) fn teb_fields(self) -> StackTebFields {
        self.boxed().stack.teb_fields()
    }

    #[cfg(windows)]
    pub(super) fn update_teb_fields(mut self, stack_limit: usize, guaranteed_stack_bytes: usize) {
        // SAFETY: the slot is on loan, to the one that calls this, and no reference to the box is held meanwhile.
        unsafe { self.0.as_mut() }.stack.update_teb_fields(stack_limit, guaranteed_stack_bytes);
    }
}

pub(super) fn slot_bytes(stack_bytes: usize) -> Option<usize> {
    isize::try_from(stack_bytes).ok().map(isize::cast_unsigned)
}

/// The memory of a pool.
#[derive(Debug)]
pub(super) struct Arena {
    slot_bytes: usize,
    slots: usize,
}

impl Arena {
    pub(super) fn new(slot_bytes: usize, _protected: bool) -> Self {
        Self { slot_bytes, slots: 0 }
    }

    pub(super) fn reserved_bytes(&self) -> usize {
        self.slots * self.slot_bytes
    }

    pub(super) fn cut(&mut self, _at_most: usize) -> Result<Slot, i32> {
        let stack = DefaultStack::new(self.slot_bytes).map_err(|error| error.raw_os_error().unwrap_or(0))?;
        self.slots += 1;
        Ok(Slot(NonNull::from(Box::leak(Box::new(Boxed { header: Header::free(), stack })))))
    }

    /// They are no slots any more, but for the first `kept`.
    pub(super) fn give_back(&mut self, slots: &mut Vec<Slot>, kept: usize) -> usize {
        let gone = slots.drain(kept..).map(|slot| {
            // SAFETY: from `cut`, and in no list any more.
            drop(unsafe { Box::from_raw(slot.0.as_ptr()) });
        });
        let gone = gone.count();
        self.slots -= gone;
        gone
    }

    pub(super) fn unmap_unused(&mut self, free: &mut Vec<Slot>) -> usize {
        self.give_back(free, 0)
    }
}

pub(super) fn used() -> Option<super::StackUsed> {
    None
}

pub(super) fn room() -> Option<usize> {
    None
}
