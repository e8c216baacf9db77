//! A limit on how many do something at once, first come, first served.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Gives out a number of permits. One that comes back goes to whoever has waited longest, not to whoever asks next.
#[derive(Debug)]
pub(super) struct Limit {
    permits: usize,
    free: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<Waiting>>>,
}

#[derive(Debug)]
struct Waiting {
    waker: RefCell<Waker>,
    /// The permit is there, for this one.
    granted: Cell<bool>,
}

impl Limit {
    /// A limit of `permits`; at least one.
    pub(super) fn new(permits: usize) -> Rc<Self> {
        let permits = permits.max(1);
        Rc::new(Self { permits, free: Cell::new(permits), waiting: RefCell::default() })
    }

    /// How many permits are out.
    pub(super) fn in_use(&self) -> usize {
        self.permits - self.free.get()
    }

    /// Waits for a permit. Strict: a wait that is dropped has taken none.
    pub(super) fn acquire(self: &Rc<Self>) -> Acquire {
        Acquire { limit: Rc::clone(self), waiting: None }
    }

    fn take_free(&self) -> bool {
        match self.free.get().checked_sub(1) {
            Some(left) => {
                self.free.set(left);
                true
            }
            None => false,
        }
    }

    fn give_back(&self) {
        let next = self.waiting.borrow_mut().pop_front();
        match next {
            Some(next) => {
                next.granted.set(true);
                let waker = next.waker.borrow().clone();
                waker.wake();
            }
            None => self.free.set(self.free.get() + 1),
        }
    }
}

/// A permit on its way.
#[derive(Debug)]
pub(super) struct Acquire {
    limit: Rc<Limit>,
    waiting: Option<Rc<Waiting>>,
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let this = &mut *self;
        match &this.waiting {
            Some(waiting) if waiting.granted.get() => this.waiting = None,
            Some(waiting) => {
                let outdated = waiting.waker.replace(cx.waker().clone());
                drop(outdated);
                return Poll::Pending;
            }
            None if this.limit.take_free() => {}
            None => {
                let waker = RefCell::new(cx.waker().clone());
                let waiting = Rc::new(Waiting { waker, granted: Cell::new(false) });
                this.limit.waiting.borrow_mut().push_back(Rc::clone(&waiting));
                this.waiting = Some(waiting);
                return Poll::Pending;
            }
        }
        Poll::Ready(Permit(Rc::clone(&this.limit)))
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(waiting) = self.waiting.take() else { return };
        if waiting.granted.get() {
            self.limit.give_back();
        } else {
            self.limit.waiting.borrow_mut().retain(|other| !Rc::ptr_eq(other, &waiting));
        }
    }
}

/// The right to be one of those allowed. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Permit(Rc<Limit>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_wait_that_is_dropped_after_its_grant_gives_the_permit_back() {
        let limit = Limit::new(1);
        let held = limit.acquire().now_or_never().unwrap();
        let (mut cancelled, mut last) = (limit.acquire(), limit.acquire());
        assert!((&mut cancelled).now_or_never().is_none() && (&mut last).now_or_never().is_none());
        // It is granted to the first one in the line, which is dropped before it has heard of it.
        drop(held);
        assert!((&mut last).now_or_never().is_none());
        drop(cancelled);
        let permit = last.now_or_never().unwrap();
        assert_eq!(limit.in_use(), 1);
        drop(permit);
        assert_eq!(limit.in_use(), 0);
    }

    #[test]
    fn the_last_one_in_the_line_gives_it_back_to_nobody() {
        let limit = Limit::new(1);
        let held = limit.acquire().now_or_never().unwrap();
        let mut cancelled = limit.acquire();
        assert!((&mut cancelled).now_or_never().is_none());
        drop(held);
        drop(cancelled);
        assert_eq!(limit.in_use(), 0);
        assert!(limit.acquire().now_or_never().is_some());
    }
}
