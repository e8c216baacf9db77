//! The generator flavour, for suites that run the laws or random programs on it (feature `testing`).

use coro_core::conformance::{Flavour, Script, Subject};

use crate::Gen;

/// Performs scripts on generators.
#[derive(Debug)]
pub struct Generators;

impl Flavour for Generators {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(Gen::new(async move |co| coro_core::perform!(script, co, await)))
    }
}
