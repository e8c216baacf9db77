//! The names that nearly every program uses.

pub use crate::coroutine::{AsyncGenerator, Coroutine, CoroutineExt, Input, Misuse, Outcome, State, Thrown};
pub use crate::event_loop::{EventLoop, Loop, RunError};
pub use crate::queue::Queue;
pub use crate::task::{JoinHandle, TaskError, TaskResult, as_completed, gather};
pub use crate::time::{sleep, yield_now};
