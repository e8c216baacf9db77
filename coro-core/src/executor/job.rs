//! A job, as a loop waits for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::JobError;
use super::cell::JobCell;
use crate::event_loop::{Core, Place};

/// Waits for a function that a pool runs, and takes its result: in a native body with `.await`, in a generator or a fiber
/// with `co.wait(job)`. Made by [`run_in_executor`](super::run_in_executor) and [`ThreadPool::run`](super::ThreadPool::run).
///
/// The function is on its way from the beginning, whether this is awaited or not.
///
/// # Errors
///
/// [`JobError`]. An error of the function's own is in its result.
///
/// # Panics
///
/// When it is polled again after it has given its result, as any future may.
///
/// # Cancellation
///
/// Weak: dropping it cancels a function that has not begun, which then never runs. One that has begun cannot be stopped: it
/// runs to its end, and its result is dropped; a panic of it goes to the
/// [exception handler](crate::Loop::set_exception_handler) of the loop.
#[must_use = "dropping a job cancels it, if it has not begun; call detach() to let it run"]
pub struct Job<T> {
    cell: Arc<JobCell<T>>,
    place: Place,
    /// Nothing is to be done any more: it has given its result, or is on its own.
    released: bool,
    /// It was not over at once.
    waited: bool,
}

impl<T> Job<T> {
    pub(crate) fn new(cell: Arc<JobCell<T>>, place: Place) -> Self {
        Self { cell, place, released: false, waited: false }
    }

    /// Lets the function run by itself. Its result is dropped; a panic goes to the exception handler of the loop.
    pub fn detach(mut self) {
        self.released = true;
        self.place.tell(self.cell.forgo());
    }

    /// Whether the function is over, one way or another.
    pub fn is_done(&self) -> bool {
        self.cell.is_over()
    }

    /// Whether the function has begun: then it cannot be cancelled any more.
    pub fn has_begun(&self) -> bool {
        self.place.has_begun().unwrap_or_else(|| self.cell.has_begun())
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Over at once: the one kind that a task can do again and again in one step.
        if !self.waited && self.cell.is_over() && Core::on_current(Core::may_go_on) == Some(false) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.waited = true;
        match self.cell.poll(cx.waker()) {
            Poll::Ready(result) => {
                self.released = true;
                self.place.release();
                Poll::Ready(result)
            }
            Poll::Pending => {
                self.place.note_wait();
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        if self.released {
            return;
        }
        // In a world it is the world's choice whether it has begun, if it may have.
        let unheard = if self.place.cancel() { self.cell.forgo() } else { self.cell.withdraw() };
        self.place.tell(unheard);
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("number", &self.place.number())
            .field("done", &self.is_done())
            .finish_non_exhaustive()
    }
}
