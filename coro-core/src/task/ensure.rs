//! What is a task or a future already stays what it is.

use std::convert::Infallible;

use super::{CoroutineTask, Future, JoinHandle, TaskCoroutine, TaskError};
use crate::coroutine::Thrown;
use crate::event_loop::Loop;
use crate::native;

/// What [`ensure_future`] takes: coroutines of every flavour, which it spawns, and the handles of tasks and futures, which it
/// gives back.
///
/// A plain `async` block is one in [`native::task`](crate::native::task()): the handle of a task is a Rust future too, and has to
/// be told from one that is to be spawned.
pub trait EnsureFuture {
    /// The handle.
    type Handle;

    /// See [`ensure_future`].
    #[track_caller]
    fn ensure_future(self) -> Self::Handle;
}

/// The handle of a task or a future as it is, or of the task that it makes of a coroutine.
///
/// # Panics
///
/// Outside a running event loop, if there is something to spawn.
///
/// # Examples
///
/// ```
/// use coro_core::task::{self, ensure_future};
/// use coro_core::{EventLoop, Loop, native};
///
/// Loop::simulated().run(async {
///     let task = ensure_future(native::task(async { 1 }));
///     let erased = task.erased();
///     let same = ensure_future(task);
///     assert_eq!(same.erased(), erased);
///     same.await
/// });
/// ```
///
/// # References
///
/// [`asyncio.ensure_future`](https://docs.python.org/3/library/asyncio-future.html#asyncio.ensure_future).
#[track_caller]
pub fn ensure_future<F: EnsureFuture>(future: F) -> F::Handle {
    future.ensure_future()
}

impl<T> EnsureFuture for JoinHandle<T> {
    type Handle = Self;

    fn ensure_future(self) -> Self {
        self
    }
}

impl<T> EnsureFuture for Future<T> {
    type Handle = Self;

    fn ensure_future(self) -> Self {
        self
    }
}

impl<F: std::future::Future<Output: 'static> + 'static> EnsureFuture for native::Task<F> {
    type Handle = JoinHandle<F::Output>;

    #[track_caller]
    fn ensure_future(self) -> JoinHandle<F::Output> {
        Loop::spawn_on_running("ensure_future", self)
    }
}

impl<R, F> EnsureFuture for native::Native<(), Infallible, R, TaskError, F>
where
    R: 'static,
    F: std::future::Future<Output = Result<R, Thrown<TaskError>>> + ?Sized + 'static,
{
    type Handle = JoinHandle<R>;

    #[track_caller]
    fn ensure_future(self) -> JoinHandle<R> {
        Loop::spawn_on_running("ensure_future", self)
    }
}

impl<C: TaskCoroutine<Return: 'static> + 'static> EnsureFuture for CoroutineTask<C> {
    type Handle = JoinHandle<C::Return>;

    #[track_caller]
    fn ensure_future(self) -> JoinHandle<C::Return> {
        Loop::spawn_on_running("ensure_future", self)
    }
}
