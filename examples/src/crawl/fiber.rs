//! Fibers for pages.

use coro_core::task::TaskResult;
use coro_core::{JoinHandle, Loop};
use coro_fiber::{Options, TaskCo};

/// The engine of regular expressions and the parser of addresses were written for the stacks of threads.
const STACK_BYTES: usize = 256 * 1024;

/// [`coro_fiber::spawn`] on a stack that is large enough to fetch a page and look through it.
#[track_caller]
pub(super) fn spawn<F, R>(body: F) -> JoinHandle<R>
where
    F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
    R: 'static,
{
    Loop::spawn_on_running("crawl", Options::new().stack_bytes(STACK_BYTES).task(body))
}
