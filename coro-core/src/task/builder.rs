//! What can be said about a task when it is spawned.

use std::panic::Location;

use super::{IntoTask, JoinHandle, TaskRef};
use crate::context::Context;
use crate::event_loop::{Core, Loop, Options};
use crate::group::{IntoChild, Refused, TaskGroup};

/// Spawns a task with a name, with a context, or eagerly: asyncio's `create_task(…, name, context, eager_start)`.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, task, time::yield_now};
///
/// let log = Loop::simulated().run(async {
///     let task = task::Builder::new().name("eager").eager(true).spawn(async {
///         let own = task::current().unwrap().info().name;
///         yield_now().await;
///         own
///     });
///     assert!(!task.is_done()); // It waits at its first await.
///     task.await.unwrap().to_string()
/// });
/// assert_eq!(log.unwrap(), "eager");
/// ```
///
/// # References
///
/// [`asyncio.Task`](https://docs.python.org/3/library/asyncio-task.html#asyncio.Task).
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until it spawns"]
pub struct Builder<'a> {
    name: Option<&'a str>,
    context: Option<Context>,
    eager: bool,
}

impl<'a> Builder<'a> {
    /// A task like any other.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its name, for debugging.
    pub fn name(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Runs it in this context itself, instead of a copy of the current one.
    pub fn context(self, context: Context) -> Self {
        Self { context: Some(context), ..self }
    }

    /// Runs its first step at once, inside of the spawn, if its loop runs: to its first wait, or to its end. Meanwhile it is the
    /// [current](super::current()) task, and its handle does not exist yet. What panics in it is its result.
    ///
    /// It saves a turn where the first step is often the last, at the price of an order that depends on that.
    pub fn eager(self, eager: bool) -> Self {
        Self { eager, ..self }
    }

    /// Spawns `task` on the loop that runs on this thread.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn spawn<T>(self, task: T) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let core = Core::current_or_panic("task::Builder::spawn");
        self.spawn_at(&core, task, Location::caller(), |_| {})
    }

    /// Spawns `task` on this loop.
    #[track_caller]
    pub fn spawn_on<T>(self, event_loop: &Loop, task: T) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        self.spawn_at(event_loop.core(), task, Location::caller(), |_| {})
    }

    /// Begins `child` in `group`, as [`TaskGroup::create_task`] does. The group has it from its first step on: an error
    /// in that fails the group, also of an eager one.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the child, if the group has not been entered, is finished or shuts down.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::group::TaskGroup;
    /// use coro_core::{EventLoop, Loop, task};
    ///
    /// let group = TaskGroup::new();
    /// let body = group.clone();
    /// let program = group.run(async move {
    ///     let child = task::Builder::new().name("download").eager(true);
    ///     let child = child.spawn_in(&body, async { Ok(task::current().unwrap().info().name) })?;
    ///     assert!(child.is_done()); // In its first step.
    ///     child.await
    /// });
    /// assert_eq!(&*Loop::simulated().run(program).unwrap().unwrap(), "download");
    /// ```
    #[track_caller]
    pub fn spawn_in<C>(self, group: &TaskGroup, child: C) -> Result<JoinHandle<C::Value>, Refused<C>>
    where
        C: IntoChild<Body: 'static> + 'static,
        C::Value: 'static,
    {
        group.create(child, Some(self), Location::caller())
    }

    /// Spawns it, when `made` has been shown the task, of which nothing has run yet.
    pub(crate) fn spawn_at<T>(
        self,
        core: &Core,
        task: T,
        spawned_at: &'static Location<'static>,
        made: impl FnOnce(&TaskRef),
    ) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let Self { name, context, eager } = self;
        let options = Options { name, context, eager };
        core.spawn_with::<T>(task.into_task().into_inner(), spawned_at, options, made)
    }
}
