//! The fiber flavour, for suites that run the laws or random programs on it (feature `testing`).

use coro_core::conformance::{Flavour, Script, Subject};

use crate::{Fiber, ScopedFiber};

/// Performs scripts on fibers.
///
/// Its subjects are resumed by hand and have no brand, because a [`Subject`] is `'static`. That is right in a test,
/// whose frames drop them before its thread ends, and nowhere else: a subject must not be kept in a `thread_local!`.
#[derive(Debug)]
pub struct Fibers;

impl Flavour for Fibers {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(ScopedFiber::new(Fiber::new(move |co| coro_core::perform!(script, co))))
    }
}
