//! A fiber that runs, as gevent's users know it: its result is for any number to have, and is told to those who are linked.

mod async_result;
mod eventual;
mod link;

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use coro_core::event_loop::Loop;
use coro_core::task::{Canceller, IntoTask, JoinHandle, TaskError, TaskId, TaskInfo, TaskResult};

pub use async_result::{AlreadySet, AsyncResult};
pub use eventual::{Eventual, Failed, GetError, TimedOut};
pub use link::Link;

pub(crate) use eventual::{report_unread, within};

use crate::{TaskCo, task};

/// A task, by a handle that can be cloned: gevent's `Greenlet`.
///
/// Looking at its result, waiting for it and linking to it are methods of the [`Eventual`] that it is a handle of. Where
/// one reader is enough, [`spawn`](crate::spawn()) costs less, and gives the result itself.
///
/// Dropping the last handle leaves the task alone; an error that nobody has looked at by then goes to the loop's
/// [exception handler](coro_core::Loop::set_exception_handler).
///
/// # Examples
///
/// ```
/// use coro_fiber::Greenlet;
///
/// let sum = coro_fiber::run(|co| {
///     let greenlet = Greenlet::spawn(|_| Ok(21));
///     greenlet.link_value(|value| assert_eq!(*value, 21));
///     Ok(co.wait(greenlet.get())?? + co.wait(greenlet.get())??)
/// });
/// assert_eq!(sum.unwrap(), 42);
/// ```
///
/// # References
///
/// [`gevent.Greenlet`](https://www.gevent.org/api/gevent.greenlet.html).
pub struct Greenlet<T> {
    result: Rc<Eventual<T>>,
    task: Canceller,
}

impl<T: 'static> Greenlet<T> {
    /// Spawns `body` on the running loop.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn spawn<F>(body: F) -> Self
    where
        F: FnOnce(&mut TaskCo<'_>) -> TaskResult<T> + 'static,
    {
        Self::start(task(body))
    }

    /// Spawns `body` on the running loop, where it begins after `delay`; see [`spawn_later`](crate::spawn_later).
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn spawn_later<F>(delay: Duration, body: F) -> Self
    where
        F: FnOnce(&mut TaskCo<'_>) -> TaskResult<T> + 'static,
    {
        Self::start(crate::task::later(delay, body))
    }

    /// Spawns any task on the running loop, of whatever flavour.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn start<B>(task: B) -> Self
    where
        B: IntoTask<Output = T, Body: 'static>,
    {
        let handle = Loop::spawn_on_running_at("coro_fiber::Greenlet", task, Location::caller());
        Self::watching(handle, |_| ())
    }

    /// The result goes to `first`, and then to everybody.
    pub(crate) fn watching(handle: JoinHandle<T>, first: impl FnOnce(&Result<T, Failed>) + 'static) -> Self {
        let result = Eventual::new();
        result.set_task(handle.info());
        let settles = Settles(Some(Rc::clone(&result)));
        let task = handle.on_done(move |ended| {
            let ended = ended.map_err(Failed::from);
            first(&ended);
            settles.settle(ended);
        });
        Self { result, task }
    }

    /// Asks it to end: gevent's `kill(block=False)`. See [`JoinHandle::cancel`].
    pub fn cancel(&self) -> bool {
        self.task.cancel()
    }

    /// Asks it to end, and waits until it has: also if it does something else first.
    ///
    /// # Cancellation
    ///
    /// Strict: the request stands.
    pub fn kill(&self) -> impl Future<Output = ()> + use<T> {
        let (task, ended) = (self.task.clone(), self.result.wait());
        async move {
            task.cancel();
            ended.await;
        }
    }

    /// The task's identity.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// What the task looks like now.
    pub fn info(&self) -> TaskInfo {
        self.task.info()
    }
}

/// Sets the result, in any case: if the loop is closed first, to that.
struct Settles<T: 'static>(Option<Rc<Eventual<T>>>);

impl<T: 'static> Settles<T> {
    fn settle(mut self, ended: Result<T, Failed>) {
        if let Some(result) = self.0.take() {
            // Nobody else sets it.
            let _ = result.settle(ended);
        }
    }
}

impl<T: 'static> Drop for Settles<T> {
    fn drop(&mut self) {
        if let Some(result) = self.0.take() {
            let _ = result.settle(Err(TaskError::LoopClosed.into()));
        }
    }
}

impl<T> Clone for Greenlet<T> {
    fn clone(&self) -> Self {
        Self { result: Rc::clone(&self.result), task: self.task.clone() }
    }
}

impl<T> Deref for Greenlet<T> {
    type Target = Rc<Eventual<T>>;

    fn deref(&self) -> &Rc<Eventual<T>> {
        &self.result
    }
}

impl<T> fmt::Debug for Greenlet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}
