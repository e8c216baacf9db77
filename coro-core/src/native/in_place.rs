//! A future as the body of a task: polled where the task is.

#![allow(unsafe_code)]

use core::fmt;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::task::Begun;
use crate::stats::{self, Counts, Flavour};
use crate::task::{Stepwise, TaskBody, TaskError};

/// What a loop runs for a native task.
pub struct InPlace<F: Future> {
    /// **Invariant:** the machine if `begun`, else the future, which is structurally pinned: not moved once this is.
    body: Body<F>,
    /// How often it suspended to wait, since that was last counted.
    parks: u32,
    /// It was resumed by hand before it was spawned, and has its place on the heap. Apart from the union: as the tag of an
    /// enum it would take a word of each task.
    begun: bool,
}

/// `repr(C)`: a pointer to it is one to what is in it.
#[repr(C)]
union Body<F: Future> {
    future: ManuallyDrop<F>,
    machine: ManuallyDrop<Machine<F>>,
}

type Machine<F> = Box<Stepwise<Begun<F>>>;

impl<F: Future> InPlace<F> {
    #[inline(always)]
    pub(crate) fn new(future: F) -> Self {
        Self { body: Body { future: ManuallyDrop::new(future) }, parks: 0, begun: false }
    }

    pub(super) fn begun(machine: Begun<F>) -> Self {
        let machine = ManuallyDrop::new(Box::new(Stepwise::new(machine)));
        Self { body: Body { machine }, parks: 0, begun: true }
    }

    /// Counts what it has not counted yet, and runs to its end beside.
    fn count(&mut self, ended: u64) {
        let parks = u64::from(core::mem::take(&mut self.parks));
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
        let body = (&raw mut this.body).cast::<Machine<F>>();
        if this.begun {
            // SAFETY: by the invariant it is the machine, and `this` is borrowed.
            return Pin::new(unsafe { &mut **body }).step(cx, error);
        }
        if let Some(error) = error {
            // No error can land in a plain future. Whoever has this drops it now that it has ended.
            return Poll::Ready(Err(error));
        }
        // SAFETY: by the invariant it is the future, and `this` is borrowed.
        let future = unsafe { &mut *body.cast::<F>() };
        // SAFETY: pinned with `self`: `Drop` does not move it, and there is no other way to it.
        let future = unsafe { Pin::new_unchecked(future) };
        match future.poll(cx) {
            Poll::Pending => {
                this.parks += 1;
                if this.parks == u32::MAX {
                    this.count(0);
                }
                Poll::Pending
            }
            Poll::Ready(output) => {
                this.count(1);
                Poll::Ready(Ok(output))
            }
        }
    }
}

impl<F: Future> Drop for InPlace<F> {
    fn drop(&mut self) {
        if self.parks > 0 {
            self.count(0);
        }
        let body = (&raw mut self.body).cast::<Machine<F>>();
        if self.begun {
            // SAFETY: by the invariant it is the machine, which nobody sees after this.
            unsafe { body.drop_in_place() }
        } else {
            // SAFETY: by the invariant it is the future, which nobody sees after this. It is not moved.
            unsafe { body.cast::<F>().drop_in_place() }
        }
    }
}

impl<F: Future> fmt::Debug for InPlace<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InPlace").finish_non_exhaustive()
    }
}
