#![doc = include_str!("../../README.md")]
#![forbid(unsafe_code)]

pub mod backend;
pub mod coroutine;
pub mod driver;
pub mod event_loop;
pub mod native;
pub mod net;
pub mod prelude;
pub mod queue;
pub mod stats;
pub mod task;
pub mod time;

#[cfg(feature = "testing")]
pub mod conformance;

pub use coroutine::{Coroutine, CoroutineExt, Input, Misuse, Outcome, State, Thrown};
pub use event_loop::{EventLoop, Loop, RunError};
pub use queue::Queue;
pub use task::{JoinHandle, TaskError, TaskResult, as_completed, gather};
