//! The wake of the resume in progress, for engines that pass no context to the body.

#![allow(unsafe_code)]

use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
use core::task::Waker;

use crate::event_loop::copied;

/// Lends a waker to a body for as long as it runs, without cloning it at every resume: most resumes never look at it.
#[derive(Debug, Default)]
pub(super) struct Wake {
    /// **Invariant:** points to the waker that a call of [`during`](Self::during), still under way, has borrowed.
    current: Cell<Option<NonNull<Waker>>>,
}

impl Wake {
    /// Runs `run`, in which [`current`](Self::current) gives `waker`.
    ///
    /// A body is not run while it runs, so these calls do not nest. Those of somebody else might, and on two fibers they
    /// end in any order: each takes away what is there then, and never puts back what was there before, whose call may
    /// have ended.
    #[inline(always)]
    pub(super) fn during<T>(&self, waker: &Waker, run: impl FnOnce() -> T) -> T {
        /// Also if `run` unwinds.
        struct Reset<'a>(&'a Wake);

        impl Drop for Reset<'_> {
            fn drop(&mut self) {
                self.0.current.set(None);
            }
        }

        let _reset = Reset(self);
        self.current.set(Some(NonNull::from(waker)));
        run()
    }

    /// Looks at the wake of the resume in progress, if it has one.
    ///
    /// At a clone: the body may be suspended before `look` is done with it, and the resume over.
    #[inline(always)]
    pub(super) fn with_current<T>(&self, look: impl FnOnce(Option<&Waker>) -> T) -> T {
        match self.current() {
            None => look(None),
            Some(wake) => look(Some(&wake)),
        }
    }

    /// A clone of the wake of the resume in progress, if it has one.
    #[inline(always)]
    pub(super) fn current(&self) -> Option<CurrentWake> {
        // SAFETY: by the invariant the pointer comes from a `&Waker` whose borrow has not ended: only the `during` that
        // borrowed it sets it, before it runs anything, and when that returns or unwinds there is no pointer, or one
        // that another call has set since. (It never returns on a fiber that was leaked meanwhile; then the borrow
        // does not end either.) The reference made here is gone when this returns, and the clone of a foreign waker
        // runs code of its own before there is anything to point to. `Wake` is not `Sync`, so no other thread is between
        // these lines and `during`.
        let waker = self.current.get().map(|waker| unsafe { waker.as_ref() })?;
        Some(match copied(waker) {
            Some(copy) => CurrentWake::Copied(copy),
            None => CurrentWake::Counted(waker.clone()),
        })
    }
}

/// A clone of a wake. One of our tasks needs no counting for that.
#[derive(Debug)]
pub enum CurrentWake {
    /// Nobody has to drop it.
    Copied(ManuallyDrop<Waker>),
    /// Of somebody else's.
    Counted(Waker),
}

impl Deref for CurrentWake {
    type Target = Waker;

    #[inline(always)]
    fn deref(&self) -> &Waker {
        match self {
            Self::Copied(waker) => waker,
            Self::Counted(waker) => waker,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use core::panic::AssertUnwindSafe;
    use std::panic::catch_unwind;

    use super::*;

    struct Nobody;

    impl alloc::task::Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    fn current(wake: &Wake) -> Option<Waker> {
        wake.current().map(|wake| (*wake).clone())
    }

    #[test]
    fn a_run_takes_its_wake_with_it_and_puts_no_other_one_back() {
        let (outer, inner) = (Waker::from(Arc::new(Nobody)), Waker::from(Arc::new(Nobody)));
        let wake = Wake::default();
        assert!(current(&wake).is_none());
        wake.during(&outer, || {
            assert!(current(&wake).unwrap().will_wake(&outer));
            wake.during(&inner, || assert!(current(&wake).unwrap().will_wake(&inner)));
            assert!(current(&wake).is_none());
        });
        assert!(current(&wake).is_none());
    }

    #[test]
    fn a_run_that_unwinds_takes_its_wake_back() {
        let wake = Wake::default();
        let ran = catch_unwind(AssertUnwindSafe(|| {
            wake.during(&Waker::from(Arc::new(Nobody)), || std::panic::resume_unwind(Box::new(())));
        }));
        assert!(ran.is_err());
        assert!(current(&wake).is_none());
    }

    #[test]
    fn a_clone_outlives_the_run() {
        let nobody = Arc::new(Nobody);
        let wake = Wake::default();
        let clone = wake.during(&Waker::from(Arc::clone(&nobody)), || current(&wake).unwrap());
        assert_eq!(Arc::strong_count(&nobody), 2);
        clone.wake();
        assert_eq!(Arc::strong_count(&nobody), 1);
        alloc::task::Wake::wake(nobody);
    }
}
