//! Running programs: loops that are made, run and closed for them.

use std::fmt;
use std::io;
use std::panic::Location;
use std::time::Duration;

#[cfg(unix)]
use crate::event_loop::Handler;
use crate::event_loop::{EventLoop, Exception, Loop, RunError};
use crate::task::IntoTask;

/// Runs programs on a loop that it makes when it is first needed, and closes: asyncio's `Runner`.
///
/// `native::run`, `coro_gen::run` and `coro_fiber::run` are one with a single program.
///
/// # Ctrl-C
///
/// While a program runs, Ctrl-C [interrupts](Loop::interrupt) it: the first one cancels its main task, which may clean up,
/// and the run ends with [`RunError::Interrupted`]; the second one ends the run at once. Where the loop has not heard the
/// last one yet, because a task blocks or computes, the next one ends the process, as without a handler. That is the
/// process's handler of `SIGINT`: the first program to run has it, if it was the default one, which it is again when the
/// run ends. A loop that tokio hosts leaves signals to tokio. On Windows there is no handler yet.
///
/// # Examples
///
/// ```
/// use coro_core::runner::Runner;
/// use coro_core::{Loop, RunError, time};
/// use std::time::Duration;
///
/// let mut runner = Runner::with_loops(|| Ok(Loop::simulated())).debug(true);
/// runner.run(time::sleep(Duration::from_secs(1)))?;
/// let elapsed = runner.run(async { time::now() })?;
/// assert_eq!(elapsed.as_secs_f64(), 1.0);
/// runner.close()?;
/// # Ok::<(), RunError>(())
/// ```
///
/// # References
///
/// [`asyncio.Runner`](https://docs.python.org/3/library/asyncio-runner.html#asyncio.Runner).
pub struct Runner {
    make: Option<Box<dyn FnOnce() -> io::Result<Loop>>>,
    event_loop: Option<Loop>,
    debug: Option<bool>,
    grace: Option<Duration>,
    interrupts: bool,
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

impl Runner {
    /// One for the default driver of the platform: [`Loop::new`].
    pub fn new() -> Self {
        Self::with_loops(Loop::new)
    }

    /// One whose loop `make` makes: asyncio's `loop_factory`.
    pub fn with_loops(make: impl FnOnce() -> io::Result<Loop> + 'static) -> Self {
        Self { make: Some(Box::new(make)), event_loop: None, debug: None, grace: None, interrupts: true }
    }

    /// Whether the loop is in [debug mode](Loop::set_debug). Unless it is said here, the environment says so, with a
    /// `CORO_DEBUG` that is neither empty nor `0`.
    #[must_use = "gives the runner back"]
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = Some(debug);
        self
    }

    /// How long what the programs leave has to end, when the runner is closed: [`Loop::set_grace`].
    #[must_use = "gives the runner back"]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Whether Ctrl-C interrupts the programs; unless it is said here, it does.
    #[must_use = "gives the runner back"]
    pub fn interrupts(mut self, interrupts: bool) -> Self {
        self.interrupts = interrupts;
        self
    }

    /// The loop, made now if it is not there.
    ///
    /// # Errors
    ///
    /// [`RunError::Driver`] if it cannot be made, and [`RunError::Closed`] after a failure, or the end of the runner.
    pub fn event_loop(&mut self) -> Result<&Loop, RunError> {
        if let Some(make) = self.make.take() {
            let event_loop = make()?;
            event_loop.set_debug(self.debug.unwrap_or_else(debug_of_environment));
            event_loop.set_grace(self.grace);
            self.event_loop = Some(event_loop);
        }
        self.event_loop.as_ref().ok_or(RunError::Closed)
    }

    /// Runs a program to the end of its main task. What it left stays for the next one.
    ///
    /// # Errors
    ///
    /// [`RunError`].
    #[track_caller]
    pub fn run<T>(&mut self, main: T) -> Result<T::Output, RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let (spawned_at, interrupts) = (Location::caller(), self.interrupts);
        let event_loop = self.event_loop()?;
        #[cfg(unix)]
        let _handler = if interrupts { Handler::install(event_loop) } else { None };
        #[cfg(not(unix))]
        let _ = interrupts;
        event_loop.run_main(main, spawned_at)
    }

    /// Ends what the programs left, as [`EventLoop::run`] does at its end, and closes the loop. So does dropping the runner.
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] while a loop runs on this thread.
    pub fn close(mut self) -> Result<(), RunError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), RunError> {
        self.make = None;
        match self.event_loop.take() {
            Some(event_loop) if !event_loop.is_closed() => event_loop.run_to_close(),
            _ => Ok(()),
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            // Its loop is closed with its last handle, and reports what it destroys.
            Loop::call_exception_handler(Exception::DrainFailed(error));
        }
    }
}

/// Runs a program on a new loop of the default driver, with Ctrl-C: asyncio's `run`. Takes a task of any flavour.
///
/// # Errors
///
/// [`RunError`].
///
/// # Examples
///
/// ```
/// use coro_core::{runner, time::sleep};
/// use std::time::Duration;
///
/// let answer = runner::run(async {
///     sleep(Duration::from_millis(1)).await;
///     42
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
#[track_caller]
pub fn run<T>(main: T) -> Result<T::Output, RunError>
where
    T: IntoTask<Body: 'static>,
    T::Output: 'static,
{
    let mut runner = Runner::new();
    let result = runner.run(main);
    runner.close()?;
    result
}

fn debug_of_environment() -> bool {
    std::env::var_os("CORO_DEBUG").is_some_and(|value| !value.is_empty() && value != "0")
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("event_loop", &self.event_loop)
            .field("debug", &self.debug)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
