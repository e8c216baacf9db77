//! Debug mode: what is looked at only while somebody looks for a mistake.
//!
//! It costs nothing while it is off. While it is on, no turn is a plain one: each passes where the loop looks for more than
//! what is ready, and there it is seen that steps are to be timed.

use std::cell::Cell;
use std::time::Duration;

use super::callback::Callback;
use super::core::Core;
use super::runnable::Runnable;
use super::{Exception, Executed, Loop};
use crate::coroutine::FrameInfo;
use crate::task::TaskRef;

/// How long a step takes at most that is not slow: asyncio's `slow_callback_duration`.
const SLOW: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Debugging {
    on: Cell<bool>,
    slow: Cell<Duration>,
}

impl Default for Debugging {
    fn default() -> Self {
        Self { on: Cell::new(false), slow: Cell::new(SLOW) }
    }
}

impl Debugging {
    pub(super) fn is_on(&self) -> bool {
        self.on.get()
    }
}

impl Core {
    /// [`run_ready`](Self::run_ready), with a look at the clock before and after each step.
    pub(super) fn run_timed(&self) {
        let ran = self.ready.run_each(|runnable, _| self.run_timed_step(runnable));
        self.note_turn(ran);
    }

    /// One step, that of a simulation.
    #[cfg(feature = "testing")]
    pub(super) fn run_step(&self, runnable: &Runnable) {
        self.ready.run_one(runnable, |runnable| match self.debug.is_on() {
            true => self.run_timed_step(runnable),
            false => runnable.run(self),
        });
    }

    fn run_timed_step(&self, runnable: &Runnable) {
        // A task may end in this step, and is to be called by its name then too.
        TaskRef::of(runnable).inspect(|task| task.note_label());
        let begun = self.time();
        runnable.run(self);
        let took = self.time() - begun;
        if took >= self.debug.slow.get() {
            let executed = match (TaskRef::of(runnable), Callback::of(runnable)) {
                (Some(task), _) => Executed::Task(task.info()),
                (None, Some(callback)) => Executed::Callback(callback.scheduled_at()),
                (None, None) => unreachable!("it is one of both"),
            };
            self.report(Exception::SlowStep(executed, took));
        }
    }

    /// It is dropped.
    pub(super) fn note_unclosed(&self) {
        if self.debug.is_on() && !self.is_closed() {
            let driver = self.driver.borrow().name();
            self.report(Exception::Unclosed(driver));
        }
    }
}

/// A coroutine is dropped that was never resumed, nor closed.
#[cold]
pub(crate) fn never_awaited(coroutine: FrameInfo) {
    if let Some(core) = Core::current().filter(|core| core.debug.is_on() && !core.is_closed()) {
        core.report(Exception::NeverAwaited(coroutine));
    }
}

/// # Debug mode
impl Loop {
    /// Turns debug mode on or off: asyncio's. In it the loop tells its exception handler of
    ///
    /// - a step of a task, or a callback, that took long ([`Exception::SlowStep`]);
    /// - a coroutine that was made and never awaited, nor closed ([`Exception::NeverAwaited`]). Of a future that is no
    ///   coroutine, the compiler says so;
    /// - a loop that was dropped without having been closed ([`Exception::Unclosed`]). Sockets are closed when they are
    ///   dropped: there is nothing to be told of them.
    ///
    /// Each step costs two readings of the clock then, and nothing while the mode is off.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{EventLoop, Loop, time};
    /// use std::{cell::RefCell, rc::Rc, time::Duration};
    ///
    /// let (event_loop, told) = (Loop::simulated(), Rc::new(RefCell::new(String::new())));
    /// event_loop.set_debug(true);
    /// let tell = Rc::clone(&told);
    /// event_loop.set_exception_handler(Some(Rc::new(move |exception| *tell.borrow_mut() = exception.to_string())));
    /// event_loop.run(async { time::block_for(Duration::from_millis(101)) })?;
    /// let told = told.take();
    /// assert!(told.starts_with("Executing <Task finished name='Task-1' coro=<"), "{told}");
    /// assert!(told.ends_with("> took 0.101 seconds"), "{told}");
    /// # Ok::<(), coro_core::RunError>(())
    /// ```
    ///
    /// # References
    ///
    /// [Debug mode](https://docs.python.org/3/library/asyncio-dev.html#debug-mode).
    pub fn set_debug(&self, debug: bool) {
        self.core.debug.on.set(debug);
        self.core.cadence.set_never_plain(debug);
    }

    /// Whether the loop is in debug mode.
    pub fn debug(&self) -> bool {
        self.core.debug.is_on()
    }

    /// From how long on a step is slow, in debug mode: 0.1 seconds, unless it is said here. asyncio's
    /// `slow_callback_duration`.
    pub fn set_slow_step(&self, duration: Duration) {
        self.core.debug.slow.set(duration);
    }
}
