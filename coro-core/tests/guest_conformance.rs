//! The laws of the loop, where every run takes place as the guest of a tokio runtime.

#![cfg(target_os = "linux")]

use coro_core::Loop;
use coro_core::driver::{Epoll, Paced};
use tokio::runtime::LocalRuntime;

fn hosted(event_loop: Loop) -> Loop {
    event_loop.hosted_by(LocalRuntime::new().unwrap()).unwrap()
}

/// Virtual time, and a network in memory: there is nothing that tokio could wait for.
mod hosted_in_virtual_time {
    coro_core::event_loop_conformance!(coro_core::conformance::Natives, || super::hosted(
        coro_core::Loop::simulated()
    ));
}

/// The kernel, whose clock runs fast, in step with the timers.
mod hosted_on_epoll {
    use super::*;

    fn real() -> Loop {
        hosted(Loop::with_driver(Paced::new(Epoll::new().unwrap(), 10_000.0).unwrap()))
    }

    coro_core::event_loop_conformance!(coro_core::conformance::Natives, real);
}

/// The kernel at its own pace would take minutes: only a driver that has patience shares looks.
mod hosted_with_patience {
    coro_core::event_loop_conformance!(coro_core::conformance::Natives, || super::hosted(
        coro_core::conformance::Watched::make_loop(128).0
    ));
}
