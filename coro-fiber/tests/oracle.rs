//! The fiber flavour under random programs.

use coro_fiber::conformance::Fibers;

coro_core::program_conformance!(Fibers);
