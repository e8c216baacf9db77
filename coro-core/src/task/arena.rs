//! Memory for the cells of tasks, and for the bodies of coroutines that stay on their thread: blocks of a few sizes, cut
//! from chunks that grow.
//!
//! A general allocator takes as long for a block as all else that a spawn and a join do together; and a million tasks on
//! pages of 4 KiB cost more in page faults than in anything else. Here a block is a step along a list, and large chunks
//! ask the kernel for large pages.
//!
//! What is here stays on its thread (tasks are `!Send`), so nothing is locked. A chunk in which no block is
//! left in use is given back, but for one of each size.

#![allow(unsafe_code)]

mod chunk;
#[cfg(test)]
mod tests;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use chunk::Class;

/// Blocks have a multiple of this size.
const STEP: usize = 16;
/// What is larger, or aligned to more than a step, comes from the general allocator.
const LARGEST: usize = 512;
const CLASSES: usize = LARGEST / STEP;
/// How many blocks of a size are kept apart, and as many again.
const MOST_RECENT: usize = 32;

/// Where a block came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home(u32);

/// From the general allocator: too large, or made while the thread ends and the arena is gone.
const ELSEWHERE: Home = Home(u32::MAX);
/// Not from here at all.
pub(crate) const NOT_HERE: Home = Home(u32::MAX - 1);

/// What is in a block that nobody uses.
struct Unused {
    next: Link,
    home: Home,
}

type Link = Option<NonNull<Unused>>;

/// Blocks of one size that were used a moment ago, and are handed out again first, without a look at their chunks: these
/// count them as in use. **Invariant:** from each link, `next` leads through blocks of this size that nobody uses.
struct Recent {
    first: Cell<Link>,
    /// How many that is. When the arena is gone, as many more as are kept at most: there is never room.
    count: Cell<usize>,
    /// Those used before. What lies here for long keeps a chunk from being given back.
    older: Cell<Link>,
}

/// All classes of a thread.
struct Arena([RefCell<Class>; CLASSES]);

crate::__local! {
    /// Without a destructor, so that a look at them is one at memory and nothing else. The arena takes them along.
    static RECENT: [Recent; CLASSES] = const { [const { Recent::new() }; CLASSES] };

    static ARENA: Arena = const { Arena([const { RefCell::new(Class::EMPTY) }; CLASSES]) };
}

const fn class_of(layout: Layout) -> Option<usize> {
    if layout.size() > LARGEST || layout.align() > STEP {
        None
    } else {
        Some(layout.size().div_ceil(STEP).saturating_sub(1))
    }
}

/// That of a block which does not come from a chunk.
fn layout_of(class: usize) -> Layout {
    Layout::from_size_align(size_of_class(class), STEP).unwrap_or(Layout::new::<[u128; LARGEST / STEP]>())
}

/// A place for a `T`, which belongs to the caller until it is given to [`free`].
#[inline(always)]
pub(crate) fn allocate<T>() -> (NonNull<MaybeUninit<T>>, Home) {
    loop {
        if let Some(place) = allocate_at_hand() {
            return place;
        }
        if let Some(class) = const { class_of(Layout::new::<T>()) } {
            refill(class);
        }
    }
}

/// As [`allocate`], if there is one at hand. For what has a class it cannot panic.
#[inline(always)]
pub(super) fn allocate_at_hand<T>() -> Option<(NonNull<MaybeUninit<T>>, Home)> {
    let Some(class) = (const { class_of(Layout::new::<T>()) }) else {
        return Some((NonNull::from(Box::leak(Box::new_uninit())), ELSEWHERE));
    };
    let (block, home) = RECENT.with(|recent| recent[class].pop())?;
    Some((block.cast(), home))
}

/// Takes a place back.
///
/// # Safety
///
/// It is one for a `T` that [`allocate`] gave with this home, on this thread, and nobody uses it any more.
#[inline(always)]
pub(super) unsafe fn free<T>(block: NonNull<T>, home: Home) {
    // SAFETY: as promised.
    unsafe { free_as(block.cast(), const { Layout::new::<T>() }, home) }
}

