//! So many of something, for those who wait for one: what semaphores and limiters have in common.
//!
//! Who is called has a permit from that moment. It takes it when it runs, or gives it back when it goes away instead.
//! Until then nobody overtakes it, even if more are free: a newcomer enters the line, and the called one, when it runs,
//! calls as many as there are permits for.

use std::cell::Cell;
use std::task::{Context, Poll};

use super::{Line, Place};

pub(super) struct Permits {
    /// How many nobody has. Less than nothing after more were taken away than were free.
    free: Cell<isize>,
    /// How many have been called and have not run. Each has a permit.
    promised: Cell<usize>,
    pub(super) line: Line,
}

impl Permits {
    pub(super) fn new(free: isize, line: Line) -> Self {
        Self { free: Cell::new(free), promised: Cell::new(0), line }
    }

    /// How many nobody has.
    pub(super) fn free(&self) -> usize {
        self.free.get().max(0).unsigned_abs()
    }

    /// How many have been promised to one who has not run.
    pub(super) fn promised(&self) -> usize {
        self.promised.get()
    }

    /// How many wait, with those that were called and have not run.
    pub(super) fn waiting(&self) -> usize {
        self.line.len() + self.promised.get()
    }

    /// Whether a newcomer has to wait.
    #[inline(always)]
    pub(super) fn is_locked(&self) -> bool {
        self.free.get() <= 0 || self.promised.get() > 0 || !self.line.is_empty()
    }

    /// Takes one, for a newcomer.
    #[inline(always)]
    pub(super) fn try_take(&self) -> bool {
        let locked = self.is_locked();
        if !locked {
            self.free.set(self.free.get() - 1);
        }
        !locked
    }

    /// Takes one, waiting in line.
    #[inline(always)]
    pub(super) fn poll(&self, place: &mut Place, cx: &Context<'_>) -> Poll<()> {
        if place.is_none() && self.try_take() { Poll::Ready(()) } else { self.wait(place, cx) }
    }

    /// [`poll`](Self::poll) for one who waits, or must.
    #[inline(never)]
    fn wait(&self, place: &mut Place, cx: &Context<'_>) -> Poll<()> {
        let waited = !place.is_none();
        let polled = self.line.wait(place, cx, |called| (called || self.try_take()).then_some(()));
        if waited && polled.is_ready() {
            // Who was called had its permit already.
            self.promised.set(self.promised.get() - 1);
            self.call();
        }
        polled
    }

    /// Gives up a place, and the permit with it if there is one.
    #[inline(always)]
    pub(super) fn leave(&self, place: &mut Place) {
        if !place.is_none() {
            self.leave_line(place);
        }
    }

    #[inline(never)]
    fn leave_line(&self, place: &mut Place) {
        if self.line.leave(place) {
            self.promised.set(self.promised.get() - 1);
            self.add(1);
        }
    }

    /// Adds so many, or takes them away, and calls as many as there are permits for.
    #[inline(always)]
    pub(super) fn add(&self, permits: isize) {
        self.free.set(self.free.get().saturating_add(permits));
        if !self.line.is_empty() {
            self.call();
        }
    }

    #[inline(never)]
    fn call(&self) {
        while self.free.get() > 0 && !self.line.is_empty() {
            // Before the call: a foreign waker may come back here.
            self.free.set(self.free.get() - 1);
            self.promised.set(self.promised.get() + 1);
            self.line.call_next();
        }
    }
}
