//! The fiber flavour under the laws.

#[cfg(unix)]
use std::io;

#[cfg(unix)]
use coro_core::Loop;
#[cfg(unix)]
use coro_core::driver::{self, Driver, Paced};
use coro_fiber::conformance::Fibers;

/// A real driver whose clock runs fast, in step with the timers.
#[cfg(unix)]
fn paced<D: Driver + 'static>(driver: io::Result<D>) -> Loop {
    Loop::with_driver(Paced::new(driver.unwrap(), 10_000.0).unwrap())
}

mod contract {
    coro_core::coroutine_conformance!(super::Fibers);
}

mod simulated {
    coro_core::event_loop_conformance!(super::Fibers, coro_core::Loop::simulated);
}

#[cfg(target_os = "linux")]
mod epoll {
    coro_core::event_loop_conformance!(super::Fibers, || super::paced(super::driver::Epoll::new()));
}

#[cfg(unix)]
mod poll {
    coro_core::event_loop_conformance!(super::Fibers, || super::paced(super::driver::Poll::new()));
}

#[cfg(unix)]
mod select {
    coro_core::event_loop_conformance!(super::Fibers, || super::paced(super::driver::Select::new()));
}

/// Turns share looks at the driver, as on a real one.
mod patient {
    coro_core::event_loop_conformance!(super::Fibers, || coro_core::conformance::Watched::make_loop(128).0);
}
