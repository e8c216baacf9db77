//! Waits that put things in order when something is thrown.

use coro_core::coroutine::{Interrupted, Settle, Settling};

use crate::Co;

impl<S, Y, E> Co<'_, S, Y, E> {
    /// Waits for `future`, which is told when something is thrown, and awaited until it has put everything in order:
    /// that of a [`Condition`](coro_core::sync::Condition) locks again.
    ///
    /// # Errors
    ///
    /// What was thrown in while it waited, the last of several, with what `future` gave then.
    ///
    /// # Cancellation
    ///
    /// As that of `future`.
    pub fn settle<F: Settle>(&mut self, mut future: F) -> Result<F::Output, Interrupted<F::Output, E>> {
        let mut settling = Settling::default();
        loop {
            match self.wait(&mut future) {
                Ok(output) => return settling.end(output),
                Err(thrown) if self.is_unwinding() => return Err(Interrupted { thrown, output: None }),
                Err(thrown) => settling = settling.interrupt(&mut future, thrown)?,
            }
        }
    }
}
