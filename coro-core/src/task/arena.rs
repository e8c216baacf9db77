//! Memory for the cells of tasks: blocks of a few sizes, cut from chunks that grow.
//!
//! A general allocator takes as long for a block as all else that a spawn and a join do together; and a million tasks on
//! pages of 4 KiB cost more in page faults than in anything else. Here a block is a step along a list, and large chunks
//! ask the kernel for large pages.
//!
//! The cells of a thread stay on their thread (tasks are `!Send`), so nothing here is locked. A chunk in which no block is
//! left in use is given back, but for one of each size.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// Blocks have a multiple of this size.
const STEP: usize = 16;
/// What is larger, or aligned to more than a step, comes from the general allocator.
const LARGEST: usize = 512;
const CLASSES: usize = LARGEST / STEP;
/// The first chunk of a size. Each further one is as large as all before it together.
const FIRST_CHUNK: usize = 8 << 10;
/// Until they have the size of a large page.
const LARGE_PAGE: usize = 2 << 20;
/// How many blocks of a size are kept apart.
const RECENT: usize = 64;

/// Where a block came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home(u32);

/// From the general allocator.
const ELSEWHERE: Home = Home(u32::MAX);

/// No block.
const NONE: u32 = u32::MAX;

/// A piece of memory, cut into blocks of one size.
struct Chunk {
    /// **Invariant:** from the general allocator, with this layout.
    memory: NonNull<u8>,
    layout: Layout,
    /// The first free block. **Invariant:** from here, the first word of each free block leads to the next one.
    free: u32,
    /// Blocks from here on have never been used.
    fresh: u32,
    /// How many blocks are in use.
    used: u32,
}

/// The chunks of one size.
struct Class {
    /// Blocks that were used a moment ago, and are handed out again first, without a look at their chunks: these count
    /// them as in use.
    recent: Vec<(NonNull<u8>, Home)>,
    /// `None` if it was given back.
    chunks: Vec<Option<Chunk>>,
    /// Those that have room; the last one is used. Some may be gone, or full, or here twice.
    with_room: Vec<u32>,
    bytes: usize,
}

thread_local! {
    static ARENA: [RefCell<Class>; CLASSES] = const { [const { RefCell::new(Class::EMPTY) }; CLASSES] };
}

const fn class_of(layout: Layout) -> Option<usize> {
    if layout.size() > LARGEST || layout.align() > STEP {
        None
    } else {
        Some(layout.size().div_ceil(STEP).saturating_sub(1))
    }
}

/// A place for a `T`, which belongs to the caller until it is given to [`free`].
#[inline(always)]
pub(super) fn allocate<T>() -> (NonNull<MaybeUninit<T>>, Home) {
    let class = const { class_of(Layout::new::<T>()) };
    let block =
        class.and_then(|class| ARENA.try_with(|arena| arena[class].borrow_mut().allocate(class)).ok());
    match block {
        Some((block, home)) => (block.cast(), home),
        // Also while the thread ends.
        None => (NonNull::from(Box::leak(Box::new_uninit())), ELSEWHERE),
    }
}

/// Takes a place back.
///
/// # Safety
///
/// It is one for a `T` that [`allocate`] gave with this home, on this thread, and nobody uses it any more.
#[inline(always)]
pub(super) unsafe fn free<T>(block: NonNull<T>, home: Home) {
    let Some(class) = (const { class_of(Layout::new::<T>()) }).filter(|_| home != ELSEWHERE) else {
        // SAFETY: as promised, it came from such a box.
        drop(unsafe { Box::from_raw(block.cast::<MaybeUninit<T>>().as_ptr()) });
        return;
    };
    // While the thread ends, the arena may be gone, and has left behind the chunks that were in use.
    let _ = ARENA.try_with(|arena| {
        // SAFETY: as promised.
        unsafe { arena[class].borrow_mut().free(class, block.cast(), home) }
    });
}

const fn size_of_class(class: usize) -> usize {
    (class + 1) * STEP
}

impl Class {
    const EMPTY: Self = Self { recent: Vec::new(), chunks: Vec::new(), with_room: Vec::new(), bytes: 0 };

    #[inline(always)]
    fn allocate(&mut self, class: usize) -> (NonNull<u8>, Home) {
        match self.recent.pop() {
            Some(block) => block,
            None => self.cut(class),
        }
    }

