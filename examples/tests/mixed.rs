//! Chains that mix the flavours, under the laws.

mod chains;

use chains::Mixed;
use coro_core::Loop;

mod contract {
    coro_core::coroutine_conformance!(super::Mixed);
}

mod simulated {
    coro_core::event_loop_conformance!(super::Mixed, super::Loop::simulated);
}
