//! The places of a pool: first come, first served.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use coro_core::sync::{Sender, oneshot};

/// So many places.
#[derive(Clone)]
pub(super) struct Semaphore(Rc<Shared>);

struct Shared {
    free: Cell<usize>,
    waiting: RefCell<VecDeque<Sender<Permit>>>,
}

/// A place, given to the next one when this is dropped, wherever that happens: also on its way to who gave up waiting.
pub(super) struct Permit(Rc<Shared>);

impl Semaphore {
    pub(super) fn new(size: usize) -> Self {
        Self(Rc::new(Shared { free: Cell::new(size), waiting: RefCell::default() }))
    }

    pub(super) fn free(&self) -> usize {
        self.0.free.get()
    }

    pub(super) fn is_locked(&self) -> bool {
        self.free() == 0
    }

    pub(super) fn try_acquire(&self) -> Option<Permit> {
        let free = self.free().checked_sub(1)?;
        self.0.free.set(free);
        Some(Permit(Rc::clone(&self.0)))
    }

    pub(super) async fn acquire(&self) -> Permit {
        if let Some(permit) = self.try_acquire() {
            return permit;
        }
        let (sender, receiver) = oneshot();
        self.0.waiting.borrow_mut().push_back(sender);
        match receiver.await {
            Ok(permit) => permit,
            Err(_) => unreachable!("a sender goes when it has sent"),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        loop {
            let next = self.0.waiting.borrow_mut().pop_front();
            match next {
                None => return self.0.free.set(self.0.free.get() + 1),
                // Who has given up waiting.
                Some(next) if next.is_closed() => {}
                Some(next) => return drop(next.send(Self(Rc::clone(&self.0)))),
            }
        }
    }
}
