//! Why there is no stack.

use std::io;

/// Why there is no stack for a fiber.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// It is larger than any address space.
    #[error("no address space has room for a stack of {bytes} bytes: ask for less")]
    TooLarge {
        /// What was asked for.
        bytes: usize,
    },
    /// All stacks of its pool are in use.
    #[error("all {capacity} stacks of the pool are in use: let a fiber end first, or give the pool more")]
    Full {
        /// How many stacks the pool may have.
        capacity: usize,
    },
    /// The system has no memory, address space or mappings left.
    #[error(
        "the system refused a stack of {bytes} bytes ({}): let fibers end first, or raise its limit (`ulimit -v`, \
         vm.max_map_count)",
        io::Error::from_raw_os_error(*code)
    )]
    System {
        /// The size of the stack.
        bytes: usize,
        /// What the system says, as a code of its own.
        code: i32,
    },
}
