//! The names that nearly every program uses.

#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

pub use crate::coroutine::{AsyncGenerator, Coroutine, CoroutineExt, Input, Misuse, Outcome, State, Thrown};
#[cfg(feature = "std")]
pub use crate::event_loop::{EventLoop, Loop, RunError};
#[cfg(feature = "std")]
pub use crate::queue::Queue;
#[cfg(feature = "std")]
pub use crate::task::{JoinHandle, TaskError, TaskResult, as_completed, gather};
#[cfg(feature = "std")]
pub use crate::time::{sleep, yield_now};
