//! Fibers for pages.

use coro_core::task::TaskResult;
use coro_core::{JoinHandle, Loop};
use coro_fiber::{Options, TaskCo};

/// A regular expression takes 107 KiB to be compiled in a debug build, and 26 in a release build.
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
