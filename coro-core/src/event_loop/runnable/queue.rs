//! The ready queue, and how what is in it is run.

use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::{Head, Runnable};
use crate::event_loop::core::Core;

/// The ready queue: first in, first out, linked through what is in it, so that nothing is allocated to wake somebody.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    /// **Invariant:** from here, `next` leads through all that is in the queue, to `last`. The queue has a hold on each.
    first: Cell<Option<NonNull<Head>>>,
    last: Cell<Option<NonNull<Head>>>,
    /// The one that is being run. **Invariant:** `run_all` holds it meanwhile.
    running: Cell<Option<NonNull<Head>>>,
    /// The next one of those that are being run, if they are many. **Invariant:** as that of a [`Batch`], if there is one.
    upcoming: Cell<Option<NonNull<Head>>>,
    /// How many were run in the last turn.
    ran: Cell<usize>,
}

/// So many are more than the caches have room for, if each has a stack: then memory is asked for ahead.
const MANY: usize = 1 << 14;
/// How many runs ahead: to fetch it takes as long as some of them.
const AHEAD: usize = 3;

impl ReadyQueue {
    /// Asks for what one of those that are to be run soon will touch, if they are many.
    #[inline(always)]
    pub(crate) fn fetch_upcoming(&self) {
        if let Some(upcoming) = self.upcoming.get() {
            self.fetch_after(upcoming);
        }
    }

    #[cold]
    #[inline(never)]
    fn fetch_after(&self, upcoming: NonNull<Head>) {
        let mut upcoming = Some(upcoming);
        for _ in 1..AHEAD {
            // SAFETY: by the invariant it is alive, and shared only.
            upcoming = upcoming.and_then(|upcoming| unsafe { upcoming.as_ref() }.next.get());
        }
        let Some(head) = upcoming else { return };
        // SAFETY: as above.
        if let Some(fetch) = unsafe { head.as_ref() }.table.fetch {
            // SAFETY: the table is that of its type.
            unsafe { fetch(head) };
        }
    }

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
    pub(in crate::event_loop) fn run_now(&self, runnable: &Runnable, core: &Core) {
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
    pub(in crate::event_loop) fn run_all(&self, core: &Core) -> usize {
        let ran = if self.ran.get() < MANY {
            self.run_each(|runnable, _| runnable.run(core))
        } else {
            self.run_many(core)
        };
        self.ran.set(ran);
        ran
    }

    /// [`run_all`](Self::run_all), which says which one is next, for [`fetch_upcoming`](Self::fetch_upcoming).
    #[cold]
    #[inline(never)]
    fn run_many(&self, core: &Core) -> usize {
        /// Also if something unwinds.
        struct Nobody<'a>(&'a ReadyQueue);

        impl Drop for Nobody<'_> {
            fn drop(&mut self) {
                self.0.upcoming.set(None);
            }
        }

        let _nobody = Nobody(self);
        self.run_each(|runnable, next| {
            self.upcoming.set(next);
            runnable.run(core);
        })
    }

    /// [`run_all`](Self::run_all), with `run` to [run](Runnable::run) each of them, which is told the next one.
    #[inline(always)]
    pub(in crate::event_loop) fn run_each(&self, run: impl Fn(&Runnable, Option<NonNull<Head>>)) -> usize {
        let mut batch = Batch { next: self.first.take(), queue: self };
        self.last.set(None);
        let mut ran = 0;
        while let Some(runnable) = batch.pop() {
            let _running = Running::new(self, &runnable);
            run(&runnable, batch.next);
            ran += 1;
        }
        ran
    }

    /// Takes the first one, still marked as queued: it cannot be pushed again until it is run.
    #[cfg(feature = "testing")]
    pub(in crate::event_loop) fn take_marked(&self) -> Option<Runnable> {
        let first = self.pop()?;
        first.head().queued.set(true);
        Some(first)
    }

    /// Runs one that was [taken](Self::take_marked).
    #[cfg(feature = "testing")]
    pub(in crate::event_loop) fn run_one(&self, runnable: &Runnable, run: impl FnOnce(&Runnable)) {
        runnable.head().queued.set(false);
        let _running = Running::new(self, runnable);
        run(runnable);
    }

    /// How many are in the queue. They are counted now.
    pub(in crate::event_loop) fn len(&self) -> usize {
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
