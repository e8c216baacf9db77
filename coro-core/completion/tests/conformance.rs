//! The laws of the loop, on a driver of a third party.

#![cfg(target_os = "linux")]

use coro_completion::CompletionDriver;
use coro_core::Loop;
use coro_core::driver::Paced;

/// The clock runs fast, in step with the timers.
fn paced() -> Loop {
    Loop::with_driver(Paced::new(CompletionDriver::new().unwrap(), 10_000.0).unwrap())
}

mod native {
    coro_core::completing_event_loop_conformance!(coro_core::conformance::Natives, super::paced);
}

mod generator {
    coro_core::completing_event_loop_conformance!(coro_gen::conformance::Generators, super::paced);
}

mod fiber {
    coro_core::completing_event_loop_conformance!(coro_fiber::conformance::Fibers, super::paced);
}

/// Tokio waits for the descriptor of the driver.
mod hosted {
    use tokio::runtime::LocalRuntime;

    fn hosted() -> coro_core::Loop {
        super::paced().hosted_by(LocalRuntime::new().unwrap()).unwrap()
    }

    mod native {
        coro_core::completing_event_loop_conformance!(coro_core::conformance::Natives, super::hosted);
    }

    mod generator {
        coro_core::completing_event_loop_conformance!(coro_gen::conformance::Generators, super::hosted);
    }

    mod fiber {
        coro_core::completing_event_loop_conformance!(coro_fiber::conformance::Fibers, super::hosted);
    }
}
