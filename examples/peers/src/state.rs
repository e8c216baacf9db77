//! State that tasks share: plain where tasks stay on their thread, locked where they must be able to leave it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// For tasks that stay on their thread.
#[derive(Default)]
pub struct Plain<T>(Rc<RefCell<T>>);

impl<T> Plain<T> {
    pub fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.borrow_mut())
    }
}

impl<T> Clone for Plain<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

/// For tasks that are `Send`.
#[derive(Default)]
pub struct Locked<T>(Arc<Mutex<T>>);

impl<T> Locked<T> {
    pub fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Clone for Locked<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A runtime without groups of tasks.
pub const HAS_GROUPS: bool = false;

/// Never called, where there are none.
pub async fn group<F>(_tasks: impl Iterator<Item = F>) -> u64 {
    unreachable!("it has no groups")
}
