//! The loops of this thread, and the one that runs.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::{Rc, Weak};

use super::RunError;
use super::core::Core;
use crate::context::{Aside, begin_without, set_aside};

/// Names a loop among those of its thread. Never reused, until there have been 2³² on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CoreNumber(u32);

/// The last number, and the loops.
type Loops = (u32, Vec<(CoreNumber, Weak<Core>)>);

crate::__local! {
    static LOOPS: RefCell<Loops> = const { RefCell::new((0, Vec::new())) };
    static IN_FIBER: Cell<fn() -> bool> = const { Cell::new(|| false) };
    /// **Invariant:** null, or the core that an [`Entered`] of this thread holds.
    static CURRENT: Cell<*const Core> = const { Cell::new(ptr::null()) };
}

/// A loop that runs. Made by [`enter`].
pub(super) struct Entered {
    core: Rc<Core>,
    /// It is in a run that goes on afterwards: that of a host.
    was_running: bool,
    _context: Aside,
}

/// Makes this the current loop of the thread, to run it, unless there is one, or the thread is in a fiber.
pub(super) fn enter(core: &Rc<Core>) -> Result<Entered, RunError> {
    if CURRENT.get().is_null() && IN_FIBER.get()() {
        return Err(RunError::InFiber);
    }
    enter_anywhere(core).ok_or(RunError::Nested)
}

/// Makes this the current loop of the thread, unless there is one.
pub(super) fn enter_anywhere(core: &Rc<Core>) -> Option<Entered> {
    if !CURRENT.get().is_null() {
        return None;
    }
    CURRENT.set(Rc::as_ptr(core));
    let was_running = core.running.replace(true);
    Some(Entered { core: Rc::clone(core), was_running, _context: set_aside() })
}

/// Refuses to run a loop on this thread while `in_fiber` says that the thread is in a fiber, with [`RunError::InFiber`].
///
/// For flavours whose bodies have stacks of their own, before they run the first one. A task of a loop that ran on such a
/// stack could suspend the fiber beneath it, and with it the loop in the middle of a turn.
pub fn refuse_in_fibers(in_fiber: fn() -> bool) {
    IN_FIBER.set(in_fiber);
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.core.running.set(self.was_running);
        CURRENT.set(ptr::null());
    }
}

/// The loop that runs does not, for as long as this is held. Made by [`leave`].
pub(crate) struct Left {
    core: *const Core,
    _context: Aside,
}

/// Makes none the current loop of the thread, for what is called as if on another one. The [`Entered`] of the loop that was
/// is further down on the stack.
pub(crate) fn leave() -> Left {
    Left { core: CURRENT.replace(ptr::null()), _context: begin_without() }
}

impl Drop for Left {
    fn drop(&mut self) {
        CURRENT.set(self.core);
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

/// As [`with_current`], with something that is given back if there is no loop, or `take` refuses it.
#[inline(always)]
pub(super) fn give_current<G, T>(given: G, take: impl FnOnce(&Core, G) -> Result<T, G>) -> Result<T, G> {
    // SAFETY: as in `with_current`.
    match unsafe { CURRENT.get().as_ref() } {
        Some(core) => take(core, given),
        None => Err(given),
    }
}

/// The loop that runs on this thread.
pub(super) fn current() -> Option<Rc<Core>> {
    with_current(Core::this)
}

/// Gives a new loop its number.
pub(super) fn register(core: Weak<Core>) -> CoreNumber {
    let enter = |loops: &RefCell<Loops>| {
        let (last, loops) = &mut *loops.borrow_mut();
        *last = last.wrapping_add(1);
        loops.push((CoreNumber(*last), core));
        CoreNumber(*last)
    };
    // While the thread ends there is no list any more: nobody finds this one, whose tasks are never run.
    LOOPS.try_with(enter).unwrap_or(CoreNumber(0))
}

/// A loop is gone.
pub(super) fn unregister(number: CoreNumber) {
    // While the thread ends there is no list any more.
    let _ = LOOPS.try_with(|loops| loops.borrow_mut().1.retain(|(other, _)| *other != number));
}

/// The loop of this number, if it still exists.
///
/// What a task holds instead of a pointer to its loop, which would be counted for each task.
pub(crate) fn find(number: CoreNumber) -> Option<Rc<Core>> {
    let find = |loops: &RefCell<Loops>| {
        let loops = loops.borrow();
        loops.1.iter().find(|(other, _)| *other == number)?.1.upgrade()
    };
    LOOPS.try_with(find).ok().flatten()
}
