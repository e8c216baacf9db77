//! Children that say when they are ready.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::{IntoChild, Refusal, TaskGroup};
use crate::sync::oneshot;
use crate::task::{JoinHandle, TaskError};

/// What a child says that it is ready with. Given by [`TaskGroup::start`].
pub struct Started<V> {
    sender: oneshot::Sender<V>,
    starting: Rc<Cell<bool>>,
}

impl<V> Started<V> {
    /// It is ready. From now on its errors are those of the group.
    ///
    /// # Errors
    ///
    /// The value, if nobody waits for it any more.
    pub fn ready(self, value: V) -> Result<(), V> {
        self.starting.set(false);
        self.sender.send(value).map_err(|unsent| unsent.0)
    }
}

impl<V> fmt::Debug for Started<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}

/// Why a child has not become ready.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError<T> {
    /// The group takes no child. Nothing was begun.
    #[error(transparent)]
    Refused(Refusal),
    /// It failed, or was cancelled. The group knows nothing of it.
    #[error("the child has ended before it was ready")]
    Failed(#[source] TaskError),
    /// It returned this, without a word.
    #[error("the child has returned before it was ready: call Started::ready in it")]
    Returned(T),
}

impl<T> fmt::Debug for StartError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.debug_tuple("Refused").field(why).finish(),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
            Self::Returned(_) => f.debug_tuple("Returned").finish_non_exhaustive(),
        }
    }
}

/// The value of a child that has returned too early is dropped.
impl<T> From<StartError<T>> for TaskError {
    fn from(error: StartError<T>) -> Self {
        match error {
            StartError::Refused(why) => why.into(),
            StartError::Failed(error) => error,
            StartError::Returned(_) => Self::other(error.to_string()),
        }
    }
}

/// A child that is ready, with what it said.
type StartResult<T, V> = Result<(JoinHandle<T>, V), StartError<T>>;

/// Cancels a child that is not ready, if nobody waits for that any more.
struct Starting<T>(Option<JoinHandle<T>>);

impl<T> Drop for Starting<T> {
    fn drop(&mut self) {
        if let Some(child) = &self.0 {
            child.cancel();
        }
    }
}

impl TaskGroup {
    /// Begins a child and waits until it says that it is ready: trio's `nursery.start`. Gives its handle, and what it is
    /// ready with.
    ///
    /// Until then what it fails with is for whoever waits here, and not for the group.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    ///
    /// # Cancellation
    ///
    /// A child that is not ready is cancelled, and waited for if that can be.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::group::TaskGroup;
    /// use coro_core::{EventLoop, Loop, time::sleep};
    /// use std::time::Duration;
    ///
    /// let port = Loop::simulated().run(async {
    ///     let group = TaskGroup::new();
    ///     let body = async {
    ///         let (_server, port) = group
    ///             .start(async |ready| {
    ///                 sleep(Duration::from_secs(1)).await; // It binds its socket.
    ///                 ready.ready(8080).ok();
    ///                 sleep(Duration::from_secs(60)).await; // It serves.
    ///             })
    ///             .await?;
    ///         group.cancel();
    ///         Ok(port)
    ///     };
    ///     group.run(body).await
    /// });
    /// assert_eq!(port.unwrap().unwrap(), 8080);
    /// ```
    ///
    /// # References
    ///
    /// [`nursery.start`](https://trio.readthedocs.io/en/stable/reference-core.html#trio.Nursery.start).
    #[track_caller]
    pub fn start<V, C>(
        &self,
        make: impl FnOnce(Started<V>) -> C,
    ) -> impl Future<Output = StartResult<C::Value, V>>
    where
        C: IntoChild<Body: 'static> + 'static,
        C::Value: 'static,
    {
        let (group, at) = (self.clone(), Location::caller());
        async move {
            if let Some(why) = group.state().refusal() {
                return Err(StartError::Refused(why));
            }
            let (sender, receiver) = oneshot::oneshot();
            let starting = Rc::new(Cell::new(true));
            let child = make(Started { sender, starting: Rc::clone(&starting) });
            let mut child = Starting(Some(group.begin(child, None, Some(starting), at)));
            let mut receiver = Some(receiver);
            poll_fn(|cx| {
                if let Some(Poll::Ready(received)) =
                    receiver.as_mut().map(|receiver| Pin::new(receiver).poll(cx))
                {
                    receiver = None;
                    // Without a word: it ends.
                    if let Ok(value) = received
                        && let Some(handle) = child.0.take()
                    {
                        handle.header().mark_read();
                        return Poll::Ready(Ok((handle, value)));
                    }
                }
                let Some(handle) = &mut child.0 else { return Poll::Pending };
                Pin::new(handle).poll(cx).map(|result| {
                    child.0 = None;
                    Err(match result {
                        Ok(value) => StartError::Returned(value),
                        Err(error) => StartError::Failed(error),
                    })
                })
            })
            .await
        }
    }
}
