//! What a suspended fiber is resumed for, if not to go on.

use std::cell::Cell;
use std::panic::resume_unwind;

/// What a suspended fiber is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    GoOn,
    /// To unwind its stack, because it is dropped.
    Unwind,
}

coro_core::__local! {
    /// For the fiber that is resumed next, which takes it at once.
    static COMMAND: Cell<Command> = const { Cell::new(Command::GoOn) };
}

/// The fiber that is resumed next is to do this.
pub(crate) fn give(command: Command) {
    COMMAND.set(command);
}

/// What the fiber that has just been resumed is to do.
#[inline(always)]
pub(crate) fn take() -> Command {
    let command = COMMAND.get();
    if command != Command::GoOn {
        COMMAND.set(Command::GoOn);
    }
    command
}

/// With what a stack is unwound that is dropped. No message is printed for it.
struct Unwinding;

/// Whether panics unwind in this program, so that a stack can be unwound as by one.
const CAN_UNWIND: bool = cfg!(panic = "unwind");

/// Unwinds the stack, if that is possible here.
pub(crate) fn unwind() {
    if CAN_UNWIND {
        resume_unwind(Box::new(Unwinding));
    }
}

/// Whether this is what a dropped stack was unwound with.
pub(crate) fn is_unwinding(payload: &(dyn std::any::Any + Send)) -> bool {
    payload.is::<Unwinding>()
}

/// How often a body that is being dropped has asked to suspend, and was refused.
///
/// A destructor may ask, and there may be many, so they have many attempts. A body that goes on after its stack was
/// unwound, because it has caught that, has few: it may be a loop that never ends.
#[derive(Default)]
pub(crate) struct Refusals(Cell<u32>);

impl Refusals {
    const IN_DESTRUCTORS: u32 = 1_000_000;
    const AFTERWARDS: u32 = 1_000;

    /// One more. False if it was one too many.
    pub(crate) fn add(&self) -> bool {
        let weight = if std::thread::panicking() { 1 } else { Self::IN_DESTRUCTORS / Self::AFTERWARDS };
        self.0.set(self.0.get().saturating_add(weight));
        self.0.get() <= Self::IN_DESTRUCTORS
    }
}
