//! What is on its way to a loop.

use std::fmt;

/// A coroutine, or the body of a task, that has been made for an event loop, and that nobody else can resume.
///
/// A flavour whose coroutines must not be resumed by whoever holds them (a fiber, outside of a scope) can still give
/// one to a loop: it puts it in here, and only a loop takes it out.
pub struct Prepared<C>(C);

impl<C> Prepared<C> {
    /// Keeps `coroutine` for a loop. Nothing runs yet.
    #[inline(always)]
    pub fn new(coroutine: C) -> Self {
        Self(coroutine)
    }

    #[inline(always)]
    pub(crate) fn into_inner(self) -> C {
        self.0
    }
}

impl<C> fmt::Debug for Prepared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").finish_non_exhaustive()
    }
}
