//! The generator flavour under random programs.

use coro_core::conformance::{Flavour, Script, Subject};
use coro_gen::Gen;

struct Generators;

impl Flavour for Generators {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(Gen::new(async move |co| coro_core::perform!(script, co, await)))
    }
}

coro_core::program_conformance!(Generators);
