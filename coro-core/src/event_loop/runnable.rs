//! What the ready queue holds: tasks and callbacks, behind one thin and counted pointer.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::core::Core;
use super::word::Word;
use crate::task::Methods;

/// How the runnables of one type are handled. What its functions are given is one of that type.
pub(crate) struct Table {
    /// Runs it, on the loop whose queue it was in. Whoever calls this holds it.
    pub(crate) run: unsafe fn(NonNull<Head>, &Core),
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

/// The ready queue: first in, first out, linked through what is in it, so that nothing is allocated to wake somebody.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    /// **Invariant:** from here, `next` leads through all that is in the queue, to `last`. The queue has a hold on each.
    first: Cell<Option<NonNull<Head>>>,
    last: Cell<Option<NonNull<Head>>>,
    /// The one that is being run. **Invariant:** `run_all` holds it meanwhile.
    running: Cell<Option<NonNull<Head>>>,
}

impl ReadyQueue {
    /// Appends it, unless it is in the queue: then it says so.
    #[inline(always)]
    pub(crate) fn push(&self, runnable: &Runnable) -> bool {
        let pushed = !runnable.head().queued.replace(true);
        if pushed {
            // A hold goes to the queue.
            self.link(ManuallyDrop::new(runnable.clone()).0);
        }
        pushed
    }

    /// [`push`](Self::push), with a hold that is not needed any more.
    #[inline(always)]
    pub(crate) fn push_held(&self, runnable: Runnable) {
        if !runnable.head().queued.replace(true) {
            self.link(ManuallyDrop::new(runnable).0);
        }
    }

    /// Appends one that was made as queued.
    #[inline(always)]
    pub(crate) fn push_new(&self, runnable: Runnable) {
        self.link(ManuallyDrop::new(runnable).0);
    }

    /// Runs one now that was made as queued, in the middle of whatever else is being run.
    pub(super) fn run_now(&self, runnable: &Runnable, core: &Core) {
        /// Also if it unwinds.
        struct Restore<'a>(&'a ReadyQueue, Option<NonNull<Head>>);

        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                // By the invariant it is held still: whoever runs it is further down on the stack.
                self.0.running.set(self.1);
            }
        }

        let _outer = Restore(self, self.running.get());
        // It may be woken meanwhile.
        runnable.head().queued.set(false);
        let _running = Running::new(self, runnable);
        runnable.run(core);
    }

    /// The one that is being run, if there is one.
    #[inline(always)]
    pub(crate) fn with_running<T>(&self, look: impl FnOnce(&Runnable) -> T) -> Option<T> {
        // By the invariant it is alive. The hold is not this one's to give up.
        self.running.get().map(|running| look(&ManuallyDrop::new(Runnable(running))))
    }

    /// The one that is being run has ended.
    #[inline(always)]
    pub(crate) fn note_ended(&self) {
        self.running.set(None);
    }

    #[inline(always)]
    fn link(&self, pushed: NonNull<Head>) {
        match self.last.replace(Some(pushed)) {
            None => self.first.set(Some(pushed)),
            // SAFETY: by the invariant it is alive, and shared only.
            Some(last) => unsafe { last.as_ref() }.next.set(Some(pushed)),
        }
    }

    /// Takes the first one. From now on it may be pushed again.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<Runnable> {
        // The hold of the queue goes to the caller.
        let first = Runnable(self.first.get()?);
        let next = first.head().next.take();
        self.first.set(next);
        if next.is_none() {
            self.last.set(None);
        }
        first.head().queued.set(false);
        Some(first)
    }

    /// Runs all that are in the queue by now, and none that is pushed meanwhile. Gives how many ran.
    #[inline(always)]
    pub(super) fn run_all(&self, core: &Core) -> usize {
        self.run_each(|runnable| runnable.run(core))
    }

    /// [`run_all`](Self::run_all), with `run` to [run](Runnable::run) each of them.
    #[inline(always)]
    pub(super) fn run_each(&self, run: impl Fn(&Runnable)) -> usize {
        let mut batch = Batch { next: self.first.take(), queue: self };
        self.last.set(None);
        let mut ran = 0;
        while let Some(runnable) = batch.pop() {
            let _running = Running::new(self, &runnable);
            run(&runnable);
            ran += 1;
        }
        ran
    }

    /// Takes the first one, still marked as queued: it cannot be pushed again until it is run.
    #[cfg(feature = "testing")]
    pub(super) fn take_marked(&self) -> Option<Runnable> {
        let first = self.pop()?;
        first.head().queued.set(true);
        Some(first)
    }

    /// Runs one that was [taken](Self::take_marked).
    #[cfg(feature = "testing")]
    pub(super) fn run_one(&self, runnable: &Runnable, run: impl FnOnce(&Runnable)) {
        runnable.head().queued.set(false);
        let _running = Running::new(self, runnable);
        run(runnable);
    }

    /// How many are in the queue. They are counted now.
    pub(super) fn len(&self) -> usize {
        let (mut len, mut next) = (0, self.first.get());
        while let Some(head) = next {
            len += 1;
            // SAFETY: by the invariant it is alive, and shared only.
            next = unsafe { head.as_ref() }.next.get();
        }
        len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }
}

/// What was in the queue at one moment: a queue of its own, until it is run.
struct Batch<'a> {
    /// **Invariant:** as that of the queue.
    next: Option<NonNull<Head>>,
    queue: &'a ReadyQueue,
}

impl Batch<'_> {
    #[inline(always)]
    fn pop(&mut self) -> Option<Runnable> {
        // The hold of the batch goes to the caller.
        let runnable = Runnable(self.next?);
        self.next = runnable.head().next.take();
        // From now on it may be pushed again.
        runnable.head().queued.set(false);
        Some(runnable)
    }

    #[cold]
    fn put_back(&self, next: NonNull<Head>) {
        let mut last = next;
        // SAFETY: by the invariant it is alive, and shared only; so is each that it leads to, for none of them has run.
        while let Some(next) = unsafe { last.as_ref() }.next.get() {
            last = next;
        }
        // SAFETY: as above.
        unsafe { last.as_ref() }.next.set(self.queue.first.replace(Some(next)));
        if self.queue.last.get().is_none() {
            self.queue.last.set(Some(last));
        }
    }
}

impl Drop for Batch<'_> {
    /// If something panicked, what has not run is still first in line.
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(next) = self.next {
            self.put_back(next);
        }
    }
}

/// Says which one is being run, for as long as it is held.
struct Running<'a>(&'a ReadyQueue);

impl<'a> Running<'a> {
    #[inline(always)]
    fn new(queue: &'a ReadyQueue, runnable: &'a Runnable) -> Self {
        queue.running.set(Some(runnable.0));
        Self(queue)
    }
}

impl Drop for Running<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.running.set(None);
    }
}

impl Drop for ReadyQueue {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

impl fmt::Debug for ReadyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyQueue").field("is_empty", &self.is_empty()).finish()
    }
}
