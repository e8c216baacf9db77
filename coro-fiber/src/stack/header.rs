//! A stack on loan.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::panic::Location;
use std::ptr::NonNull;
use std::rc::Rc;

use corosensei::stack::StackPointer;
#[cfg(windows)]
use corosensei::stack::StackTebFields;

use super::memory::Slot;
use super::pool::Pool;
use super::{StackError, StackPool};

/// Whose stack it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) name: &'static str,
    /// Where the body was given.
    pub(crate) made_at: &'static Location<'static>,
}

/// What lies above a stack. All zero while the slot is free.
#[repr(C, align(16))]
#[derive(Debug)]
pub(super) struct Header {
    /// To which pool it is given back: a counted pointer. `None` while it is free.
    pool: Cell<Option<NonNull<Pool>>>,
    /// Written before `pool`.
    site: Cell<MaybeUninit<Site>>,
}

impl Header {
    #[cfg(any(not(unix), coro_threads))]
    pub(super) const fn free() -> Self {
        Self { pool: Cell::new(None), site: Cell::new(MaybeUninit::uninit()) }
    }

    /// Whose stack it is, while it is on loan. For the handler of a signal, too.
    #[cfg(all(unix, not(coro_threads)))]
    pub(super) fn site(&self) -> Option<Site> {
        self.pool.get()?;
        // SAFETY: `Stack::take` has written the site before the pool.
        Some(unsafe { self.site.get().assume_init() })
    }
}

/// A stack on loan from its pool. Dropped, it is given back; forgotten, it is never used again, nor unmapped.
#[derive(Debug)]
pub(crate) struct Stack(Slot);

impl Stack {
    pub(crate) fn take(pool: &StackPool, site: Site) -> Result<Self, StackError> {
        let slot = pool.inner().take()?;
        let header = slot.header();
        header.site.set(MaybeUninit::new(site));
        // Counted as long as it is on loan, so that the memory outlives it.
        header.pool.set(NonNull::new(Rc::into_raw(Rc::clone(pool.inner())).cast_mut()));
        Ok(Self(slot))
    }

    fn pool(&self) -> NonNull<Pool> {
        let Some(pool) = self.0.header().pool.get() else { unreachable!("it is on loan") };
        pool
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let pool = self.pool();
        self.0.header().pool.set(None);
        // SAFETY: `take` made it of a counted pointer, and it was there until now: so this takes the count back, once.
        let pool = unsafe { Rc::from_raw(pool.as_ptr()) };
        pool.give_back(self.0);
    }
}

// SAFETY: a slot on loan is lent once (`Pool::take` removes it from the list of free ones), and is mapped for as long as
// the count that this holds: no chunk is unmapped while the pool lives, but for one whose slots are all free. It has a
// guard page at its lower end, inside the limit, and at least `MIN_STACK_SIZE` bytes above it, which `Slot` answers for,
// as for the alignment of both ends.
unsafe impl corosensei::stack::Stack for Stack {
    #[inline]
    fn base(&self) -> StackPointer {
        self.0.base()
    }

    fn limit(&self) -> StackPointer {
        // SAFETY: the count that this holds keeps it alive.
        let pool = unsafe { self.pool().as_ref() };
        self.0.limit(pool.slot_bytes())
    }

    #[cfg(windows)]
    fn teb_fields(&self) -> StackTebFields {
        self.0.teb_fields()
    }

    #[cfg(windows)]
    fn update_teb_fields(&mut self, stack_limit: usize, guaranteed_stack_bytes: usize) {
        self.0.update_teb_fields(stack_limit, guaranteed_stack_bytes);
    }
}
