//! Callbacks: functions that the loop calls once.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;

use super::Exception;
use super::core::Core;
use super::runnable::{Head, Runnable, Table};
use super::word::Word;
use crate::task::Panic;

/// A scheduled function call, shared by whoever calls it and the handle that can cancel it.
#[derive(Clone)]
pub(super) struct Callback(
    /// **Invariant:** that of a [`CallCell`].
    Runnable,
);

#[repr(C)]
struct CallCell {
    head: Head,
    /// Until it is called or cancelled.
    function: Cell<Option<Box<dyn FnOnce()>>>,
    pending: Cell<bool>,
    /// Where somebody asked for the call.
    scheduled_at: &'static Location<'static>,
}

static TABLE: Table = Table { run, discard, free, task: None };

impl Callback {
    pub(super) fn new(function: Box<dyn FnOnce()>, scheduled_at: &'static Location<'static>) -> Self {
        let (function, pending) = (Cell::new(Some(function)), Cell::new(true));
        let head = Head::new(&TABLE, Word::NOBODY);
        let cell = Box::new(CallCell { head, function, pending, scheduled_at });
        let cell = NonNull::from(Box::leak(cell));
        // SAFETY: it begins with its head (`repr(C)`), the pointer is to all of it, and only `free` frees it.
        Self(unsafe { Runnable::from_counted(cell.cast()) })
    }

    fn cell(&self) -> &CallCell {
        // SAFETY: by the invariant it is one, and it is alive, because this holds it. Nobody makes a `&mut` to it.
        unsafe { self.0.as_ptr().cast::<CallCell>().as_ref() }
    }

    /// Takes the function out: to call it, or to drop it. Once.
    pub(super) fn take(&self) -> Option<Box<dyn FnOnce()>> {
        self.cell().take()
    }

    pub(super) fn is_pending(&self) -> bool {
        self.cell().pending.get()
    }

    /// The callback that this is, if it is one.
    pub(super) fn of(runnable: &Runnable) -> Option<Self> {
        std::ptr::eq(runnable.table(), &raw const TABLE).then(|| Self(runnable.clone()))
    }

    /// Where somebody asked for it.
    pub(super) fn scheduled_at(&self) -> &'static Location<'static> {
        self.cell().scheduled_at
    }

    pub(super) fn as_runnable(&self) -> &Runnable {
        &self.0
    }
}

impl CallCell {
    fn take(&self) -> Option<Box<dyn FnOnce()>> {
        self.pending.set(false);
        self.function.take()
    }
}

/// # Safety
///
/// As [`Table`] says, for a [`CallCell`].
unsafe fn run(head: NonNull<Head>, core: &Core) {
    // SAFETY: it is a live one, as promised.
    let Some(function) = unsafe { head.cast::<CallCell>().as_ref() }.take() else { return };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(function)) {
        core.report(Exception::CallbackPanicked(Panic::new(payload)));
    }
}

/// # Safety
///
/// As [`Table`] says, for a [`CallCell`].
unsafe fn discard(runnable: Runnable, core: &Core) {
    core.drop_callback(&Callback(runnable));
}

/// # Safety
///
/// As [`Table`] says, for a [`CallCell`].
unsafe fn free(head: NonNull<Head>) {
    // SAFETY: it came from a box, and nobody holds it any more.
    drop(unsafe { Box::from_raw(head.cast::<CallCell>().as_ptr()) });
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").field("pending", &self.is_pending()).finish()
    }
}
