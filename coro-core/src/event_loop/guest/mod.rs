//! A loop as the guest of tokio: both on one thread, each turning when the other waits.
//!
//! [`Guest`] makes a whole loop one future. So tasks of ours, in every flavour, and tasks and crates of tokio share a
//! thread, and await each other: a channel, a stream or a timer of tokio is a future like any other to a native body, and
//! to `co.wait`; a [`JoinHandle`] or a [`Queue`](crate::Queue) of ours is one to a task of tokio.
//!
//! ```
//! use coro_core::guest::Guest;
//! use coro_core::native::spawn;
//! use coro_core::{Loop, RunError};
//! use tokio::runtime::LocalRuntime;
//! use tokio::sync::mpsc;
//!
//! LocalRuntime::new()?.block_on(async {
//!     let (sender, mut receiver) = mpsc::channel(1);
//!     // A task of tokio,
//!     tokio::task::spawn_local(async move { sender.send(20).await });
//!     let main = async move {
//!         // awaited by one of ours.
//!         let ours = spawn(async move { receiver.recv().await });
//!         ours.await.unwrap().unwrap() + 1
//!     };
//!     assert_eq!(Guest::new(Loop::new()?)?.run(main).await?, 21);
//!     Ok::<(), RunError>(())
//! })?;
//! # Ok::<(), RunError>(())
//! ```
//!
//! # Who runs when
//!
//! - The loop is the current one only while it turns: a task of tokio finds no current loop. What it asks of the loop
//!   through a handle (to spawn, to call, to cancel, to stop) wakes the guest.
//! - While it has work, the loop gives way to tokio after eight looks at its driver, or at the first look after 50 µs.
//!   Then tokio's other tasks run, before it goes on. The budget that tokio gives one of its tasks is that of all tasks of
//!   the loop: who finds it used up, in a channel of tokio that is never empty, say, waits until the loop has given way.
//! - While it has none, it waits: for the [descriptor](Loop::pollable) of its driver, for a timer of tokio, and for
//!   whoever wakes a task of it, which is one wake of a task of tokio. Tokio's timers count milliseconds: so do ours then.
//! - On a simulated driver, the clock jumps when the loop has nothing ready; before that, what tokio has ready runs once.
//!   There are no stalls: tasks of tokio are outside of that world, and may wake ours at any time.
//!
//! A run is refused inside another run on the same thread, with [`RunError::Nested`]: await the guest in a task of tokio,
//! not in one of ours. Several guests on one runtime take turns.
//!
//! A program that calls [`EventLoop::run`](crate::EventLoop::run) needs not be changed: see [`Loop::hosted_by`].

mod bell;
mod host;
#[cfg(all(test, coro_loom))]
mod models;
mod turns;

use std::borrow::BorrowMut;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::sync::Arc;

use super::core::Core;
use super::current::{self, Entered};
use super::goal::{Drain, result_of, turned_to};
use super::{Exception, Loop, RunError};
use crate::task::{IntoTask, JoinHandle};

use bell::Bell;
use turns::Turns;

pub(super) use host::Host;

/// A loop that tokio's tasks turn. It is not `Send`: run it on a `LocalRuntime`, a `LocalSet`, or as the main future of a
/// runtime.
pub struct Guest {
    event_loop: Loop,
}

impl Guest {
    /// Makes a loop a guest.
    ///
    /// # Errors
    ///
    /// If its driver has no descriptor that tokio could wait for, and is no world of its own either.
    pub fn new(event_loop: Loop) -> io::Result<Self> {
        let driver = event_loop.core.driver.borrow();
        if driver.pollable().is_none() && !driver.is_closed_world() {
            let refusal = format!("a guest cannot wait for the driver {}: use epoll", driver.name());
            return Err(io::Error::new(io::ErrorKind::Unsupported, refusal));
        }
        drop(driver);
        Ok(Self { event_loop })
    }

    /// The loop.
    pub fn event_loop(&self) -> &Loop {
        &self.event_loop
    }

