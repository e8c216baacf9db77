//! The fiber flavour under random programs.

use coro_core::conformance::{Do, Flavour, Script, Step, Subject};
use coro_fiber::Fiber;

struct Fibers;

impl Flavour for Fibers {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(Fiber::new(move |co| {
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
        }))
    }
}

coro_core::program_conformance!(Fibers);
