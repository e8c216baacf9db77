//! The fiber flavour under the laws.

use coro_core::driver::{Driver, Paced};
use coro_core::{Loop, driver};
use coro_fiber::conformance::Fibers;

/// A real driver whose clock runs fast, in step with the timers.
fn real() -> Loop {
    #[cfg(target_os = "linux")]
    let driver = driver::Epoll::new().unwrap();
    #[cfg(not(target_os = "linux"))]
    let driver = driver::Simulated::new();
    assert!(!driver.name().is_empty());
    Loop::with_driver(Paced::new(driver, 10_000.0).unwrap())
}

mod contract {
    coro_core::coroutine_conformance!(super::Fibers);
}

mod simulated {
    coro_core::event_loop_conformance!(super::Fibers, coro_core::Loop::simulated);
}

mod real {
    coro_core::event_loop_conformance!(super::Fibers, super::real);
}

/// Turns share looks at the driver, as on a real one.
mod patient {
    coro_core::event_loop_conformance!(super::Fibers, || coro_core::conformance::Watched::make_loop(128).0);
}
