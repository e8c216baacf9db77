//! Where the handler of a fault runs: not on the stack that has overflowed.
//!
//! The threads of the standard library have such a stack. One that was made by a C library has not.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;

use super::guard::{self, Guard};
use super::memory::{Region, page_bytes};

/// More than the largest processor state takes, for a handler of somebody else's, too.
const BYTES: usize = 64 * 1024;

/// Gives this thread one, if it has none.
pub(super) fn provide() {
    thread_local! {
        static OWN: Option<SignalStack> = SignalStack::provide();
    }
    // While the thread ends it is too late.
    _ = OWN.try_with(|_| ());
}

struct SignalStack(Region);

impl SignalStack {
    /// Without memory for it there is none: then an overflow kills without a word.
    fn provide() -> Option<Self> {
        if now()?.ss_flags & libc::SS_DISABLE == 0 {
            return None;
        }
        let region = Region::map(BYTES + page_bytes()).ok()?;
        // SAFETY: its lowest page, in which nothing is.
        unsafe { Guard::Protected.install(region.start()) }.ok()?;
        // SAFETY: the rest of it.
        let start = unsafe { region.start().add(page_bytes()) };
        let stack = libc::stack_t { ss_sp: start.as_ptr().cast(), ss_flags: 0, ss_size: BYTES };
        // SAFETY: memory that nobody else uses, and that stays mapped until `drop` has taken it away again.
        (unsafe { libc::sigaltstack(&stack, ptr::null_mut()) } == 0).then_some(Self(region))
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        guard::uncount_protected(1);
        let start = self.0.start().addr().get();
        let is_ours = now().is_some_and(|now| now.ss_sp.addr() == start + page_bytes());
        if is_ours {
            let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: BYTES };
            // SAFETY: the thread ends, and no handler runs.
            _ = unsafe { libc::sigaltstack(&none, ptr::null_mut()) };
        }
    }
}

/// What the thread has.
fn now() -> Option<libc::stack_t> {
    let mut now = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: it writes what there is.
    (unsafe { libc::sigaltstack(ptr::null(), now.as_mut_ptr()) } == 0).then(|| {
        // SAFETY: it was written, and is plain data.
        unsafe { now.assume_init() }
    })
}
