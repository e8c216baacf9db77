//! What can be said about a task when it is spawned.

use std::panic::Location;

use super::{IntoTask, JoinHandle};
use crate::context::Context;
use crate::event_loop::{Core, Loop, Options};

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
        self.spawn_in(&Core::current_or_panic("task::Builder::spawn"), task, Location::caller())
    }

    /// Spawns `task` on this loop.
    #[track_caller]
    pub fn spawn_on<T>(self, event_loop: &Loop, task: T) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        self.spawn_in(event_loop.core(), task, Location::caller())
    }

    fn spawn_in<T>(
        self,
        core: &Core,
        task: T,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let Self { name, context, eager } = self;
        core.spawn_with::<T>(task.into_task().into_inner(), spawned_at, Options { name, context, eager })
    }
}
