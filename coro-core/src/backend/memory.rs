//! Memory for bodies: from the arena of tasks, for those that stay on their thread.

#![allow(unsafe_code)]

use alloc::alloc::dealloc;
use alloc::boxed::Box;
use core::alloc::Layout;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

#[cfg(feature = "std")]
use crate::task::arena;

/// Where a block came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home(#[cfg(feature = "std")] arena::Home);

/// A place for a `T`, which belongs to the caller until it is given to [`free`]. If it is `local`, that is on this thread.
#[inline(always)]
pub(super) fn allocate<T>(local: bool) -> (NonNull<MaybeUninit<T>>, Home) {
    #[cfg(feature = "std")]
    if local {
        let (block, home) = arena::allocate();
        return (block, Home(home));
    }
    let _ = local;
    let home = Home(
        #[cfg(feature = "std")]
        arena::NOT_HERE,
    );
    (NonNull::from(Box::leak(Box::new_uninit())), home)
}

/// Takes a place back.
///
/// # Safety
///
/// It is one of this layout that [`allocate`] gave with this home, on this thread if it is local, and nobody uses it any more.
pub(super) unsafe fn free(block: NonNull<u8>, layout: Layout, home: Home) {
    #[cfg(feature = "std")]
    if home.0 != arena::NOT_HERE {
        // SAFETY: as promised.
        return unsafe { arena::free_as(block, layout, home.0) };
    }
    let _ = home;
    if layout.size() > 0 {
        // SAFETY: as promised, it came from a box of this layout.
        unsafe { dealloc(block.as_ptr(), layout) };
    }
}
