//! The event loop: one trait, one implementation of it over any [`Driver`].

mod awaited;
mod budget;
mod cadence;
mod callback;
mod calling;
mod cleanup;
mod core;
mod current;
mod debug;
mod drive;
mod ending;
mod error;
mod goal;
#[cfg(all(feature = "tokio", unix))]
pub mod guest;
mod inbox;
mod interrupt;
mod into_driven;
mod jobs;
mod joining;
#[cfg(feature = "futures")]
mod local_spawn;
mod metrics;
#[cfg(all(test, coro_loom))]
pub(crate) mod models;
mod operation;
mod parts;
mod record;
mod reports;
mod run;
mod runnable;
mod running_context;
mod spawning;
#[cfg(feature = "testing")]
pub(crate) mod stepping;
mod tasks;
mod throwing;
mod timer;
mod turn;
mod waiting;
mod wheel;
mod word;

use std::borrow::BorrowMut;
use std::fmt;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

pub(crate) use awaited::{Awaited, Noted};
pub use calling::{CallHandle, TimerHandle};
pub use current::refuse_in_fibers;
pub use drive::Driven;
pub(crate) use error::NO_LOOP;
pub use error::{Exception, ExceptionHandler, Executed, LoopClosed, RunError, Stalled, Stuck};
pub use inbox::{RemoteCallHandle, RemoteHandle};
pub use into_driven::IntoDriven;
pub use metrics::Metrics;
pub use reports::report;
pub(crate) use waiting::ObjectName;
pub use waiting::{Waiting, Wanted};

pub(crate) use self::cleanup::{CleanupError, Registered, Unclosed, is_cancellation};
pub(crate) use self::core::Core;
pub(crate) use self::debug::never_awaited;
pub(crate) use self::inbox::Inbox;
pub(crate) use self::jobs::{Place, PoolId, Unheard};
pub(crate) use crate::task::{Cancelled, Landing, copied, thrown_as};
#[cfg(unix)]
pub(crate) use interrupt::Handler;
pub(crate) use operation::{Pending, current_core, loop_is_gone};
#[cfg(feature = "testing")]
pub(crate) use record::pushed_here;
pub(crate) use runnable::{Head, Runnable, Table};
pub(crate) use spawning::Options;
pub(crate) use throwing::{Heard, Throwing};
pub(crate) use timer::TimerKey;
pub(crate) use word::Word;

use crate::driver::{Driver, Simulated};
use crate::task::{self, Backtrace, IntoTask, JoinHandle, TaskInfo};
use crate::time::Time;
pub(crate) use callback::Callback;
use current::Entered;
pub(crate) use current::{CoreNumber, find, leave};

/// Runs tasks and callbacks, one at a time, on one thread.
///
/// # One turn
///
/// Every loop of this project turns in the same order, whatever it waits with:
///
/// 1. poll the driver: without waiting if anything is ready or the loop is stopping, else until the next deadline;
/// 2. queue what other threads sent, and the I/O that completed;
/// 3. queue the timers that are due, in the order of (deadline, sequence);
/// 4. run what is queued by then, first in, first out. What it schedules waits for the next turn.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, time};
/// use std::time::Duration;
///
/// let event_loop = Loop::simulated();
/// let task = event_loop.spawn(async {
///     time::sleep(Duration::from_secs(1)).await;
///     "done"
/// });
/// assert_eq!(event_loop.run_until_complete(task).unwrap(), "done");
/// assert_eq!(event_loop.time().as_secs_f64(), 1.0);
/// ```
///
/// # References
///
/// [PEP 3156](https://peps.python.org/pep-3156/).
pub trait EventLoop {
    /// Begins a task. Its body does not run before the next turn.
    ///
    /// On a closed loop the task ends at once with [`TaskError::LoopClosed`](crate::task::TaskError::LoopClosed).
    #[track_caller]
    fn spawn<T>(&self, task: T) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static;

