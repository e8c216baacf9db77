//! The native flavour under the laws.

use coro_core::conformance::{Flavour, Natives, Script, Subject};
use coro_core::driver::{Driver, Paced};
use coro_core::native;
use coro_core::{Loop, driver};

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
fn real() -> Loop {
    #[cfg(target_os = "linux")]
    let driver = driver::Epoll::new().unwrap();
    #[cfg(not(target_os = "linux"))]
    let driver = driver::Simulated::new();
    assert!(!driver.name().is_empty());
    Loop::with_driver(Paced::new(driver, 10_000.0).unwrap())
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

mod real {
    coro_core::event_loop_conformance!(super::Natives, super::real);
}

/// Turns share looks at the driver, as on a real one.
mod patient {
    coro_core::event_loop_conformance!(super::Natives, || coro_core::conformance::Watched::make_loop(128).0);
}
