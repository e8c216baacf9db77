//! A coroutine on its way to a loop.

use std::fmt;

use crate::coroutine::Coroutine;

/// A coroutine that has been made for an event loop, and that nobody else can resume.
///
/// A flavour whose coroutines must not be resumed by whoever holds them (a fiber, outside of a scope) can still give
/// one to a loop: it puts it in here, and only a loop takes it out.
pub struct Prepared<C>(C);

impl<C> Prepared<C> {
    /// Keeps `coroutine` for a loop. Nothing runs yet.
    pub fn new(coroutine: C) -> Self {
        Self(coroutine)
    }

    pub(crate) fn into_inner(self) -> C {
        self.0
    }
}

impl<C: Coroutine> fmt::Debug for Prepared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").field(&self.0.state()).finish()
    }
}
