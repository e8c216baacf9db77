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
use crate::context::{Context, inherited, is_used};
use crate::task::Panic;

/// A scheduled function call, shared by whoever calls it and the handle that can cancel it.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct Callback(
    /// **Invariant:** that of a [`CallCell`].
    Runnable,
);

#[repr(C)]
struct CallCell {
    head: Head,
    /// Until it is called or cancelled.
    function: Cell<Option<Box<dyn FnOnce()>>>,
    /// What it is called in.
    context: Cell<Option<Context>>,
    pending: Cell<bool>,
    /// Where somebody asked for the call.
    scheduled_at: &'static Location<'static>,
}

static TABLE: Table = Table { run, fetch: None, discard, free, task: None };

impl Callback {
    /// To be called in a copy of the context that is the current one now.
    #[track_caller]
    pub(crate) fn new(function: Box<dyn FnOnce()>) -> Self {
        Self::with(Some(function), Location::caller())
    }

    /// The same, for somebody who asked for it there.
    pub(super) fn new_for(function: Box<dyn FnOnce()>, scheduled_at: &'static Location<'static>) -> Self {
        Self::with(Some(function), scheduled_at)
    }

    /// The same, of which it is not known yet what it calls.
    #[track_caller]
    pub(crate) fn vacant() -> Self {
        Self::with(None, Location::caller())
    }

    #[inline(always)]
    fn with(function: Option<Box<dyn FnOnce()>>, scheduled_at: &'static Location<'static>) -> Self {
        let context = if is_used() { inherited() } else { None };
        let (function, context, pending) = (Cell::new(function), Cell::new(context), Cell::new(true));
        let head = Head::new(&TABLE, Word::NOBODY);
        let cell = Box::new(CallCell { head, function, context, pending, scheduled_at });
        let cell = NonNull::from(Box::leak(cell));
        // SAFETY: it begins with its head (`repr(C)`), the pointer is to all of it, and only `free` frees it.
        Self(unsafe { Runnable::from_counted(cell.cast()) })
    }

    /// The callback that is this, if it is one.
    pub(super) fn of(runnable: &Runnable) -> Option<&Self> {
        // SAFETY: it is one (`repr(transparent)`), and that of a callback: nothing else has this table.
        std::ptr::eq(runnable.table(), &TABLE).then(|| unsafe { &*(&raw const *runnable).cast::<Self>() })
    }

    fn cell(&self) -> &CallCell {
        // SAFETY: by the invariant it is one, and it is alive, because this holds it. Nobody makes a `&mut` to it.
        unsafe { self.0.as_ptr().cast::<CallCell>().as_ref() }
    }

    /// What it calls, unless it has been called or cancelled.
    pub(crate) fn fill(&self, function: Box<dyn FnOnce()>) {
        debug_assert!(self.is_pending(), "filled once");
        self.cell().function.set(Some(function));
    }

    /// Takes the function out: to call it, or to drop it. Once.
    pub(crate) fn take(&self) -> Option<Box<dyn FnOnce()>> {
        self.cell().take()
    }

    /// Lends the context that it is called in.
    pub(super) fn context(&self) -> &Cell<Option<Context>> {
        &self.cell().context
    }

    /// Whether both are the same one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }

    pub(super) fn is_pending(&self) -> bool {
        self.cell().pending.get()
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
    let cell = unsafe { head.cast::<CallCell>().as_ref() };
    let Some(function) = cell.take() else { return };
    let call = || {
        function();
        if let Some(context) = cell.context.take() {
            let_go(context);
        }
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
        core.report(Exception::CallbackPanicked(Panic::new(payload)));
    }
}

/// Its values may have destructors.
#[cold]
#[inline(never)]
fn let_go(context: Context) {
    drop(context);
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
