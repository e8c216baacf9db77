//! Functions that block, beside the loop: on threads, or in a simulated world as jobs that take simulated time.
//!
//! [`run_in_executor`] hands a function to the pool of the loop, and gives a [`Job`] to wait for, in every flavour:
//!
//! ```
//! use coro_core::executor::run_in_executor;
//! use coro_core::{native, prelude::*};
//!
//! let sum = native::run(async {
//!     let job = run_in_executor(|| (1..=100).sum::<u64>());
//!     job.await
//! });
//! assert_eq!(sum??, 5050);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`ThreadPool`] of one's own has other names and another size; [`Loop::set_default_executor`](crate::Loop::set_default_executor)
//! makes it the loop's. At the end of [`run`](crate::EventLoop::run) the pool of the loop takes no more jobs, and those
//! that it has are waited for. Whoever does not want to wait [abandons](ThreadPool::abandon) the pool.
//!
//! # In a simulated world
//!
//! There are no threads. A job takes a time that the world chooses, then it is called on the thread of the loop, as a step of
//! its own, and without a current loop, as on a thread. So which of several ends first is a choice like others, and
//! repeated from a seed. A job that blocks until the loop does something would wait for ever: so it would with a loop
//! that is busy.
//!
//! A pool runs as many at once as it has workers: five, if it has the usual size, for a run must be the same on every
//! machine.
//!
//! # References
//!
//! [asyncio](https://docs.python.org/3/library/asyncio-eventloop.html#executing-code-in-thread-or-process-pools).

mod cell;
mod error;
mod job;
#[cfg(all(test, coro_loom))]
mod models;
mod pool;
mod submitted;
mod threads;

pub use error::{JobError, PoolError};
pub use job::Job;
pub use pool::ThreadPool;
pub use submitted::Submitted;
pub use threads::Statistics;

pub(crate) use cell::Work;

use crate::event_loop::Core;

/// Runs `function` beside the loop that runs on this thread, by its default pool.
///
/// A loop that has been asked for its end takes no more jobs: then it ends with [`JobError::ShutDown`].
///
/// # Panics
///
/// If no loop runs on this thread.
///
/// # Examples
///
/// See the [module](self).
#[track_caller]
pub fn run_in_executor<T: Send + 'static>(function: impl FnOnce() -> T + Send + 'static) -> Job<T> {
    Core::current_or_panic("run_in_executor").run_in_executor(function)
}
