//! A future as the body of a task: polled where the task is.

#![allow(unsafe_code)]

use core::any::type_name;
use core::fmt;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::task::Begun;
use crate::coroutine::{FrameInfo, FrameTrace, State};
use crate::stats::{self, Counts, Flavour};
use crate::task::{Stepwise, TaskBody, TaskError};

/// What a loop runs for a native task.
pub struct InPlace<F: Future> {
    /// **Invariant:** the machine if `begun`, else the future, which is structurally pinned: not moved once this is.
    body: Body<F>,
    /// How often it suspended to wait. Counted at the end, and each time it goes round.
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

    /// So many more suspensions, each of which was resumed.
    #[cold]
    fn count(parks: u64) {
        stats::record(Flavour::Native, &Counts { resumes: parks, yields: 0, parks });
    }
}

impl<F: Future> TaskBody for InPlace<F> {
    type Output = F::Output;

    #[inline(always)]
    fn step(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, TaskError>> {
        // SAFETY: nothing is moved out of it below; a future that is here is only polled, pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let body = (&raw mut this.body).cast::<Machine<F>>();
        if this.begun {
            // SAFETY: by the invariant it is the machine, and `this` is borrowed.
            return step_machine(unsafe { &mut *body }, cx);
        }
        // SAFETY: by the invariant it is the future, and `this` is borrowed.
        let future = unsafe { &mut *body.cast::<F>() };
        // SAFETY: pinned with `self`: `Drop` does not move it, and there is no other way to it.
        let future = unsafe { Pin::new_unchecked(future) };
        match future.poll(cx) {
            Poll::Pending => {
                this.parks = this.parks.wrapping_add(1);
                if this.parks == 0 {
                    Self::count(1 << u32::BITS);
                }
                Poll::Pending
            }
            Poll::Ready(output) => {
                stats::record(Flavour::Native, &Counts { resumes: 1, ..Counts::default() });
                Poll::Ready(Ok(output))
            }
        }
    }

    fn throw(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        error: TaskError,
    ) -> Option<Poll<Result<F::Output, TaskError>>> {
        // SAFETY: nothing is moved out of it below, and a future that is here is not touched.
        let this = unsafe { self.get_unchecked_mut() };
        if this.begun {
            // SAFETY: by the invariant it is the machine, and `this` is borrowed.
            let machine = unsafe { &mut *(&raw mut this.body).cast::<Machine<F>>() };
            return Pin::new(&mut **machine).throw(cx, error);
        }
        // No error can land in a plain future. Whoever has this drops it now that it has ended.
        Some(Poll::Ready(Err(error)))
    }

    fn type_name() -> &'static str {
        type_name::<F>()
    }

    fn backtrace(self: Pin<&mut Self>) -> Vec<FrameTrace> {
        // SAFETY: nothing is moved out of it below, and a future that is here is not touched.
        let this = unsafe { self.get_unchecked_mut() };
        if this.begun {
            // SAFETY: by the invariant it is the machine, and `this` is borrowed.
            let machine = unsafe { &mut *(&raw mut this.body).cast::<Machine<F>>() };
            return Pin::new(&mut **machine).backtrace();
        }
        let state = if this.parks == 0 { State::Created } else { State::Running };
        let (flavour, name) = (Some(Flavour::Native), type_name::<F>());
        vec![FrameTrace::logical(FrameInfo { flavour, name, made_at: None, state })]
    }
}

impl<F: Future> Drop for InPlace<F> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.parks > 0 {
            Self::count(self.parks.into());
        }
        let body = (&raw mut self.body).cast::<Machine<F>>();
        if self.begun {
            // SAFETY: by the invariant it is the machine, which nobody sees after this.
            unsafe { drop_machine(body) }
        } else {
            // SAFETY: by the invariant it is the future, which nobody sees after this. It is not moved.
            unsafe { body.cast::<F>().drop_in_place() }
        }
    }
}

/// Apart: hardly any task has one.
#[cold]
#[inline(never)]
fn step_machine<F: Future>(
    machine: &mut Machine<F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, TaskError>> {
    Pin::new(&mut **machine).step(cx)
}

/// Apart: hardly any task has one, and to drop a future that is over is nothing.
///
/// # Safety
///
/// It is one, which nobody sees after this.
#[cold]
#[inline(never)]
unsafe fn drop_machine<F: Future>(machine: *mut Machine<F>) {
    // SAFETY: as promised.
    unsafe { machine.drop_in_place() }
}

impl<F: Future> fmt::Debug for InPlace<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InPlace").finish_non_exhaustive()
    }
}
