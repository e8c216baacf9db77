//! The event loop, where there is no standard library: the names by which the contract reaches the loop that runs.
//!
//! There is none, and the compiler knows: a [`Core`] has no value. So the code that asks for a loop is the same with
//! the standard library and without it, and does there what it does outside a loop here.

use alloc::rc::{Rc, Weak};
use core::any::Any;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::task::{Context, Waker};

use crate::coroutine::{FrameInfo, MisuseKind, Thrown};

/// The loop that runs. There is none.
pub(crate) enum Core {}

impl Core {
    pub(crate) fn current() -> Option<Rc<Self>> {
        None
    }

    pub(crate) fn current_for_cleanup() -> Option<Rc<Self>> {
        None
    }

    pub(crate) fn clean_up<F>(&self, _work: F, _made_at: &'static Location<'static>)
    where
        F: Future<Output = Result<(), CleanupError>> + 'static,
    {
        match *self {}
    }

    pub(crate) fn register(&self, _generator: Weak<dyn Unclosed>) -> Option<Registered> {
        match *self {}
    }
}

/// A coroutine was dropped that was never resumed, nor closed. There is no loop that could tell.
pub(crate) fn never_awaited(_coroutine: FrameInfo) {}

/// The cancellation of a task. There are no tasks, and nobody makes one.
#[derive(Clone)]
pub(crate) struct Cancelled;

/// What a cancellation is where this is thrown.
pub(crate) fn thrown_as<E>(_cancelled: Cancelled) -> Thrown<E> {
    Thrown::Exit
}

/// Where a cancellation would land.
pub(crate) struct Landing;

impl Landing {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn poll_thrown(&mut self, _cx: &Context<'_>) -> Option<Cancelled> {
        None
    }

    pub(crate) fn within<T>(&self, cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        poll(cx)
    }

    pub(crate) fn pass_on(&mut self, _cancelled: &Cancelled) {}

    pub(crate) fn leave(&mut self) {}
}

/// A generator that a loop would close.
pub(crate) trait Unclosed {
    fn close_on(&self, core: &Core);
}

/// Its place with its loop. It has none.
pub(crate) enum Registered {}

impl Registered {
    pub(crate) fn open_core(&self) -> Option<Rc<Core>> {
        match *self {}
    }
}

/// Why a cleanup failed. Nobody does one.
pub(crate) enum CleanupError {
    Misuse(#[expect(dead_code, reason = "nobody cleans up")] MisuseKind),
    Raised,
}

impl CleanupError {
    pub(crate) fn raised(_error: impl Any) -> Self {
        Self::Raised
    }
}

impl<E: 'static> From<Thrown<E>> for CleanupError {
    fn from(thrown: Thrown<E>) -> Self {
        match thrown {
            Thrown::Error(_) | Thrown::Exit => Self::Raised,
            Thrown::Misuse(kind) => Self::Misuse(kind),
        }
    }
}

/// Whether `error` is the cancellation of a task. There are no tasks.
pub(crate) fn is_cancellation(_error: &dyn Any) -> bool {
    false
}

/// A clone of the waker of a task. There are no tasks.
pub(crate) fn copied(_waker: &Waker) -> Option<ManuallyDrop<Waker>> {
    None
}
