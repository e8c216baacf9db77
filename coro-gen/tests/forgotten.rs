//! Delegations that are polled and then forgotten. Run under Miri.

use coro_gen::Gen;

coro_core::forgotten_conformance!(Gen);
