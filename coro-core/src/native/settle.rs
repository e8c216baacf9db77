//! Waits that put things in order when something is thrown.

use crate::coroutine::{Interrupted, Settle, Settling};

use super::Co;

impl<S, Y, E, M> Co<'_, S, Y, E, M> {
    /// Waits for `future`, which is told when something is thrown, and awaited until it has put everything in order:
    /// that of a [`Condition`](crate::sync::Condition) locks again.
    ///
    /// # Errors
    ///
    /// What was thrown in while it waited, the last of several, with what `future` gave then.
    ///
    /// # Cancellation
    ///
    /// As that of `future`.
    pub async fn settle<F: Settle>(&mut self, mut future: F) -> Result<F::Output, Interrupted<F::Output, E>> {
        let mut settling = Settling::default();
        loop {
            match self.wait(&mut future).await {
                Ok(output) => return settling.end(output),
                Err(thrown) => settling = settling.interrupt(&mut future, thrown)?,
            }
        }
    }
}
