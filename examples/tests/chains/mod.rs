//! Chains that mix the flavours.

use std::cell::Cell;

use coro_core::conformance::{Flavour, Natives, Script, Subject};
use coro_fiber::conformance::Fibers;
use coro_gen::conformance::Generators;

/// Every new coroutine is of the next flavour in turn.
pub struct Mixed;

impl Flavour for Mixed {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        thread_local! {
            static MADE: Cell<usize> = const { Cell::new(0) };
        }
        match MADE.replace(MADE.get() + 1) % 3 {
            0 => Natives::coroutine(script),
            1 => Generators::coroutine(script),
            _ => Fibers::coroutine(script),
        }
    }
}