    /// From a chunk.
    fn cut(&mut self, class: usize) -> (NonNull<u8>, Home) {
        loop {
            if let Some(&index) = self.with_room.last()
                && let Some(Some(chunk)) = self.chunks.get_mut(index as usize)
                && let Some(block) = chunk.take(size_of_class(class))
            {
                return (block, Home(index));
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

    /// # Safety
    ///
    /// It is a block that [`allocate`](Self::allocate) gave with this home, and nobody uses it any more.
    #[inline(always)]
    unsafe fn free(&mut self, class: usize, block: NonNull<u8>, home: Home) {
        if self.recent.len() == RECENT {
            // The older half: what lies here for long keeps a chunk from being given back.
            for (block, home) in self.recent.drain(..RECENT / 2).collect::<Vec<_>>() {
                // SAFETY: as promised when it was given back.
                unsafe { self.put_back(class, block, home) };
            }
        }
        self.recent.push((block, home));
    }

    /// To its chunk.
    ///
    /// # Safety
    ///
    /// As for [`free`](Self::free).
    unsafe fn put_back(&mut self, class: usize, block: NonNull<u8>, home: Home) {
        let Home(index) = home;
        let Some(Some(chunk)) = self.chunks.get_mut(index as usize) else { return };
        let was_full = !chunk.has_room(size_of_class(class));
        // SAFETY: as promised: a chunk of which a block is in use is not given back.
        unsafe { chunk.put(size_of_class(class), block) };
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
        Self { memory, layout, free: NONE, fresh: 0, used: 0 }
    }

    fn has_room(&self, size: usize) -> bool {
        self.free != NONE || (self.fresh as usize + 1) * size <= self.layout.size()
    }

    /// The place of a block that is within the chunk.
    #[inline(always)]
    fn block(&self, size: usize, index: u32) -> NonNull<u8> {
        debug_assert!((index as usize + 1) * size <= self.layout.size());
        // SAFETY: it is within the chunk.
        unsafe { self.memory.add(index as usize * size) }
    }

    #[inline(always)]
    fn take(&mut self, size: usize) -> Option<NonNull<u8>> {
        let index = if self.free != NONE {
            let index = self.free;
            // SAFETY: it is a free block, which begins with the number of the next one, and is aligned to a step.
            self.free = unsafe { self.block(size, index).cast::<u32>().read() };
            index
        } else if self.has_room(size) {
            self.fresh += 1;
            self.fresh - 1
        } else {
            return None;
        };
        self.used += 1;
        Some(self.block(size, index))
    }

    /// # Safety
    ///
    /// It is a block of this chunk in use, and nobody uses it any more.
    #[inline(always)]
    unsafe fn put(&mut self, size: usize, block: NonNull<u8>) {
        let index = (block.addr().get() - self.memory.addr().get()) / size;
        // SAFETY: nobody else uses it, and it is aligned to a step.
        unsafe { self.block(size, index as u32).cast::<u32>().write(self.free) };
        self.free = index as u32;
        self.used -= 1;
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        for (_, Home(index)) in self.recent.drain(..) {
            if let Some(Some(chunk)) = self.chunks.get_mut(index as usize) {
                chunk.used -= 1;
            }
        }
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Two of one size, and one of another; each holds what must not change while it is in use.
    enum Block {
        Small(NonNull<MaybeUninit<[u64; 9]>>, Home, u64),
        Large(NonNull<MaybeUninit<[u64; 20]>>, Home, u64),
        TooLarge(NonNull<MaybeUninit<[u64; 100]>>, Home, u64),
    }

    fn filled<const N: usize>(mark: u64) -> (NonNull<MaybeUninit<[u64; N]>>, Home) {
        let (mut block, home) = allocate::<[u64; N]>();
        // SAFETY: it is ours alone.
        unsafe { block.as_mut() }.write([mark; N]);
        (block, home)
    }

    fn check<const N: usize>(block: NonNull<MaybeUninit<[u64; N]>>, home: Home, mark: u64) {
        // SAFETY: it was filled, and is ours alone.
        assert_eq!(unsafe { block.cast::<[u64; N]>().read() }, [mark; N]);
        // SAFETY: it came from there with this home, and is used no more.
        unsafe { free(block.cast::<[u64; N]>(), home) };
    }

    impl Block {
        fn new(kind: u8, mark: u64) -> Self {
            match kind {
                0 => {
                    let (block, home) = filled(mark);
                    Self::Small(block, home, mark)
                }
                1 => {
                    let (block, home) = filled(mark);
                    Self::Large(block, home, mark)
                }
                _ => {
                    let (block, home) = filled(mark);
                    Self::TooLarge(block, home, mark)
                }
            }
        }

        /// It is as it was left. Gives it back.
        fn check(self) {
            match self {
                Self::Small(block, home, mark) => check(block, home, mark),
                Self::Large(block, home, mark) => check(block, home, mark),
                Self::TooLarge(block, home, mark) => check(block, home, mark),
            }
        }
    }

    fn chunks<T>() -> usize {
        let class = class_of(Layout::new::<T>()).unwrap();
        ARENA.with(|arena| arena[class].borrow().chunks.iter().flatten().count())
    }

    proptest! {
        // Under Miri there are no files to keep failures in.
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 2 } else { 64 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn prop_blocks_in_use_are_apart(ops in vec((0u8..3, any::<prop::sample::Index>()), 0..600)) {
            let mut blocks = Vec::new();
            for (mark, (kind, place)) in ops.into_iter().enumerate() {
                // More are taken than given back.
                if mark % 3 == 2 && !blocks.is_empty() {
                    let block: Block = blocks.swap_remove(place.index(blocks.len()));
                    block.check();
                } else {
                    blocks.push(Block::new(kind, mark as u64));
                }
            }
            blocks.into_iter().for_each(Block::check);
        }
    }

    #[test]
    fn chunks_that_are_not_in_use_are_given_back_but_for_one() {
        type Size = [u64; 33];
        let blocks: Vec<_> = (0..1000).map(filled::<33>).collect();
        let most = chunks::<Size>();
        assert!(most > 3, "{most}");
        for (mark, (block, home)) in blocks.into_iter().enumerate() {
            check(block, home, mark as u64);
        }
        // Those used last keep theirs.
        assert!(chunks::<Size>() <= 2, "{}", chunks::<Size>());
        let (block, home) = filled::<33>(7);
        check(block, home, 7);
        assert!(chunks::<Size>() <= 2);
    }
}
