//! What the tests of the functions that find their fiber share.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use coro_core::prelude::*;
use coro_fiber::WaitError;

pub const SECOND: Duration = Duration::from_secs(1);

pub type Log<T> = Rc<RefCell<Vec<T>>>;

pub fn run<R: 'static>(body: impl FnOnce() -> Result<R, WaitError> + 'static) -> Result<R, RunError> {
    Loop::simulated().run(coro_fiber::task(move |_| Ok(body()?)))
}

/// Calls a function when it is dropped.
pub struct AtDrop<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
