//! Slots in mapped memory.

#![allow(unsafe_code)]

mod guard;
mod memory;
mod overflow;
mod place;
mod signal_stack;

use std::ptr::{self, NonNull};

use corosensei::stack::StackPointer;
use corosensei::stack::valgrind::ValgrindStackRegistration;

use self::guard::Guard;
use self::memory::{Region, page_bytes};
use self::place::Place;
use super::header::Header;

/// The least and the largest that is mapped at once, if a slot is not larger.
const CHUNK_BYTES: std::ops::RangeInclusive<usize> = 1024 * 1024..=64 * 1024 * 1024;
/// How much address space stays to the rest of the program when a limit is met.
const SPARED_BYTES: usize = 16 * 1024 * 1024;
/// What is left out at the top of a slot: a multiple of this, below half a (small) page.
const STAGGER_BYTES: usize = 64;
const STAGGERS: usize = 32;

/// A place for a stack: where its header is.
///
/// It is mapped for as long as there is one of these that is not in a list which the arena was given to unmap unused slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(NonNull<Header>);

impl Slot {
    #[inline(always)]
    pub(super) fn header(&self) -> &Header {
        // SAFETY: it is mapped; a header is there, or zeros, which are one as well. Only this thread changes it.
        unsafe { self.0.as_ref() }
    }

    /// The stack is below the header, which is as aligned as it must be.
    #[inline(always)]
    pub(super) fn base(self) -> StackPointer {
        self.0.addr()
    }

    /// The header is in the highest page.
    fn top(self) -> NonNull<u8> {
        let to_the_top = page_bytes() - self.0.addr().get() % page_bytes();
        // SAFETY: the end of that page.
        unsafe { self.0.cast::<u8>().add(to_the_top) }
    }

    fn low(self, slot_bytes: usize) -> NonNull<u8> {
        // SAFETY: the other end of the slot.
        unsafe { self.top().sub(slot_bytes) }
    }

    pub(super) fn limit(self, slot_bytes: usize) -> StackPointer {
        self.low(slot_bytes).addr()
    }

    /// Forgets what was on a free stack, but for its highest page.
    pub(super) fn wipe(self, slot_bytes: usize) {
        let page = page_bytes();
        // SAFETY: from the guard page to the highest one.
        let start = unsafe { self.low(slot_bytes).add(page) };
        // SAFETY: pages of a stack that is free.
        unsafe { memory::give_back(start, slot_bytes - 2 * page) };
    }
}

/// A guard page, and a stack of whole pages.
pub(super) fn slot_bytes(stack_bytes: usize) -> Option<usize> {
    let page = page_bytes();
    let slot_bytes = stack_bytes.checked_next_multiple_of(page)?.checked_add(page)?;
    // As large as an allocation may be, and far more than an address space has room for.
    isize::try_from(slot_bytes).ok().and(Some(slot_bytes))
}

/// Where the header is in the slot that has this number in its chunk.
fn header_offset(index: usize, slot_bytes: usize) -> usize {
    slot_bytes - index % STAGGERS * STAGGER_BYTES - size_of::<Header>()
}

/// The memory of a pool.
#[derive(Debug)]
pub(super) struct Arena {
    slot_bytes: usize,
    guard: Guard,
    /// Slots are cut from the last one.
    chunks: Vec<Chunk>,
}

impl Arena {
    pub(super) fn new(slot_bytes: usize, protected: bool) -> Self {
        Self {
            slot_bytes,
            guard: if protected { Guard::Protected } else { Guard::Marked },
            chunks: Vec::new(),
        }
    }

