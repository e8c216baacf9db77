//! Runs of a loop that take place on a runtime of tokio.

use std::fmt;
use std::io;

use tokio::runtime::{Handle, LocalRuntime};

use super::Guest;
use crate::event_loop::{Loop, RunError};

/// The runtime of a loop.
pub(in crate::event_loop) struct Host(Option<LocalRuntime>);

impl Loop {
    /// Has every later run of this loop take place on `runtime`, with the loop as its guest. So a program that calls
    /// [`run`](crate::EventLoop::run) can use crates that need tokio, without a change.
    ///
    /// Tasks of tokio are begun with `tokio::task::spawn_local` in a task of ours, or on the runtime before it is given.
    /// Those that are left when a run ends wait for the next one, and are dropped with the loop.
    ///
    /// # Errors
    ///
    /// As [`Guest::new`]; and if the loop has a runtime already.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{EventLoop, Loop, RunError};
    /// use tokio::runtime::LocalRuntime;
    ///
    /// let event_loop = Loop::new()?.hosted_by(LocalRuntime::new()?)?;
    /// let sum = event_loop.run(async {
    ///     let theirs = tokio::task::spawn_local(async { 20 });
    ///     theirs.await.unwrap() + 1
    /// })?;
    /// assert_eq!(sum, 21);
    /// # Ok::<(), RunError>(())
    /// ```
    pub fn hosted_by(self, runtime: LocalRuntime) -> io::Result<Self> {
        let guest = Guest::new(self)?;
        let hosted = guest.event_loop.core.host.set(Host(Some(runtime)));
        hosted.map_err(|_refused| io::Error::other("the loop has a runtime already"))?;
        Ok(guest.event_loop)
    }

    /// Where it runs, if not here.
    pub(in crate::event_loop) fn host(&self) -> Option<&Host> {
        self.core.host.get()
    }
}

impl Host {
    /// Runs the loop, which is its own, as a guest.
    pub(in crate::event_loop) fn run<T>(
        &self,
        event_loop: &Loop,
        work: impl AsyncFnOnce(&Guest) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        // Inside a runtime no other can run.
        let Some(runtime) = self.0.as_ref().filter(|_| Handle::try_current().is_err()) else {
            return Err(RunError::Nested);
        };
        let guest = Guest { event_loop: event_loop.clone() };
        runtime.block_on(work(&guest))
    }
}

impl Drop for Host {
    /// A runtime that is dropped inside another one panics, unless it does not wait for its threads.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take()
            && Handle::try_current().is_ok()
        {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