/// [`free`], for one whose type is known by its layout only.
///
/// # Safety
///
/// As for that.
#[inline(always)]
pub(crate) unsafe fn free_as(block: NonNull<u8>, layout: Layout, home: Home) {
    let Some(class) = class_of(layout) else {
        if layout.size() > 0 {
            // SAFETY: as promised, it came from a box of this layout.
            unsafe { dealloc(block.as_ptr(), layout) };
        }
        return;
    };
    RECENT.with(|recent| {
        let recent = &recent[class];
        if recent.count.get() < MOST_RECENT {
            // SAFETY: as promised, it is one of this class.
            unsafe { recent.push(block, home) };
        } else {
            // SAFETY: as promised, it is one of this class.
            unsafe { recent.push_first(class, block, home) };
        }
    });
}

/// Makes some recent ones, when there is none.
#[inline(never)]
fn refill(class: usize) {
    RECENT.with(|recent| {
        let recent = &recent[class];
        let refilled = ARENA.try_with(|Arena(classes)| {
            recent.restore();
            if recent.count.get() == 0 {
                classes[class].borrow_mut().cut(class, recent);
            }
        });
        if refilled.is_err() {
            let layout = layout_of(class);
            // SAFETY: its size is not zero.
            let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
            // SAFETY: it is one of this class, and nobody else's.
            unsafe { recent.push(block, ELSEWHERE) };
        }
    });
}

const fn size_of_class(class: usize) -> usize {
    (class + 1) * STEP
}

impl Recent {
    const fn new() -> Self {
        Self { first: Cell::new(None), count: Cell::new(0), older: Cell::new(None) }
    }

    #[inline(always)]
    fn pop(&self) -> Option<(NonNull<u8>, Home)> {
        // SAFETY: by the invariant nobody uses it.
        let (block, home, next) = unsafe { take_first(self.first.get()) }?;
        self.first.set(next);
        self.count.set(self.count.get().wrapping_sub(1));
        Some((block, home))
    }

    /// # Safety
    ///
    /// It is a block of this class, with its home, and nobody uses it any more.
    #[inline(always)]
    unsafe fn push(&self, block: NonNull<u8>, home: Home) {
        // SAFETY: as promised.
        self.first.set(unsafe { put_first(self.first.get(), block, home) });
        self.count.set(self.count.get() + 1);
    }

    /// There is none, so the older ones are recent again: as many as fit, or none.
    fn restore(&self) {
        self.first.set(self.older.take());
        self.count.set(if self.first.get().is_some() { MOST_RECENT } else { 0 });
    }

    /// [`push`](Self::push), when there is no room: makes older ones of these, and gives those back.
    ///
    /// # Safety
    ///
    /// As for that.
    #[cold]
    #[inline(never)]
    unsafe fn push_first(&self, class: usize, block: NonNull<u8>, home: Home) {
        let pushed = ARENA.try_with(|Arena(classes)| {
            self.count.set(0);
            let older = self.older.replace(self.first.take());
            // SAFETY: by the invariant, and they are in no list any more.
            unsafe { classes[class].borrow_mut().put_back(class, older) };
            // SAFETY: as promised.
            unsafe { self.push(block, home) };
        });
        // The arena, if it is gone, has left the chunks behind that were in use.
        if pushed.is_err() && home == ELSEWHERE {
            // SAFETY: it came from there with this layout.
            unsafe { dealloc(block.as_ptr(), layout_of(class)) };
        }
    }
}

/// Takes the first block off: itself, where it came from, and the next one.
///
/// # Safety
///
/// By this link there is a block that nobody uses, if there is one.
#[inline(always)]
unsafe fn take_first(link: Link) -> Option<(NonNull<u8>, Home, Link)> {
    let first = link?;
    // SAFETY: as promised, it is there.
    let Unused { next, home } = unsafe { first.read() };
    Some((first.cast(), home, next))
}

/// Puts a block before the others.
///
/// # Safety
///
/// Nobody else uses it, and it is one of a class.
#[inline(always)]
unsafe fn put_first(link: Link, block: NonNull<u8>, home: Home) -> Link {
    let first = block.cast::<Unused>();
    // SAFETY: as promised; a block is at least a step long, and aligned to one.
    unsafe { first.write(Unused { next: link, home }) };
    Some(first)
}

impl Drop for Arena {
    fn drop(&mut self) {
        for (class, chunks) in self.0.iter_mut().enumerate() {
            let (first, older) = RECENT.with(|recent| {
                // Full, so that nothing is kept there any more.
                recent[class].count.set(MOST_RECENT);
                (recent[class].first.take(), recent[class].older.take())
            });
            for recent in [first, older] {
                // SAFETY: by the invariant, and they are in no list any more.
                unsafe { chunks.get_mut().put_back(class, recent) };
            }
        }
    }
}