    pub(super) fn reserved_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.region.bytes()).sum()
    }

    /// A new slot, of at most as many.
    pub(super) fn cut(&mut self, at_most: usize) -> Result<Slot, i32> {
        if self.chunks.last().is_none_or(Chunk::is_full) {
            let chunk = self.chunk(at_most)?;
            self.chunks.try_reserve(1).map_err(|_| libc::ENOMEM)?;
            self.chunks.push(chunk);
            overflow::watch();
            signal_stack::provide();
        }
        let Some(chunk) = self.chunks.last_mut() else { unreachable!("there is one") };
        chunk.cut(self.slot_bytes, &mut self.guard)
    }

    /// A chunk twice as large as the last one, or smaller if there is no room for that.
    fn chunk(&self, at_most: usize) -> Result<Chunk, i32> {
        let doubled = self.chunks.last().map_or(0, |last| 2 * last.region.bytes());
        let bytes = doubled.clamp(*CHUNK_BYTES.start(), *CHUNK_BYTES.end());
        let mut slots = (bytes / self.slot_bytes).clamp(1, at_most.max(1));
        loop {
            // What is left is not for stacks alone: without memory the program could do nothing about it.
            match Region::map(slots * self.slot_bytes + SPARED_BYTES) {
                Ok(spared) => {
                    drop(spared);
                    return Region::map(slots * self.slot_bytes)
                        .map(|region| Chunk::new(region, self.slot_bytes));
                }
                Err(code) if slots == 1 => return Err(code),
                Err(_) => slots = slots.div_ceil(2),
            }
        }
    }

    /// Gives the memory of the last slots of the list to the system, all but the first `kept` ones. Says how many are no
    /// slots any more, and gone from the list.
    pub(super) fn give_back(&mut self, slots: &mut [Slot], kept: usize) -> usize {
        let slots = &mut slots[kept..];
        // Neighbours together, with the guard pages between them.
        slots.sort_unstable();
        let (slot_bytes, page) = (self.slot_bytes, page_bytes());
        for run in slots.chunk_by(|lower, upper| lower.top() == upper.low(slot_bytes)) {
            // SAFETY: above the guard page of the lowest.
            let start = unsafe { run[0].low(slot_bytes).add(page) };
            // SAFETY: pages of stacks that are free.
            unsafe { memory::give_back(start, run.len() * slot_bytes - page) };
        }
        0
    }

    /// Unmaps the chunks whose slots are all in this list, and takes them out of it. Says how many.
    pub(super) fn unmap_unused(&mut self, free: &mut Vec<Slot>) -> usize {
        let before = free.len();
        free.sort_unstable();
        self.chunks.retain(|chunk| {
            let (low, high) = chunk.ends();
            let first = free.partition_point(|slot| slot.base() < low);
            let end = free.partition_point(|slot| slot.base() < high);
            let is_used = end - first < chunk.cut;
            if !is_used {
                free.drain(first..end);
            }
            is_used
        });
        before - free.len()
    }
}

/// Slots side by side.
#[derive(Debug)]
struct Chunk {
    place: &'static Place,
    /// Of each slot that was cut. They end before the region does.
    stacks: Vec<ValgrindStackRegistration>,
    region: Region,
    cut: usize,
    /// How many of these have a guard page that is a mapping.
    protected: usize,
    slots: usize,
}

impl Chunk {
    fn new(region: Region, slot_bytes: usize) -> Self {
        let place = Place::enter(region.start(), region.bytes(), slot_bytes);
        let slots = region.bytes() / slot_bytes;
        Self { place, stacks: Vec::new(), region, cut: 0, protected: 0, slots }
    }

    fn is_full(&self) -> bool {
        self.cut == self.slots
    }

    fn ends(&self) -> (StackPointer, StackPointer) {
        let low = self.region.start().addr();
        (low, low.saturating_add(self.region.bytes()))
    }

    fn cut(&mut self, slot_bytes: usize, guard: &mut Guard) -> Result<Slot, i32> {
        self.stacks.try_reserve(1).map_err(|_| libc::ENOMEM)?;
        // SAFETY: it is not full.
        let low = unsafe { self.region.start().add(self.cut * slot_bytes) };
        // SAFETY: the lowest page of a slot that is no slot yet.
        unsafe { guard.install(low) }?;
        self.protected += usize::from(*guard == Guard::Protected);
        self.stacks.push(ValgrindStackRegistration::new(low.as_ptr(), slot_bytes));
        // SAFETY: in the same slot.
        let header = unsafe { low.add(header_offset(self.cut, slot_bytes)) };
        self.cut += 1;
        Ok(Slot(header.cast()))
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.place.leave();
        guard::uncount_protected(self.protected);
    }
}

/// An address in this frame, and the slot that it is in, if it is one on loan.
#[inline(always)]
fn here() -> Option<(usize, place::Found)> {
    let here = 0u8;
    let here = ptr::from_ref(std::hint::black_box(&here)).addr();
    place::find(here).filter(|found| found.site.is_some()).map(|found| (here, found))
}

pub(super) fn room() -> Option<usize> {
    let (here, found) = here()?;
    Some(here - (found.low.addr().get() + page_bytes()))
}

pub(super) fn used() -> Option<super::StackUsed> {
    let (here, found) = here()?;
    let page = page_bytes();
    // SAFETY: above the guard page of the same slot.
    let start = unsafe { found.low.add(page) };
    let unused = here - start.addr().get();
    // SAFETY: the part of this very stack that is below this frame.
    let untouched = unsafe { memory::zeros_at(start, unused) };
    Some(super::StackUsed {
        now: found.base - here,
        peak: found.base - here + unused - untouched,
        stack_bytes: found.slot_bytes - page,
    })
}
