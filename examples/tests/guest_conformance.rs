//! The laws of the loop for generators and fibers, where every run takes place as the guest of a tokio runtime. The native
//! flavour has them in `coro-core/tests/guest_conformance.rs`.

#![cfg(target_os = "linux")]

use coro_core::Loop;
use coro_core::driver::{Epoll, Paced};
use tokio::runtime::LocalRuntime;

/// Virtual time, and a network in memory.
fn simulated() -> Loop {
    Loop::simulated().hosted_by(LocalRuntime::new().unwrap()).unwrap()
}

/// The kernel, whose clock runs fast, in step with the timers.
fn epoll() -> Loop {
    let event_loop = Loop::with_driver(Paced::new(Epoll::new().unwrap(), 10_000.0).unwrap());
    event_loop.hosted_by(LocalRuntime::new().unwrap()).unwrap()
}

mod generator_in_virtual_time {
    coro_core::event_loop_conformance!(coro_gen::conformance::Generators, super::simulated);
}

mod generator_on_epoll {
    coro_core::event_loop_conformance!(coro_gen::conformance::Generators, super::epoll);
}

mod fiber_in_virtual_time {
    coro_core::event_loop_conformance!(coro_fiber::conformance::Fibers, super::simulated);
}

mod fiber_on_epoll {
    coro_core::event_loop_conformance!(coro_fiber::conformance::Fibers, super::epoll);
}
