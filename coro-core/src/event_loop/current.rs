//! The loop that runs on this thread.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use super::core::Core;

thread_local! {
    /// **Invariant:** null, or the core that an [`Entered`] of this thread holds.
    static CURRENT: Cell<*const Core> = const { Cell::new(ptr::null()) };
}

/// A loop that runs. Made by [`enter`].
pub(super) struct Entered(Rc<Core>);

/// Makes this the current loop of the thread, unless there is one.
pub(super) fn enter(core: &Rc<Core>) -> Option<Entered> {
    if !CURRENT.get().is_null() {
        return None;
    }
    CURRENT.set(Rc::as_ptr(core));
    core.running.set(true);
    Some(Entered(Rc::clone(core)))
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.running.set(false);
        CURRENT.set(ptr::null());
    }
}

/// Looks at the loop that runs on this thread.
///
/// `look` runs nothing of the user's: it is for what is done millions of times a second. Whoever does more takes
/// [`current`].
#[inline(always)]
pub(super) fn with_current<T>(look: impl FnOnce(&Core) -> T) -> Option<T> {
    // SAFETY: by the invariant it is null or alive: an `Entered` holds it, and resets this before it lets go. That does not
    // happen while `look` runs, which ends no run: a run is ended by the function that began it, and to get there, or to
    // drop the stack on which that function is suspended, something of the user's would have to run.
    unsafe { CURRENT.get().as_ref() }.map(look)
}

/// The loop that runs on this thread.
pub(super) fn current() -> Option<Rc<Core>> {
    with_current(Core::this)
}