    /// Drives a coroutine that yields values as a task, and gives the handle to send to it.
    ///
    /// It takes coroutines of every flavour, a fiber that has not begun too.
    #[track_caller]
    fn drive<C: IntoDriven>(&self, coroutine: C) -> Driven<C::Coroutine>;

    /// Calls `function` at the next turn, after what is ready already.
    #[track_caller]
    fn call_soon(&self, function: impl FnOnce() + 'static) -> CallHandle;

    /// Calls `function` once the clock reads `deadline`, which may be past.
    #[track_caller]
    fn call_at(&self, deadline: Time, function: impl FnOnce() + 'static) -> TimerHandle;

    /// Calls `function` after `delay`.
    #[track_caller]
    fn call_later(&self, delay: Duration, function: impl FnOnce() + 'static) -> TimerHandle {
        self.call_at(self.time() + delay, function)
    }

    /// A handle for other threads: `call_soon_threadsafe`.
    fn remote(&self) -> RemoteHandle;

    /// The clock.
    fn time(&self) -> Time;

    /// Runs until [`stop`](Self::stop). Stopped before it runs, it makes one turn.
    ///
    /// # Errors
    ///
    /// [`RunError`]: all but `Task` and `Stopped`.
    fn run_forever(&self) -> Result<(), RunError>;

    /// Runs until `task` has ended, and gives its result. Other tasks stay for the next run.
    ///
    /// It takes the handle, or borrows it as `&mut`, to be run again after a [`stop`](Self::stop).
    ///
    /// # Errors
    ///
    /// [`RunError`].
    fn run_until_complete<T>(&self, task: impl BorrowMut<JoinHandle<T>>) -> Result<T, RunError>;

    /// Runs a program: `main` to its end, then what it left is cancelled and waited for, and the loop is closed.
    ///
    /// Before that, the [asynchronous generators](crate::coroutine::AsyncGenerator) that have begun and not ended are
    /// closed, wherever they are, and the cleanups of contexts and generators that were dropped are waited for. Then the
    /// [pool](crate::executor) of the loop takes no more jobs, and those that it has are waited for.
    ///
    /// # Errors
    ///
    /// [`RunError`].
    #[track_caller]
    fn run<T>(&self, main: T) -> Result<T::Output, RunError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static;

    /// Makes the loop return from its run at the end of the present turn.
    fn stop(&self);

    /// Whether the loop is being run.
    fn is_running(&self) -> bool;

    /// Whether the loop is closed.
    fn is_closed(&self) -> bool;

    /// Ends every task that is left, drops every callback and timer. Closing a closed loop does nothing.
    ///
    /// # Errors
    ///
    /// [`RunError::Running`]: stop it first.
    fn close(&self) -> Result<(), RunError>;

    /// The tasks that have not ended, of all flavours, in the order of spawning, with what each waits for, and who has that
    /// ([`TaskInfo::waits_for`]).
    ///
    /// A look costs a walk over all that is waited for. To be found, a wait costs nothing.
    fn all_tasks(&self) -> Vec<TaskInfo>;

    /// The task that is being run.
    fn current_task(&self) -> Option<TaskInfo>;
}

/// An event loop over a [`Driver`] chosen at run time. Cloning gives another handle to the same loop.
#[derive(Clone)]
pub struct Loop {
    core: Rc<Core>,
}

impl Loop {
    /// A loop over the best driver of the platform: epoll on Linux, poll on other Unixes.
    ///
    /// # Errors
    ///
    /// If the driver cannot be made; on a platform without one, always. There is always
    /// [`simulated`](Self::simulated).
    pub fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        return Ok(Self::with_driver(crate::driver::Epoll::new()?));
        #[cfg(all(unix, not(target_os = "linux")))]
        return Ok(Self::with_driver(crate::driver::Poll::new()?));
        #[cfg(not(unix))]
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "there is no driver for this platform yet: use Loop::simulated()",
        ));
    }

    /// A loop over the simulated driver: virtual time, and a network in memory.
    pub fn simulated() -> Self {
        Self::with_driver(Simulated::new())
    }

    /// A loop over any driver.
    pub fn with_driver(driver: impl Driver + 'static) -> Self {
        Self { core: Core::new(Box::new(driver)) }
    }

    /// The loop that runs on this thread.
    pub fn current() -> Option<Self> {
        Some(Self { core: Core::current()? })
    }

    /// The loop that runs on this thread, which `what` needs.
    ///
    /// # Panics
    ///
    /// If there is none, with advice that names `what`.
    #[track_caller]
    pub fn running(what: &str) -> Self {
        Self { core: Core::current_or_panic(what) }
    }

    /// [`spawn`](EventLoop::spawn) on the loop that runs on this thread, which `what` needs.
    ///
    /// # Panics
    ///
    /// If there is none, with advice that names `what`.
    #[track_caller]
    #[inline(always)]
    pub fn spawn_on_running<T>(what: &str, task: T) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        Self::spawn_on_running_at(what, task, Location::caller())
    }

    /// [`spawn_on_running`](Self::spawn_on_running) for somebody else: the task says that it was spawned there.
    ///
    /// # Panics
    ///
    /// As that.
    #[track_caller]
    #[inline(always)]
    pub fn spawn_on_running_at<T>(
        what: &str,
        task: T,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let body = task.into_task().into_inner();
        match Core::spawn_on_current::<T>(body, spawned_at) {
            Ok(handle) => handle,
            Err(body) => Self::running(what).core.spawn_body::<T>(body, spawned_at),
        }
    }

    /// A future that belongs to this loop, whether or not it runs.
    #[track_caller]
    pub fn create_future<T>(&self) -> task::Future<T> {
        task::Future::of(self.core.number())
    }

    /// The name of the driver.
    pub fn driver_name(&self) -> &'static str {
        self.core.driver.borrow().name()
    }

    /// Replaces the way in which failures that nobody can be told of are reported; `None` prints them on the
    /// standard error.
    pub fn set_exception_handler(&self, handler: Option<ExceptionHandler>) {
        self.core.set_exception_handler(handler);
    }

    /// Tells the exception handler of the loop that runs on this thread, or prints it if there is none: for what a library
    /// can tell nobody else.
    ///
    /// # References
    ///
    /// [`loop.call_exception_handler`](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.call_exception_handler).
    pub fn call_exception_handler(exception: Exception) {
        match Core::current() {
            Some(core) => core.report(exception),
            None => reports::print(&exception),
        }
    }

    /// Where the tasks that wait are suspended, of all flavours, in the order of spawning. The one that is being run has none.
    ///
    /// See [`JoinHandle::backtrace`] for what it costs, and what it does not do.
    pub fn all_backtraces(&self) -> Vec<Backtrace> {
        self.core.all_backtraces()
    }

    pub(crate) fn core(&self) -> &Rc<Core> {
        &self.core
    }

    /// How many timers are pending.
    #[cfg(feature = "testing")]
    pub(crate) fn pending_timers(&self) -> usize {
        self.core.timers.borrow().len()
    }

    fn enter(&self) -> Result<Entered, RunError> {
        // Between the turns of a host it is not the current loop, but runs all the same.
        if self.is_running() && !self.core.is_closed() {
            return Err(RunError::Nested);
        }
        let entered = self.enter_part()?;
        self.core.interrupts.begin();
        Ok(entered)
    }

    /// Makes it the current loop for a part of a turn.
    fn enter_part(&self) -> Result<Entered, RunError> {
        if self.core.is_closed() {
            return Err(RunError::Closed);
        }
        if self.core.jobs.is_inside() {
            return Err(RunError::Nested);
        }
        current::enter(&self.core)
    }
}

impl fmt::Debug for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loop")
            .field("driver", &self.driver_name())
            .field("running", &self.is_running())
            .field("closed", &self.is_closed())
            .field("tasks", &self.all_tasks())
            .finish()
    }
}
