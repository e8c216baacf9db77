//! Chains that mix the flavours, under random programs: every new coroutine is of the next flavour in turn.

use std::cell::Cell;

use coro_core::conformance::{Do, Flavour, Script, Step, Subject};
use coro_core::native::Native;
use coro_fiber::Fiber;
use coro_gen::Gen;

struct Mixed;

macro_rules! stackless {
    ($type:ident, $script:ident) => {
        Box::new($type::new(async move |co| {
            let mut step = Step::Begin;
            loop {
                step = match $script.next(step) {
                    Do::Yield(value) => Step::from_yield(co.yield_(value).await),
                    Do::Wait(future) => Step::from_wait(co.wait(future).await),
                    Do::Delegate(sub, None) => Step::from_delegation(co.yield_from(sub).await),
                    Do::Delegate(sub, Some(first)) => {
                        Step::from_delegation(co.yield_from_started(sub, first).await)
                    }
                    Do::End(result) => return result,
                };
            }
        }))
    };
}

impl Flavour for Mixed {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        thread_local! {
            static MADE: Cell<usize> = const { Cell::new(0) };
        }
        match MADE.replace(MADE.get() + 1) % 3 {
            0 => stackless!(Native, script),
            1 => stackless!(Gen, script),
            _ => Box::new(Fiber::new(move |co| {
                let mut step = Step::Begin;
                loop {
                    step = match script.next(step) {
                        Do::Yield(value) => Step::from_yield(co.yield_(value)),
                        Do::Wait(future) => Step::from_wait(co.wait(future)),
                        Do::Delegate(sub, None) => Step::from_delegation(co.yield_from(sub)),
                        Do::Delegate(sub, Some(first)) => {
                            Step::from_delegation(co.yield_from_started(sub, first))
                        }
                        Do::End(result) => return result,
                    };
                }
            })),
        }
    }
}

coro_core::program_conformance!(Mixed);
