//! What a suspended fiber is resumed for, if not to go on.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::panic::resume_unwind;

use coro_core::coroutine::{Captured, OwnStack};

use crate::stack;

/// What a suspended fiber is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    GoOn,
    /// To unwind its stack, because it is dropped.
    Unwind,
    /// To capture what is on its stack, and suspend again.
    Probe,
}

coro_core::__local! {
    /// For the fiber that is resumed next, which takes it at once.
    static COMMAND: Cell<Command> = const { Cell::new(Command::GoOn) };
    /// What a fiber was probed for, until whoever probed it takes it.
    static CAPTURED: Cell<Option<OwnStack>> = const { Cell::new(None) };
}

/// The fiber that is resumed next is to do this.
pub(crate) fn give(command: Command) {
    COMMAND.set(command);
}

/// What the fiber that has just been resumed is to do. If it is not to go on, it takes the command next.
#[inline(always)]
pub(crate) fn look() -> Command {
    COMMAND.get()
}

/// What the fiber that has just been resumed is to do. It is not for the one that is resumed next.
pub(crate) fn take() -> Command {
    COMMAND.replace(Command::GoOn)
}

/// How much of a stack must be left to capture what is on it. That takes 6 KiB; a signal may come meanwhile.
const ROOM: usize = 16 * 1024;

/// Leaves what is on the stack of the fiber that has been resumed for that. The name of its caller, and that of
/// what is at the bottom of the stack, say which part of it is the fiber's.
#[inline(never)]
pub(crate) fn answer_probe() {
    let captured = match stack::room() {
        None => OwnStack::Unsupported,
        Some(room) if room < ROOM => OwnStack::NoRoom(ROOM),
        Some(_) => OwnStack::Captured(Captured::new(
            Backtrace::force_capture(),
            // However names are mangled.
            "answer_probes",
            "corosensei::",
        )),
    };
    // While the thread ends there may be no place for it any more: then it is dropped.
    let _ = CAPTURED.try_with(|place| place.set(Some(captured)));
}

/// Takes what a fiber has left that was probed.
pub(crate) fn take_captured() -> OwnStack {
    CAPTURED.try_with(Cell::take).ok().flatten().unwrap_or(OwnStack::Unsupported)
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
