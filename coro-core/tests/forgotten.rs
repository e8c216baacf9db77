//! Delegations that are polled and then forgotten. Run under Miri.

use coro_core::native::Native;

coro_core::forgotten_conformance!(Native);
