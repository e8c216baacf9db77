//! Tasks and futures alike, whatever their types.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use super::{DoneCallback, SetResultError, Shared};
use crate::event_loop::Core;
use crate::task::{Cancelled, Canceller, TaskInfo, TaskRef};

/// A task or a [`Future`](super::Future), whatever its type, for those who only want to know when it is done, or to cancel it.
///
/// Two are equal if they are the same one. It keeps neither the body of a task nor its result.
///
/// # Examples
///
/// ```
/// use coro_core::task::{self, AnyFuture, SetResultError};
/// use coro_core::{EventLoop, Loop, native::spawn, time::yield_now};
///
/// Loop::simulated().run(async {
///     let (task, future) = (spawn(yield_now()), task::Future::<u32>::new());
///     let both: [AnyFuture; 2] = [task.erased(), future.erased()];
///     assert!(matches!(both[0].set_result(1_u32), Err(SetResultError::Task(_))));
///     both[1].set_result(1_u32).unwrap();
///     assert_eq!(future.result().unwrap(), 1);
///     task.await
/// });
/// ```
#[derive(Clone)]
pub struct AnyFuture(Which);

#[derive(Clone)]
enum Which {
    Task(TaskRef),
    Future(Rc<dyn Erased>),
}

/// A future, whatever its type.
pub(super) trait Erased {
    fn is_done(&self) -> bool;
    fn is_cancelled(&self) -> bool;
    fn cancel_as(self: Rc<Self>, cancelled: Cancelled) -> bool;
    fn set_result(self: Rc<Self>, value: Box<dyn Any>) -> Result<(), SetResultError>;
    fn add_done_callback(self: Rc<Self>, function: Box<dyn FnOnce(&AnyFuture)>) -> DoneCallback;
    fn remove_done_callback(&self, callback: &DoneCallback) -> bool;
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<T: 'static> Erased for Shared<T> {
    fn is_done(&self) -> bool {
        self.result.get().is_some()
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled()
    }

    fn cancel_as(self: Rc<Self>, cancelled: Cancelled) -> bool {
        self.cancel(cancelled)
    }

    fn set_result(self: Rc<Self>, value: Box<dyn Any>) -> Result<(), SetResultError> {
        let value = value.downcast::<T>().map_err(SetResultError::WrongType)?;
        match self.settle(Ok(*value)) {
            Err(Ok(value)) => Err(SetResultError::Done(Box::new(value))),
            _ => Ok(()),
        }
    }

    fn add_done_callback(self: Rc<Self>, function: Box<dyn FnOnce(&AnyFuture)>) -> DoneCallback {
        self.add_callback(Box::new(move |future| function(&future.erased())))
    }

    fn remove_done_callback(&self, callback: &DoneCallback) -> bool {
        self.waiters.remove_callback(&callback.0)
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f)
    }
}

impl AnyFuture {
    pub(crate) fn of_task(task: TaskRef) -> Self {
        Self(Which::Task(task))
    }

    pub(super) fn of_future(future: Rc<dyn Erased>) -> Self {
        Self(Which::Future(future))
    }

    /// Whether it has ended, or has a result.
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Which::Task(task) => task.header().is_done(),
            Which::Future(future) => future.is_done(),
        }
    }

    /// Whether it has ended cancelled.
    pub fn is_cancelled(&self) -> bool {
        match &self.0 {
            Which::Task(task) => task.header().is_cancelled(),
            Which::Future(future) => future.is_cancelled(),
        }
    }

    /// Cancels the future, or asks the task to end. False if it is done.
    pub fn cancel(&self) -> bool {
        self.cancel_as(Cancelled::new())
    }

    /// [`cancel`](Self::cancel), with a message: [`Cancelled::message`].
    pub fn cancel_with(&self, message: &str) -> bool {
        self.cancel_as(Cancelled::because(Some(message), Core::running_id()))
    }

    fn cancel_as(&self, cancelled: Cancelled) -> bool {
        match &self.0 {
            Which::Task(task) => task.cancel(&cancelled),
            Which::Future(future) => Rc::clone(future).cancel_as(cancelled),
        }
    }

    /// Sets the result of a future.
    ///
    /// # Errors
    ///
    /// [`SetResultError`]: it is a task, or done, or its result is of another type. The value comes back.
    pub fn set_result<T: 'static>(&self, value: T) -> Result<(), SetResultError> {
        match &self.0 {
            Which::Task(_) => Err(SetResultError::Task(Box::new(value))),
            Which::Future(future) => Rc::clone(future).set_result(Box::new(value)),
        }
    }

    /// Has its loop call `function` with it when it is done; at the next turn, if it is.
    pub fn add_done_callback(&self, function: impl FnOnce(&Self) + 'static) -> DoneCallback {
        match &self.0 {
            Which::Task(task) => task.add_done_callback(function),
            Which::Future(future) => Rc::clone(future).add_done_callback(Box::new(function)),
        }
    }

    /// Does not call it when it is done. False if it was not to, for example because it is queued by now.
    pub fn remove_done_callback(&self, callback: &DoneCallback) -> bool {
        match &self.0 {
            Which::Task(task) => task.remove_done_callback(callback),
            Which::Future(future) => future.remove_done_callback(callback),
        }
    }

    /// What it looks like now, if it is a task.
    pub fn task_info(&self) -> Option<TaskInfo> {
        match &self.0 {
            Which::Task(task) => Some(task.info()),
            Which::Future(_) => None,
        }
    }
}

impl PartialEq for AnyFuture {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Which::Task(one), Which::Task(other)) => one.as_runnable().is(other.as_runnable()),
            (Which::Future(one), Which::Future(other)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for AnyFuture {}

impl From<Canceller> for AnyFuture {
    fn from(canceller: Canceller) -> Self {
        Self::of_task(canceller.into_task())
    }
}

impl fmt::Debug for AnyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Which::Task(task) => task.fmt(f),
            Which::Future(future) => future.show(f),
        }
    }
}
