//! The handle of a job for threads.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::cell::{JobCell, Work};
use super::{Job, JobError};
use crate::event_loop::{Core, Inbox, Place};

/// A job of a [`ThreadPool`](super::ThreadPool), as a thread waits for it: what `concurrent.futures.Future` is.
///
/// It goes to any thread. A loop waits for it as a [`Job`], made by [`wrap_future`](Self::wrap_future). Dropping it leaves the
/// job alone; if that panics then, the panic is printed.
#[must_use = "dropping the handle leaves the job alone, but nobody reads its result"]
pub struct Submitted<T>(
    /// Until it is given away.
    Option<Arc<JobCell<T>>>,
);

impl<T: Send + 'static> Submitted<T> {
    pub(super) fn new(function: impl FnOnce() -> T + Send + 'static) -> Self {
        Self(Some(Arc::new(JobCell::new(function, None))))
    }

    pub(super) fn work(&self) -> Option<Arc<dyn Work>> {
        Some(Arc::clone(self.0.as_ref()?) as _)
    }

    /// Blocks the thread until the job is over.
    ///
    /// A job that waits for another one of its own pool may wait for ever, if all threads do so.
    ///
    /// # Errors
    ///
    /// [`JobError`].
    pub fn wait(self) -> Result<T, JobError> {
        match self.cell().wait(None) {
            Some(result) => result,
            None => unreachable!("it waited to the end"),
        }
    }

    /// As [`wait`](Self::wait), but no longer than this.
    ///
    /// # Errors
    ///
    /// The handle comes back, if the job is not over by then.
    pub fn wait_for(self, timeout: Duration) -> Result<Result<T, JobError>, Self> {
        self.cell().wait(Some(timeout)).ok_or(self)
    }

    /// Keeps the job from being run, if it has not begun: it ends with [`JobError::Cancelled`]. Says whether it did.
    pub fn cancel(&self) -> bool {
        let (cancelled, unheard) = self.cell().refuse(JobError::Cancelled);
        drop(unheard);
        cancelled
    }

    /// Whether the job is over, one way or another.
    pub fn is_done(&self) -> bool {
        self.cell().is_over()
    }

    /// For the loop that runs on this thread to wait for: asyncio's `wrap_future`. From then on a panic that nobody reads
    /// goes to the exception handler of the loop, and to drop the [`Job`] is to cancel.
    ///
    /// A simulated loop has no part in the work of a thread: while it waits for it, its clock stands still.
    ///
    /// # Panics
    ///
    /// If no loop runs on this thread.
    #[track_caller]
    pub fn wrap_future(mut self) -> Job<T> {
        let core = Core::current_or_panic("Submitted::wrap_future");
        let Some(cell) = self.0.take() else { unreachable!("only given away by a consuming call") };
        let home: Arc<Inbox> = core.remote_inbox();
        cell.set_home(home);
        Job::new(cell, Place::on_threads(&core))
    }

    fn cell(&self) -> &JobCell<T> {
        match &self.0 {
            Some(cell) => cell,
            None => unreachable!("only given away by a consuming call"),
        }
    }
}

impl<T> Drop for Submitted<T> {
    fn drop(&mut self) {
        // What there is to tell is printed.
        drop(self.0.take().map(|cell| cell.forgo()));
    }
}

impl<T> fmt::Debug for Submitted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self.0.as_ref().is_none_or(|cell| cell.is_over());
        f.debug_struct("Submitted").field("done", &done).finish_non_exhaustive()
    }
}
