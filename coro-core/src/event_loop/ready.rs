//! What is ready to run: tasks and callbacks, first in, first out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use super::word::Word;

/// The function of a callback, until it is called or cancelled.
type Slot = Rc<RefCell<Option<Box<dyn FnOnce()>>>>;

/// A scheduled function call, shared by the queue and the handle that can cancel it.
#[derive(Clone)]
pub(super) struct Callback(Slot);

impl Callback {
    pub(super) fn new(function: Box<dyn FnOnce()>) -> Self {
        Self(Rc::new(RefCell::new(Some(function))))
    }

    /// Takes the function out: to call it, or to drop it. Once.
    pub(super) fn take(&self) -> Option<Box<dyn FnOnce()>> {
        self.0.borrow_mut().take()
    }

    pub(super) fn is_pending(&self) -> bool {
        self.0.borrow().is_some()
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").field("pending", &self.is_pending()).finish()
    }
}

/// Something to run.
#[derive(Debug)]
pub(super) enum Ready {
    Task(Word),
    Call(Callback),
}

/// The ready queue. A turn runs what was in it when the turn began, and nothing later.
#[derive(Debug, Default)]
pub(super) struct ReadyQueue(VecDeque<Ready>);

impl ReadyQueue {
    pub(super) fn push(&mut self, ready: Ready) {
        self.0.push_back(ready);
    }

    pub(super) fn pop(&mut self) -> Option<Ready> {
        self.0.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self) -> VecDeque<Ready> {
        std::mem::take(&mut self.0)
    }
}
