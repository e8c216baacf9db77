//! Chains that mix the flavours, under random programs.

mod chains;

use chains::Mixed;

coro_core::program_conformance!(Mixed);
