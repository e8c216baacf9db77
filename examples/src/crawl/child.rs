//! A task that ends with whoever waits for it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use coro_core::JoinHandle;
use coro_core::task::TaskError;

/// Waits for a task. Dropped before its end, it cancels the task, where a dropped handle would detach it.
#[derive(Debug)]
#[must_use = "a child does nothing until it is awaited, and is cancelled when it is dropped"]
pub(super) struct Child<T>(pub(super) JoinHandle<T>);

impl<T> Future for Child<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Child<T> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
