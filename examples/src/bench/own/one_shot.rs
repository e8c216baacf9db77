//! A value that is sent once.

use std::fmt;
use std::future::Future;

use coro_core::Queue;

/// The end that sends.
pub struct Sender<T>(Queue<T>);

/// A sender, and what waits for its value. A queue with one place does for both.
pub fn one_shot<T>() -> (Sender<T>, impl Future<Output = T>) {
    let queue = Queue::new(1);
    let received = queue.get();
    (Sender(queue), received)
}

impl<T> Sender<T> {
    /// Sends the value.
    pub fn send(self, value: T) {
        // A new queue has its place free.
        let _ = self.0.put_nowait(value);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.0).finish()
    }
}
