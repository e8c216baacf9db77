//! The fiber flavour under random programs.

use coro_core::conformance::{Flavour, Script, Subject};
use coro_fiber::Fiber;

struct Fibers;

impl Flavour for Fibers {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(Fiber::new(move |co| coro_core::perform!(script, co)))
    }
}

coro_core::program_conformance!(Fibers);
