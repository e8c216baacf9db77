//! A future as the body of a task: polled where the task is.

#![allow(unsafe_code)]

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::task::Begun;
use crate::stats::{self, Counts, Flavour};
use crate::task::{Stepwise, TaskBody, TaskError};

/// What a loop runs for a native task.
pub struct InPlace<F: Future> {
    body: Body<F>,
    /// How often it suspended to wait, since that was last counted.
    parks: u64,
}

enum Body<F: Future> {
    /// **Invariant:** structurally pinned: not moved once the `InPlace` is pinned.
    Here(F),
    /// It was resumed by hand before it was spawned, and has its place on the heap.
    Begun(Box<Stepwise<Begun<F>>>),
}

impl<F: Future> InPlace<F> {
    #[inline(always)]
    pub(crate) fn new(future: F) -> Self {
        Self { body: Body::Here(future), parks: 0 }
    }

    pub(super) fn begun(machine: Begun<F>) -> Self {
        Self { body: Body::Begun(Box::new(Stepwise::new(machine))), parks: 0 }
    }

    /// Counts what it has not counted yet, and runs to its end beside.
    fn count(&mut self, ended: u64) {
        let parks = core::mem::take(&mut self.parks);
        stats::record(Flavour::Native, &Counts { resumes: parks + ended, yields: 0, parks });
    }
}

impl<F: Future> TaskBody for InPlace<F> {
    type Output = F::Output;

    #[inline(always)]
    fn step(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        error: Option<TaskError>,
    ) -> Poll<Result<F::Output, TaskError>> {
        // SAFETY: nothing is moved out of it below; a future that is here is only polled, pinned.
        let this = unsafe { self.get_unchecked_mut() };
        match (&mut this.body, error) {
            (Body::Here(future), None) => {
                // SAFETY: pinned with `self`: `Drop` does not move it, and there is no other way to it.
                let future = unsafe { Pin::new_unchecked(future) };
                match future.poll(cx) {
                    Poll::Pending => {
                        this.parks += 1;
                        Poll::Pending
                    }
                    Poll::Ready(output) => {
                        this.count(1);
                        Poll::Ready(Ok(output))
                    }
                }
            }
            // No error can land in a plain future. Whoever has this drops it now that it has ended.
            (Body::Here(_), Some(error)) => Poll::Ready(Err(error)),
            (Body::Begun(machine), error) => Pin::new(&mut **machine).step(cx, error),
        }
    }
}

impl<F: Future> Drop for InPlace<F> {
    fn drop(&mut self) {
        if self.parks > 0 {
            self.count(0);
        }
    }
}

impl<F: Future> fmt::Debug for InPlace<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InPlace").finish_non_exhaustive()
    }
}
