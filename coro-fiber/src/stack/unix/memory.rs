//! Mapped memory.
//!
//! By `libc`: not all of this can be said with rustix, and corosensei brings libc anyway.

#![allow(unsafe_code)]

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the last call of the system failed with.
pub(super) fn last_code() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// How large a page is.
pub(super) fn page_bytes() -> usize {
    static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
    match PAGE_BYTES.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: it only answers.
            let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            let bytes = usize::try_from(bytes).ok().filter(|bytes| bytes.is_power_of_two()).unwrap_or(4096);
            PAGE_BYTES.store(bytes, Ordering::Relaxed);
            bytes
        }
        bytes => bytes,
    }
}

/// Pages that can be read and written, and are committed when they are touched. They are unmapped when this is dropped.
#[derive(Debug)]
pub(super) struct Region {
    start: NonNull<u8>,
    bytes: usize,
}

impl Region {
    /// Maps whole pages, all zero.
    pub(super) fn map(bytes: usize) -> Result<Self, i32> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | SYSTEM_FLAGS;
        // SAFETY: a new mapping, wherever the system has room, touches nobody's memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => {
                let region = Self { start, bytes };
                region.keep_pages_small();
                Ok(region)
            }
            _ => Err(last_code()),
        }
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A huge page would commit many stacks as soon as one of them is touched.
    fn keep_pages_small(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            // SAFETY: advice about our own mapping, changes nothing in it. Where there are no huge pages it is refused.
            _ = unsafe { libc::madvise(self.start.as_ptr().cast(), self.bytes, libc::MADV_NOHUGEPAGE) };
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: our own mapping, whole; nobody who could look at it has outlived it, or this would not be dropped.
        let unmapped = unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
        debug_assert_eq!(unmapped, 0);
    }
}

cfg_select! {
    any(target_os = "linux", target_os = "android") => {
        // Reserved, not accounted for.
        const SYSTEM_FLAGS: i32 = libc::MAP_NORESERVE | libc::MAP_STACK;
        const GIVE_BACK: i32 = libc::MADV_DONTNEED;
    }
    target_os = "openbsd" => {
        const SYSTEM_FLAGS: i32 = libc::MAP_STACK;
        const GIVE_BACK: i32 = libc::MADV_FREE;
    }
    target_vendor = "apple" => {
        const SYSTEM_FLAGS: i32 = libc::MAP_NORESERVE;
        const GIVE_BACK: i32 = libc::MADV_FREE;
    }
    _ => {
        const SYSTEM_FLAGS: i32 = 0;
        const GIVE_BACK: i32 = libc::MADV_FREE;
    }
}

/// Gives the memory of pages back to the system. They stay mapped, and read as zero on Linux. Guard pages among them stay
/// guard pages.
///
/// # Safety
///
/// Whole pages of a [`Region`], or of several that are neighbours, with nothing in them that anybody needs.
pub(super) unsafe fn give_back(start: NonNull<u8>, bytes: usize) {
    // SAFETY: nobody needs what is in them. If the system refuses, as it does for memory that is locked, all stays as it is.
    _ = unsafe { libc::madvise(start.as_ptr().cast(), bytes, GIVE_BACK) };
}

/// How many zeros there are at the start, without committing a page that was not touched.
///
/// # Safety
///
/// Memory of a [`Region`] that begins with a page and that nobody else looks at meanwhile.
pub(super) unsafe fn zeros_at(start: NonNull<u8>, bytes: usize) -> usize {
    let page = page_bytes();
    for offset in (0..bytes).step_by(page) {
        // SAFETY: inside.
        let start = unsafe { start.add(offset) };
        if !is_touched(start) {
            continue;
        }
        // SAFETY: inside, initialized by the system or since.
        let page = unsafe { std::slice::from_raw_parts(start.as_ptr(), page.min(bytes - offset)) };
        if let Some(zeros) = page.iter().position(|byte| *byte != 0) {
            return offset + zeros;
        }
    }
    bytes
}

/// Whether a page is committed.
fn is_touched(page: NonNull<u8>) -> bool {
    cfg_select! {
        any(target_os = "linux", target_os = "android") => {
            let mut seen = 0;
            // SAFETY: a page of our own, and a byte for the answer.
            let answered = unsafe { libc::mincore(page.as_ptr().cast(), 1, &mut seen) };
            answered != 0 || seen & 1 != 0
        }
        _ => {
            _ = page;
            true
        }
    }
}
