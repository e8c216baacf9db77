//! The generator flavour under random programs.

use coro_gen::conformance::Generators;

coro_core::program_conformance!(Generators);
