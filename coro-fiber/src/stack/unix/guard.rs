//! Guard pages: what is below a stack, so that it cannot grow into what is there.

#![allow(unsafe_code)]

use std::ptr::NonNull;

use super::memory::{last_code, page_bytes};

/// How pages are guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// By a mark in the page tables, which Linux has since 6.13.
    Marked,
    /// As a mapping without rights, which splits the one that it is in: two mappings for a stack, of which a program may
    /// have 65,530 on Linux by default.
    Protected,
}

impl Guard {
    /// Guards a page. If the system does not know marks, there will be none from now on.
    ///
    /// # Safety
    ///
    /// A page of a [`Region`](super::memory::Region) in which nothing is.
    pub(super) unsafe fn install(&mut self, page: NonNull<u8>) -> Result<(), i32> {
        if *self == Self::Marked {
            // SAFETY: nothing is in it.
            match unsafe { mark(page) } {
                Some(result) => return result,
                None => *self = Self::Protected,
            }
        }
        if !count_protected() {
            return Err(libc::ENOMEM);
        }
        // SAFETY: nothing is in it.
        if unsafe { libc::mprotect(page.as_ptr().cast(), page_bytes(), libc::PROT_NONE) } == 0 {
            return Ok(());
        }
        let code = last_code();
        uncount_protected(1);
        Err(code)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use linux::uncount_protected;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux::{count_protected, mark};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// `MADV_GUARD_INSTALL`, which libc does not name yet.
    const GUARD_INSTALL: i32 = 102;
    /// How many mappings the rest of the program keeps.
    const SPARED_MAPPINGS: usize = 1024;

    /// `None` if the system does not know it, or not for this page.
    ///
    /// # Safety
    ///
    /// Nothing is in the page.
    pub(super) unsafe fn mark(page: NonNull<u8>) -> Option<Result<(), i32>> {
        // SAFETY: nothing is in it.
        match unsafe { libc::madvise(page.as_ptr().cast(), page_bytes(), GUARD_INSTALL) } {
            0 => Some(Ok(())),
            _ => Some(last_code()).filter(|code| *code != libc::EINVAL).map(Err),
        }
    }

    static PROTECTED: AtomicUsize = AtomicUsize::new(0);

    /// Counts a page that will be protected, unless there are too many.
    pub(super) fn count_protected() -> bool {
        static LIMIT: OnceLock<usize> = OnceLock::new();
        let limit = *LIMIT.get_or_init(|| {
            let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok();
            limit.and_then(|limit| limit.trim().parse().ok()).unwrap_or(65_530)
        });
        let is_room = 2 * PROTECTED.fetch_add(1, Ordering::Relaxed) + SPARED_MAPPINGS < limit;
        if !is_room {
            uncount_protected(1);
        }
        is_room
    }

    /// They are unmapped.
    pub(in super::super) fn uncount_protected(pages: usize) {
        PROTECTED.fetch_sub(pages, Ordering::Relaxed);
    }
}

cfg_select! {
    any(target_os = "linux", target_os = "android") => {}
    _ => {
        /// There are no marks here.
        ///
        /// # Safety
        ///
        /// Nothing is in the page.
        unsafe fn mark(_page: NonNull<u8>) -> Option<Result<(), i32>> {
            None
        }

        fn count_protected() -> bool {
            true
        }

        pub(super) fn uncount_protected(_pages: usize) {}
    }
}
