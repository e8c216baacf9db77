//! Waiting for a task that a cancellation does not reach.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::event_loop::Core;
use crate::task::{self, JoinHandle, TaskError};

/// Waits for a task, which runs on when the wait is cancelled: asyncio's.
///
/// A plain wait for a [`JoinHandle`] that is cancelled cancels its task. This one ends, and the task is left alone, as it is
/// when a wait is dropped. Keep a [`Canceller`](crate::task::Canceller), or wait for `&mut handle` in it, to have something
/// left of it.
///
/// When the task itself is cancelled, that is its result, and nobody else was asked to end.
///
/// # Errors
///
/// As those of the handle.
///
/// # Cancellation
///
/// Strict: the task runs on. An error of it that nobody can read any more is reported, once.
///
/// # Examples
///
/// ```
/// use coro_core::scope::shield;
/// use coro_core::{EventLoop, Loop, native::spawn, time};
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// let saved = Rc::new(Cell::new(false));
/// let done = Rc::clone(&saved);
/// Loop::simulated()
///     .run(async move {
///         let save = spawn(async move {
///             time::sleep(Duration::from_secs(2)).await;
///             done.set(true);
///         });
///         let request = spawn(async move { shield(save).await });
///         time::sleep(Duration::from_secs(1)).await;
///         request.cancel();
///         assert!(request.await.unwrap_err().is_cancelled());
///         time::sleep(Duration::from_secs(2)).await;
///     })
///     .unwrap();
/// assert!(saved.get());
/// ```
///
/// # References
///
/// [`asyncio.shield`](https://docs.python.org/3/library/asyncio-task.html#asyncio.shield).
pub fn shield<T, F>(handle: F) -> Shield<F>
where
    F: Future<Output = Result<T, TaskError>> + IsHandle,
{
    Shield(handle)
}

/// A handle, what is borrowed of one, or a [`task::Future`].
pub trait IsHandle: Unpin {}

impl<T> IsHandle for JoinHandle<T> {}
impl<T> IsHandle for &mut JoinHandle<T> {}
impl<T> IsHandle for task::Future<T> {}

/// A wait for a task that a cancellation does not reach. Made by [`shield`].
#[must_use = "a shield does nothing until it is awaited"]
pub struct Shield<F>(F);

impl<F: Future + IsHandle> Future for Shield<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Core::unheard(|| Pin::new(&mut self.0).poll(cx))
    }
}

impl<F> fmt::Debug for Shield<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shield").finish()
    }
}
