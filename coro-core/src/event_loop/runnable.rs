//! What the ready queue holds: tasks and callbacks, behind one thin and counted pointer.

#![allow(unsafe_code)]

mod queue;

use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;

use super::core::Core;
use super::word::Word;
use crate::task::Methods;

pub(crate) use queue::ReadyQueue;

/// How the runnables of one type are handled. What its functions are given is one of that type.
pub(crate) struct Table {
    /// Runs it, on the loop whose queue it was in. Whoever calls this holds it.
    pub(crate) run: unsafe fn(NonNull<Head>, &Core),
    /// Asks for what it will touch when it is run, if that is not in its place: [`TaskBody::fetch`](crate::task::TaskBody).
    pub(crate) fetch: Option<unsafe fn(NonNull<Head>)>,
    /// Its loop is closed: drops what will not run.
    pub(crate) discard: unsafe fn(Runnable, &Core),
    /// Drops it and gives its memory back: nobody holds it any more.
    pub(crate) free: unsafe fn(NonNull<Head>),
    /// What else a task can be asked for.
    pub(crate) task: Option<&'static Methods>,
}

/// What every runnable begins with.
pub(crate) struct Head {
    table: &'static Table,
    /// The one behind it in the queue.
    next: Cell<Option<NonNull<Head>>>,
    /// Its name: that of a task, or of nobody.
    word: Word,
    holders: Cell<u32>,
    /// It is in the queue, or is not to be queued any more.
    queued: Cell<bool>,
}

impl Head {
    /// That of a new runnable, with one holder.
    #[inline(always)]
    pub(crate) fn new(table: &'static Table, word: Word) -> Self {
        Self { table, next: Cell::new(None), word, holders: Cell::new(1), queued: Cell::new(false) }
    }

    /// [`new`](Self::new), for one that goes to [`ReadyQueue::push_new`] next.
    #[inline(always)]
    pub(crate) fn new_queued(table: &'static Table, word: Word) -> Self {
        Self { queued: Cell::new(true), ..Self::new(table, word) }
    }

    #[inline(always)]
    pub(crate) fn word(&self) -> Word {
        self.word
    }

    /// Runs what it begins, once more in its step.
    ///
    /// # Safety
    ///
    /// As [`Table`] says.
    pub(crate) unsafe fn run(head: NonNull<Self>, core: &Core) {
        // SAFETY: as promised, it is held.
        let run = unsafe { head.as_ref() }.table.run;
        // SAFETY: the table is that of its type.
        unsafe { run(head, core) }
    }

    /// It has ended: nobody queues it any more.
    #[inline(always)]
    pub(crate) fn retire(&self) {
        self.queued.set(true);
    }
}

/// A hold on a runnable. The last one to go frees it.
pub(crate) struct Runnable(
    /// **Invariant:** it points to a `Head` that begins a `repr(C)` allocation of the type its table is for, may be used
    /// for all of that, and counts this hold. Only `&Head` are ever made of it, here and by that type.
    NonNull<Head>,
);

impl Runnable {
    /// A hold that is counted already.
    ///
    /// # Safety
    ///
    /// As the invariant says; the pointer comes from an allocation that nobody else frees.
    #[inline(always)]
    pub(crate) unsafe fn from_counted(head: NonNull<Head>) -> Self {
        Self(head)
    }

    /// For the type that it is, while it is held.
    pub(crate) fn as_ptr(&self) -> NonNull<Head> {
        self.0
    }

    #[inline(always)]
    fn head(&self) -> &Head {
        // SAFETY: alive, because this holds it, and shared only.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    pub(crate) fn table(&self) -> &'static Table {
        self.head().table
    }

    /// The name of the task, if it is one.
    #[inline(always)]
    pub(crate) fn word(&self) -> Word {
        self.head().word
    }

    /// Whether it is in a queue, or will never be in one again.
    pub(crate) fn is_queued(&self) -> bool {
        self.head().queued.get()
    }

    /// Whether both are holds on the same one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Runs it.
    #[inline(always)]
    pub(super) fn run(&self, core: &Core) {
        // SAFETY: the table is that of its type.
        unsafe { (self.head().table.run)(self.0, core) }
    }

    /// Lets go of it, on a loop that is closed.
    pub(super) fn discard(self, core: &Core) {
        let discard = self.head().table.discard;
        // SAFETY: the table is that of its type.
        unsafe { discard(self, core) }
    }
}

impl Clone for Runnable {
    #[inline(always)]
    fn clone(&self) -> Self {
        let holders = &self.head().holders;
        // The table, the queue, a handle and those who handle it at the moment: never near the end of the range.
        holders.set(holders.get() + 1);
        Self(self.0)
    }
}

impl Drop for Runnable {
    #[inline(always)]
    fn drop(&mut self) {
        let head = self.head();
        let holders = head.holders.get() - 1;
        head.holders.set(holders);
        if holders == 0 {
            let free = head.table.free;
            // SAFETY: the table is that of its type, and this was the last hold.
            unsafe { free(self.0) }
        }
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runnable").field("queued", &self.head().queued.get()).finish_non_exhaustive()
    }
}
