//! Chains that mix the flavours, under the laws: every new coroutine is of the next flavour in turn.

use std::cell::Cell;

use coro_core::Loop;
use coro_core::conformance::{Flavour, Script, Subject};
use coro_core::native::Native;
use coro_fiber::conformance::Fibers;
use coro_gen::Gen;

struct Mixed;

impl Flavour for Mixed {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        thread_local! {
            static MADE: Cell<usize> = const { Cell::new(0) };
        }
        match MADE.replace(MADE.get() + 1) % 3 {
            0 => Box::new(Native::new(async move |co| coro_core::perform!(script, co, await))),
            1 => Box::new(Gen::new(async move |co| coro_core::perform!(script, co, await))),
            _ => Fibers::coroutine(script),
        }
    }
}

mod contract {
    coro_core::coroutine_conformance!(super::Mixed);
}

mod simulated {
    coro_core::event_loop_conformance!(super::Mixed, super::Loop::simulated);
}
