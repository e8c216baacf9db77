//! The native flavour under the laws.

#[cfg(unix)]
use std::io;

#[cfg(unix)]
use coro_core::Loop;
use coro_core::conformance::{Flavour, Natives, Script, Subject};
#[cfg(unix)]
use coro_core::driver::{self, Driver, Paced};
use coro_core::native;

/// Those that keep the type of their body.
struct Borrowing;

impl Flavour for Borrowing {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(native::borrowing(async move |co| coro_core::perform!(script, co, await)))
    }
}

/// A real driver whose clock runs fast, in step with the timers.
#[cfg(unix)]
fn paced<D: Driver + 'static>(driver: io::Result<D>) -> Loop {
    Loop::with_driver(Paced::new(driver.unwrap(), 10_000.0).unwrap())
}

mod contract {
    coro_core::coroutine_conformance!(super::Natives);
}

mod contract_borrowing {
    coro_core::coroutine_conformance!(super::Borrowing);
}

mod simulated {
    coro_core::event_loop_conformance!(super::Natives, coro_core::Loop::simulated);
}

#[cfg(target_os = "linux")]
mod epoll {
    coro_core::event_loop_conformance!(super::Natives, || super::paced(super::driver::Epoll::new()));
}

#[cfg(unix)]
mod poll {
    coro_core::event_loop_conformance!(super::Natives, || super::paced(super::driver::Poll::new()));
}

#[cfg(unix)]
mod select {
    coro_core::event_loop_conformance!(super::Natives, || super::paced(super::driver::Select::new()));
}

/// Turns share looks at the driver, as on a real one.
mod patient {
    coro_core::event_loop_conformance!(super::Natives, || coro_core::conformance::Watched::make_loop(128).0);
}
