//! The handler of Ctrl-C: of the signal `SIGINT`, for one loop of the process.
//!
//! What it does may be done wherever it interrupts the thread: it sets a bit, and wakes the loop, which takes no lock that
//! is held, and no memory. If the loop has not heard the last one by now, because something in it blocks or computes, it
//! does what the system does without a handler: it ends the process.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::super::{Inbox, Loop};

type Action = libc::sigaction;

/// Whose it is. **Invariant:** null, or what a [`Handler`] got from `Arc::into_raw`.
static TARGET: AtomicPtr<Inbox> = AtomicPtr::new(ptr::null_mut());

/// How many threads are in the handler.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// While it is held, Ctrl-C interrupts a loop.
#[derive(Debug)]
pub(crate) struct Handler(
    /// **Invariant:** it is that of `TARGET`.
    *const Inbox,
);

impl Handler {
    /// Has Ctrl-C interrupt `event_loop`. None if there is a handler already, whoever's it is, or if it is ignored.
    ///
    /// A loop that tokio hosts has none: there tokio handles signals.
    pub(crate) fn install(event_loop: &Loop) -> Option<Self> {
        #[cfg(feature = "tokio")]
        if event_loop.host().is_some() {
            return None;
        }
        let inbox = Arc::into_raw(event_loop.core.remote_inbox());
        let own = Self(inbox);
        if TARGET.compare_exchange(ptr::null_mut(), inbox.cast_mut(), SeqCst, SeqCst).is_err() {
            std::mem::forget(own);
            // SAFETY: it came from there, and nobody else has got it.
            drop(unsafe { Arc::from_raw(inbox) });
            return None;
        }
        // Without a handler of ours, dropping it takes it out of the target again.
        (current()?.sa_sigaction == libc::SIG_DFL && set(ours())).then_some(own)
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if current().is_some_and(|action| action.sa_sigaction == ours().sa_sigaction) {
            set(default());
        }
        TARGET.store(ptr::null_mut(), SeqCst);
        // Whoever is inside may have seen the target before.
        while INSIDE.load(SeqCst) != 0 {
            std::thread::yield_now();
        }
        // SAFETY: by the invariant it came from there; the target is null, and nobody is inside who has seen it before.
        drop(unsafe { Arc::from_raw(self.0) });
    }
}

extern "C" fn on_interrupt(_signal: libc::c_int) {
    let error = errno();
    INSIDE.fetch_add(1, SeqCst);
    // SAFETY: by the invariant it is null or alive: whoever makes it null waits until nobody is inside.
    let heard =
        unsafe { TARGET.load(SeqCst).as_ref() }.is_some_and(|inbox| inbox.signal(libc::SIGINT as u32));
    INSIDE.fetch_sub(1, SeqCst);
    if !heard {
        set(default());
        // SAFETY: it may be called in a handler. The signal arrives when this one returns.
        _ = unsafe { libc::raise(libc::SIGINT) };
    }
    if let (Some(error), Some(place)) = (error, errno_place()) {
        // SAFETY: it is that of this thread, and valid.
        unsafe { place.write(error) };
    }
}

fn errno() -> Option<libc::c_int> {
    // SAFETY: it is that of this thread, and valid.
    errno_place().map(|place| unsafe { place.read() })
}

/// What the code that is interrupted may be about to look at.
fn errno_place() -> Option<*mut libc::c_int> {
    #[cfg(target_os = "linux")]
    // SAFETY: it has no conditions.
    return Some(unsafe { libc::__errno_location() });
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    // SAFETY: it has no conditions.
    return Some(unsafe { libc::__error() });
    #[cfg(not(any(target_os = "linux", target_vendor = "apple", target_os = "freebsd")))]
    None
}

/// What is done now. `None` if the system does not say.
fn current() -> Option<Action> {
    let mut action = MaybeUninit::uninit();
    // SAFETY: it changes nothing, and what it writes to is large enough.
    let asked = unsafe { libc::sigaction(libc::SIGINT, ptr::null(), action.as_mut_ptr()) };
    // SAFETY: it was written if there was no error.
    (asked == 0).then(|| unsafe { action.assume_init() })
}

fn ours() -> Action {
    let handler: extern "C" fn(libc::c_int) = on_interrupt;
    // What the program blocks in goes on after it.
    Action { sa_sigaction: handler as usize, sa_flags: libc::SA_RESTART, ..default() }
}

fn default() -> Action {
    // SAFETY: all zeros are one: the default action, without flags, that blocks no other signal.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

fn set(action: Action) -> bool {
    // SAFETY: the handler is a function with this signature, which does only what is allowed in one; or it is the default.
    unsafe { libc::sigaction(libc::SIGINT, &raw const action, ptr::null_mut()) == 0 }
}
