//! Children whose results are taken as they end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::{IntoChild, Refused, TaskGroup};
use crate::task::{JoinHandle, Members, TaskError};

/// Children of a group whose results are taken as they end. Made by [`TaskGroup::join_set`].
///
/// Dropping it leaves the children in the group.
///
/// # Examples
///
/// ```
/// use coro_core::group::TaskGroup;
/// use coro_core::{EventLoop, Loop, time::sleep};
/// use std::time::Duration;
///
/// let order = Loop::simulated().run(async {
///     let group = TaskGroup::new();
///     let body = async {
///         let mut children = group.join_set();
///         for seconds in [3, 1, 2] {
///             children.create_task(async move {
///                 sleep(Duration::from_secs(seconds)).await;
///                 Ok(seconds)
///             })?;
///         }
///         let mut order = Vec::new();
///         while let Some(result) = children.join_next().await {
///             order.push(result?);
///         }
///         Ok(order)
///     };
///     group.run(body).await
/// });
/// assert_eq!(order.unwrap().unwrap(), [1, 2, 3]);
/// ```
///
/// # References
///
/// [`tokio::task::JoinSet`](https://docs.rs/tokio/latest/tokio/task/struct.JoinSet.html).
#[must_use = "the children of a set are to be joined: else create them in the group"]
pub struct JoinSet<T> {
    group: TaskGroup,
    members: Members<T>,
}

// Nothing in it is pinned.
impl<T> Unpin for JoinSet<T> {}

impl TaskGroup {
    /// A set of children whose results are taken as they end. There are none yet.
    pub fn join_set<T>(&self) -> JoinSet<T> {
        JoinSet { group: self.clone(), members: Members::new([]) }
    }
}

impl<T: 'static> JoinSet<T> {
    /// Begins a child of the group, of which the set takes the result.
    ///
    /// # Errors
    ///
    /// As [`TaskGroup::create_task`].
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn create_task<C>(&mut self, child: C) -> Result<(), Refused<C>>
    where
        C: IntoChild<Value = T, Body: 'static> + 'static,
    {
        let child = self.group.create_task(child)?;
        self.push(child);
        Ok(())
    }

    /// The set takes the result of this child too, which was begun otherwise: as a [builder](crate::task::Builder::spawn_in)
    /// says, or by [`TaskGroup::start`].
    pub fn push(&mut self, child: JoinHandle<T>) {
        self.members.push(child);
    }
}

impl<T> JoinSet<T> {
    /// Waits for the next child to end, and gives its result. `None` if all have been given.
    ///
    /// # Cancellation
    ///
    /// Strict: no result is lost.
    pub fn join_next(&mut self) -> JoinNext<'_, T> {
        JoinNext(self)
    }

    /// How many children there are whose results have not been taken.
    pub fn len(&self) -> usize {
        self.members.left()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn poll_join_next(&mut self, cx: &Context<'_>) -> Poll<Option<Result<T, TaskError>>> {
        self.members.poll_next(cx).map(|next| next.map(|(_, result)| result))
    }
}

/// The results, as they come. It may go on after a `None`, when there are more children.
impl<T> Stream for JoinSet<T> {
    type Item = Result<T, TaskError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_join_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The next result of a [`JoinSet`]. Made by [`JoinSet::join_next`].
#[must_use = "a future does nothing until it is awaited"]
pub struct JoinNext<'s, T>(&'s mut JoinSet<T>);

impl<T> Future for JoinNext<'_, T> {
    type Output = Option<Result<T, TaskError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_join_next(cx)
    }
}

impl<T> fmt::Debug for JoinNext<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinNext").field(&self.0).finish()
    }
}
