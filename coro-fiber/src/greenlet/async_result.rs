//! A result that is set by hand: gevent's `AsyncResult`.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use coro_core::task::TaskError;

use super::eventual::{Eventual, Failed};

/// A result that somebody sets once, and any number wait for. Cloning gives another handle to the same result.
///
/// Looking and waiting are methods of the [`Eventual`] that it is a handle of.
///
/// # Examples
///
/// ```
/// use coro_fiber::AsyncResult;
///
/// let got = coro_fiber::run(|co| {
///     let result = AsyncResult::new();
///     let setter = result.clone();
///     coro_fiber::spawn(move |_| Ok(setter.set("done").unwrap())).detach();
///     Ok(co.wait(result.get())??)
/// });
/// assert_eq!(got.unwrap(), "done");
/// ```
///
/// # References
///
/// [`gevent.event.AsyncResult`](https://www.gevent.org/api/gevent.event.html#gevent.event.AsyncResult). That one can be set
/// again, which loses what was there; this one refuses.
pub struct AsyncResult<T>(Rc<Eventual<T>>);

impl<T: 'static> AsyncResult<T> {
    /// One that has not been set.
    pub fn new() -> Self {
        Self(Eventual::new())
    }

    /// Sets it to a value, and wakes who waits.
    ///
    /// # Errors
    ///
    /// [`AlreadySet`] hands the value back.
    pub fn set(&self, value: T) -> Result<(), AlreadySet<T>> {
        match self.0.settle(Ok(value)) {
            Err(Ok(value)) => Err(AlreadySet(value)),
            _ => Ok(()),
        }
    }

    /// Sets it to an error, and wakes who waits. Any error is a [`TaskError::other`].
    ///
    /// # Errors
    ///
    /// [`AlreadySet`] hands the error back.
    #[doc(alias = "set_exception")]
    pub fn set_error(&self, error: impl Into<TaskError>) -> Result<(), AlreadySet<TaskError>> {
        match self.0.settle(Err(Failed::from(error.into()))) {
            Err(Err(error)) => Err(AlreadySet(error.into())),
            _ => Ok(()),
        }
    }
}

impl<T: 'static> Default for AsyncResult<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for AsyncResult<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Deref for AsyncResult<T> {
    type Target = Rc<Eventual<T>>;

    fn deref(&self) -> &Rc<Eventual<T>> {
        &self.0
    }
}

impl<T> fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncResult").field(&self.0).finish()
    }
}

/// An [`AsyncResult`] had its result already. What it was to be set to comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the result is set already: it can be set once")]
pub struct AlreadySet<T>(pub T);
