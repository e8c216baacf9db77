//! Large pieces of memory, from which blocks are cut.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::{Home, Link, Recent, STEP, put_first, size_of_class, take_first};

/// The first chunk of a size. Each further one is as large as all before it together.
const FIRST_CHUNK: usize = 8 << 10;
/// Until they have the size of a large page.
const LARGE_PAGE: usize = 2 << 20;
/// How many are cut at once.
const AT_ONCE: usize = 16;

/// A piece of memory, cut into blocks of one size.
pub(super) struct Chunk {
    /// **Invariant:** from the general allocator, with this layout.
    memory: NonNull<u8>,
    layout: Layout,
    /// **Invariant:** from here, `next` leads through blocks of this chunk that nobody uses.
    free: Link,
    /// Blocks from here on have never been used.
    fresh: u32,
    /// How many blocks are in use.
    used: u32,
}

/// The chunks of one size.
pub(super) struct Class {
    /// `None` if it was given back.
    pub(super) chunks: Vec<Option<Chunk>>,
    /// Those that have room; the last one is used. Some may be gone, or full, or here twice.
    with_room: Vec<u32>,
    bytes: usize,
}

impl Class {
    pub(super) const EMPTY: Self = Self { chunks: Vec::new(), with_room: Vec::new(), bytes: 0 };

    /// Cuts blocks from a chunk. There is one at least.
    pub(super) fn cut(&mut self, class: usize, recent: &Recent) {
        loop {
            if let Some(&index) = self.with_room.last()
                && let Some(Some(chunk)) = self.chunks.get_mut(index as usize)
                && chunk.has_room(size_of_class(class))
            {
                return chunk.cut(size_of_class(class), Home(index), recent);
            }
            self.make_room(class);
        }
    }

    /// The last chunk with room has none: drops it from the list, or makes another one.
    #[cold]
    fn make_room(&mut self, class: usize) {
        if self.with_room.pop().is_some() {
            return;
        }
        let chunk = Chunk::new(self.bytes.clamp(FIRST_CHUNK, LARGE_PAGE));
        debug_assert!(chunk.layout.size() >= size_of_class(class));
        self.bytes += chunk.layout.size();
        let index = self.chunks.iter().position(Option::is_none).unwrap_or(self.chunks.len());
        if index == self.chunks.len() {
            self.chunks.push(None);
        }
        self.chunks[index] = Some(chunk);
        self.with_room.push(index as u32);
    }

    /// Each to its chunk.
    ///
    /// # Safety
    ///
    /// By this link there are blocks of this class, which nobody uses and nothing else links to.
    pub(super) unsafe fn put_back(&mut self, class: usize, mut link: Link) {
        // SAFETY: as promised; they are taken one by one.
        while let Some((block, home, next)) = unsafe { take_first(link) } {
            link = next;
            // SAFETY: it is one of this class, with its home.
            unsafe { self.put_back_one(class, block, home) };
        }
    }

    /// # Safety
    ///
    /// It is a block of this class, with its home, and nobody uses it any more.
    #[inline(always)]
    unsafe fn put_back_one(&mut self, class: usize, block: NonNull<u8>, home: Home) {
        let Home(index) = home;
        let Some(Some(chunk)) = self.chunks.get_mut(index as usize) else { return };
        let was_full = !chunk.has_room(size_of_class(class));
        // SAFETY: as promised: a chunk of which a block is in use is not given back.
        unsafe { chunk.put(block, home) };
        let unused = chunk.used == 0;
        let last = self.with_room.last().copied();
        if was_full {
            self.with_room.push(index);
            // There is room elsewhere now.
            if let Some(last) = last.filter(|last| self.is_unused(*last)) {
                self.give_back(last);
            }
        } else if unused && last != Some(index) {
            self.give_back(index);
        }
    }

    fn is_unused(&self, index: u32) -> bool {
        matches!(self.chunks.get(index as usize), Some(Some(Chunk { used: 0, .. })))
    }

    /// A chunk that is not in use, beside another one that has room.
    #[cold]
    fn give_back(&mut self, index: u32) {
        self.with_room.retain(|other| *other != index);
        if let Some(chunk) = self.chunks[index as usize].take() {
            self.bytes -= chunk.layout.size();
        }
    }
}

impl Chunk {
    fn new(bytes: usize) -> Self {
        let align = if bytes >= LARGE_PAGE { LARGE_PAGE } else { STEP };
        let layout = Layout::from_size_align(bytes, align).unwrap_or(Layout::new::<[u8; FIRST_CHUNK]>());
        // SAFETY: its size is not zero.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        if align == LARGE_PAGE {
            ask_for_large_pages(memory, layout.size());
        }
        Self { memory, layout, free: None, fresh: 0, used: 0 }
    }

    fn has_room(&self, size: usize) -> bool {
        self.free.is_some() || (self.fresh as usize + 1) * size <= self.layout.size()
    }

    /// Cuts a few, the first one last: so they are used in the order in which they lie.
    fn cut(&mut self, size: usize, home: Home, recent: &Recent) {
        let blocks: [_; AT_ONCE] = std::array::from_fn(|_| self.take(size));
        for block in blocks.into_iter().rev().flatten() {
            // SAFETY: it was taken, for nobody else.
            unsafe { recent.push(block, home) };
        }
    }

    #[inline(always)]
    fn take(&mut self, size: usize) -> Option<NonNull<u8>> {
        // SAFETY: by the invariant nobody uses it.
        let block = if let Some((block, _, next)) = unsafe { take_first(self.free) } {
            self.free = next;
            block
        } else if self.has_room(size) {
            let offset = self.fresh as usize * size;
            self.fresh += 1;
            // SAFETY: there is room for a block there, so it is within the chunk.
            unsafe { self.memory.add(offset) }
        } else {
            return None;
        };
        self.used += 1;
        Some(block)
    }

    /// # Safety
    ///
    /// It is a block of this chunk in use, and nobody uses it any more.
    #[inline(always)]
    unsafe fn put(&mut self, block: NonNull<u8>, home: Home) {
        // SAFETY: as promised.
        self.free = unsafe { put_first(self.free, block, home) };
        self.used -= 1;
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // At the end of the thread some may be in use still, by whoever ends later. They stay.
        if self.used == 0 {
            // SAFETY: by the invariant; nothing in it is in use.
            unsafe { dealloc(self.memory.as_ptr(), self.layout) };
        }
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_large_pages(memory: NonNull<u8>, bytes: usize) {
    // If there are none, small ones do.
    // SAFETY: the memory is the caller's, and the advice changes nothing in it.
    let _ = unsafe { rustix::mm::madvise(memory.as_ptr().cast(), bytes, rustix::mm::Advice::LinuxHugepage) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask_for_large_pages(_memory: NonNull<u8>, _bytes: usize) {}
