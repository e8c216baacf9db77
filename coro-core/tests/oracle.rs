//! The native flavour under random programs.

use coro_core::conformance::{Flavour, Script, Subject};
use coro_core::native::Native;

struct Natives;

impl Flavour for Natives {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(Native::new(async move |co| coro_core::perform!(script, co, await)))
    }
}

coro_core::program_conformance!(Natives);
