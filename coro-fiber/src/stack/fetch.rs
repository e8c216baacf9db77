//! Asking for memory before it is touched.

#![allow(unsafe_code)]

/// How much of a stack is asked for: what a body that waits not too deep in calls has used of it, and what switches to it.
#[cfg(target_arch = "x86_64")]
const BYTES: usize = 320;
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Asks for what lies beneath the base of a stack.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn fetch_beneath(base: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    for line in 1..=BYTES / LINE {
        let place = std::ptr::without_provenance(base.wrapping_sub(line * LINE));
        // SAFETY: every x86-64 has the instruction, which reads nothing that could be seen, and fails at no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place) };
    }
}

/// There is no way to ask.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn fetch_beneath(_base: usize) {}
