//! A result that will be there once, for any number to look at.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use coro_core::event_loop::{Exception, Loop};
use coro_core::sync::Event;
pub use coro_core::task::SharedError as Failed;
use coro_core::task::{TaskError, TaskInfo};
use coro_core::time::sleep;

use super::link::{Kind, Link, Links};

/// A result that will be there once: what a [`Greenlet`](super::Greenlet) and an [`AsyncResult`](super::AsyncResult) are
/// handles of.
///
/// Its waits are futures: `co.wait(result.get())` in the body of a fiber, [`wait(result.get())`](crate::wait()) anywhere in
/// one, `result.get().await` in a native task.
///
/// An error that nobody has looked at when the last handle goes is told to the loop's
/// [exception handler](coro_core::Loop::set_exception_handler).
pub struct Eventual<T> {
    result: OnceCell<Result<T, Failed>>,
    ready: Event,
    links: Links<T>,
    /// Somebody knows of the error, if it is one.
    seen: Cell<bool>,
    /// The task whose result it is, if it is one's.
    task: RefCell<Option<TaskInfo>>,
}

impl<T> Eventual<T> {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            result: OnceCell::new(),
            ready: Event::new(),
            links: Links::default(),
            seen: Cell::new(false),
            task: RefCell::new(None),
        })
    }

    pub(super) fn set_task(&self, task: TaskInfo) {
        *self.task.borrow_mut() = Some(task);
    }

    /// Whether the result is there.
    pub fn ready(&self) -> bool {
        self.result.get().is_some()
    }

    /// Whether the result is there and a value.
    pub fn successful(&self) -> bool {
        matches!(self.result.get(), Some(Ok(_)))
    }

    /// The result, if it is there.
    pub fn result(&self) -> Option<Result<&T, &Failed>> {
        let result = self.result.get()?.as_ref();
        self.seen.set(self.seen.get() || result.is_err());
        Some(result)
    }

    /// The value, if it is there.
    pub fn value(&self) -> Option<&T> {
        self.result.get()?.as_ref().ok()
    }

    /// The error, if it is there.
    pub fn exception(&self) -> Option<&Failed> {
        self.result()?.err()
    }
}

/// Waiting. The futures hold the result, and may be kept.
impl<T: 'static> Eventual<T> {
    /// Waits until the result is there.
    ///
    /// # Cancellation
    ///
    /// Strict.
    #[doc(alias = "join")]
    pub fn wait(self: &Rc<Self>) -> impl Future<Output = ()> + use<T> {
        let this = Rc::clone(self);
        async move { this.ready.wait().await }
    }

    /// [`wait`](Self::wait), for `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`TimedOut`]. The result may still come.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn wait_timeout(
        self: &Rc<Self>,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), TimedOut>> + use<T> {
        within(timeout, self.wait())
    }

    /// Waits for the result, and gives a copy.
    ///
    /// # Errors
    ///
    /// The error that it is.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn get(self: &Rc<Self>) -> impl Future<Output = Result<T, Failed>> + use<T>
    where
        T: Clone,
    {
        let this = Rc::clone(self);
        async move {
            loop {
                if let Some(result) = this.result() {
                    return result.cloned().map_err(Clone::clone);
                }
                this.ready.wait().await;
            }
        }
    }

    /// [`get`](Self::get), for `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`GetError`].
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn get_timeout(
        self: &Rc<Self>,
        timeout: Duration,
    ) -> impl Future<Output = Result<T, GetError>> + use<T>
    where
        T: Clone,
    {
        let got = within(timeout, self.get());
        async move { Ok(got.await??) }
    }
}

/// Links: callbacks of the loop, in the order in which they were made. None is run inline.
impl<T: 'static> Eventual<T> {
    /// Calls `function` with the result when it is there; at the next turn, if it is there already.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn link(self: &Rc<Self>, function: impl FnOnce(Result<&T, &Failed>) + 'static) -> Link<T> {
        self.links.add(self, Kind::Any, Box::new(function))
    }

    /// [`link`](Self::link), if the result is a value.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn link_value(self: &Rc<Self>, function: impl FnOnce(&T) + 'static) -> Link<T> {
        self.links.add(self, Kind::Value, Box::new(|result| _ = result.map(function)))
    }

    /// [`link`](Self::link), if the result is an error.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn link_exception(self: &Rc<Self>, function: impl FnOnce(&Failed) + 'static) -> Link<T> {
        self.links.add(self, Kind::Exception, Box::new(|result| _ = result.map_err(function)))
    }

    pub(super) fn links(&self) -> &Links<T> {
        &self.links
    }

    /// Sets the result, and tells everybody. Hands it back if there is one.
    pub(super) fn settle(self: &Rc<Self>, result: Result<T, Failed>) -> Result<(), Result<T, Failed>> {
        self.result.set(result)?;
        self.ready.set();
        self.links.schedule(self);
        Ok(())
    }
}

impl<T> Drop for Eventual<T> {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.result.take()
            && !self.seen.get()
        {
            report_unread(self.task.take(), error.into());
        }
    }
}

impl<T> fmt::Debug for Eventual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.result.get() {
            None => "pending",
            Some(Ok(_)) => "a value",
            Some(Err(_)) => "an error",
        };
        f.debug_tuple("Eventual").field(&format_args!("{state}")).finish()
    }
}

/// Tells the loop of an error that nobody will read: not of an ending that was asked for.
pub(crate) fn report_unread(task: Option<TaskInfo>, error: TaskError) {
    if !error.is_cancelled() && !matches!(error, TaskError::LoopClosed) {
        Loop::call_exception_handler(match task {
            Some(task) => Exception::NeverRetrieved(task, error),
            None => Exception::NeverRead(error),
        });
    }
}

/// The time was over before what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time was over first: what was waited for goes on")]
pub struct TimedOut;

/// Why a [`get_timeout`](Eventual::get_timeout) gave no value.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GetError {
    /// There was no result in time.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    /// The result is an error.
    #[error(transparent)]
    Failed(#[from] Failed),
}

/// What `future` gives, if it is ready in time. It is asked once more when the time is over.
pub(crate) async fn within<F: Future>(timeout: Duration, future: F) -> Result<F::Output, TimedOut> {
    let (mut future, mut over) = (pin!(future), pin!(sleep(timeout)));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        over.as_mut().poll(cx).map(|()| Err(TimedOut))
    })
    .await
}