    /// Runs a program, as [`EventLoop::run`](crate::EventLoop::run): `main` to its end, then what it left, then the loop is closed.
    ///
    /// # Errors
    ///
    /// [`RunError`].
    ///
    /// # Panics
    ///
    /// If the runtime of tokio has not enabled I/O and time.
    ///
    /// # Cancellation
    ///
    /// Weak: dropping the future closes the loop. The tasks that are left are destroyed, and reported as
    /// [`PendingDestroyed`](Exception::PendingDestroyed).
    #[track_caller]
    pub fn run<T>(&self, main: T) -> impl Future<Output = Result<T::Output, RunError>>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        self.run_from(main, Location::caller())
    }

    pub(super) async fn run_from<T>(
        &self,
        main: T,
        spawned_at: &'static Location<'static>,
    ) -> Result<T::Output, RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let stay = Stay::begin(&self.event_loop)?;
        let closes = Closes(&self.event_loop);
        let mut task = self.event_loop.core.spawn(main, spawned_at);
        let result = self.complete_main(&stay, &mut task).await;
        {
            let _entered = self.event_loop.enter_part()?;
            drop(task);
        }
        self.end(&stay).await;
        drop(closes);
        result
    }

    pub(super) async fn run_main<T>(
        &self,
        main: T,
        spawned_at: &'static Location<'static>,
    ) -> Result<T::Output, RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let stay = Stay::begin(&self.event_loop)?;
        let mut task = self.event_loop.core.spawn(main, spawned_at);
        self.complete_main(&stay, &mut task).await
    }

    pub(super) async fn run_to_close(&self) -> Result<(), RunError> {
        // What an interrupt has ended at once is not waited for now.
        let at_once = self.event_loop.core.interrupts.end_at_once();
        let stay = Stay::begin(&self.event_loop)?;
        let closes = Closes(&self.event_loop);
        if at_once {
            self.event_loop.core.interrupt();
        }
        self.end(&stay).await;
        drop(closes);
        Ok(())
    }

    async fn complete_main<T>(&self, stay: &Stay<'_>, task: &mut JoinHandle<T>) -> Result<T, RunError> {
        let attended = self.event_loop.attend(task);
        let result = self.complete(stay, task).await;
        attended.judge(result)
    }

    async fn end(&self, stay: &Stay<'_>) {
        if let Err(error) = self.drain(stay).await {
            self.event_loop.core.report(Exception::DrainFailed(error));
        }
    }

    /// Runs until `task` has ended, as [`EventLoop::run_until_complete`](crate::EventLoop::run_until_complete).
    ///
    /// # Errors
    ///
    /// [`RunError`].
    ///
    /// # Panics
    ///
    /// If the runtime of tokio has not enabled I/O and time.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped run leaves everything for the next one.
    pub async fn run_until_complete<T>(
        &self,
        mut task: impl BorrowMut<JoinHandle<T>>,
    ) -> Result<T, RunError> {
        let stay = Stay::begin(&self.event_loop)?;
        self.complete(&stay, task.borrow_mut()).await
    }

    /// Runs until [`stop`](crate::EventLoop::stop), as [`EventLoop::run_forever`](crate::EventLoop::run_forever).
    ///
    /// # Errors
    ///
    /// [`RunError`]: all but `Task` and `Stopped`.
    ///
    /// # Panics
    ///
    /// If the runtime of tokio has not enabled I/O and time.
    ///
    /// # Cancellation
    ///
    /// Strict: a dropped run leaves everything for the next one.
    pub async fn run_forever(&self) -> Result<(), RunError> {
        let stay = Stay::begin(&self.event_loop)?;
        self.turn_until_stopped(&stay).await
    }

    async fn complete<T>(&self, stay: &Stay<'_>, task: &mut JoinHandle<T>) -> Result<T, RunError> {
        if let Some(watch) = self.event_loop.watch(task)? {
            let turned = self.turn_until_stopped(stay).await;
            watch.end(task);
            turned_to(task, turned)?;
        }
        result_of(task)
    }

    async fn turn_until_stopped(&self, stay: &Stay<'_>) -> Result<(), RunError> {
        let (event_loop, mut turned) = (&self.event_loop, false);
        // At least one turn, also for a loop that is stopping.
        let stopped = move || std::mem::replace(&mut turned, true) && event_loop.core.stopping.get();
        let turned = Turns::new(event_loop, &stay.bell, stopped).await;
        // Also on an error: the next run begins afresh.
        event_loop.take_stop();
        turned.and_then(|()| event_loop.core.not_interrupted())
    }

    async fn drain(&self, stay: &Stay<'_>) -> Result<(), RunError> {
        let event_loop = &self.event_loop;
        let mut drain = Drain::begin(event_loop);
        Turns::new(event_loop, &stay.bell, move || drain.is_over(event_loop)).await
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").field("event_loop", &self.event_loop).finish()
    }
}

/// A run of a guest. Between its turns too the loop runs: nobody else may run it, or close it.
struct Stay<'a> {
    core: &'a Core,
    bell: Arc<Bell>,
}

impl<'a> Stay<'a> {
    fn begin(event_loop: &'a Loop) -> Result<Self, RunError> {
        drop(event_loop.enter()?);
        let (core, bell) = (&*event_loop.core, Arc::new(Bell::default()));
        core.running.set(true);
        core.lease.record().set_notifier(Arc::clone(&bell) as _);
        Ok(Self { core, bell })
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        // It may have been dropped while it slept. Awake, it needs no notifier.
        self.core.receive();
        let notifier = self.core.driver.borrow().notifier();
        self.core.lease.record().set_notifier(notifier);
        self.core.running.set(false);
    }
}

/// Closes the loop when it is dropped, as the current one if there is no other: destructors may still use it.
struct Closes<'a>(&'a Loop);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        let _entered: Option<Entered> = current::enter_anywhere(&self.0.core);
        self.0.core.close();
    }
}
