//! Interrupts: what Ctrl-C does to a run.
//!
//! ```text
//!            interrupt                    interrupt
//!   running ───────────▶ main is cancelled ───────▶ over at once: what is left is destroyed
//!      │                        │
//!      │ without a main task    │ main lets it out, and nobody else cancelled it: Interrupted
//!      └────────▶ over at once  └ else: what main gives
//! ```
//!
//! An interrupt is a callback of the loop, whoever asked for it: a program, by [`Loop::interrupt`], or a handler of
//! signals, which leaves its number in the mailbox of the loop. Other signals can go the same way.

#[cfg(unix)]
mod handler;

use std::cell::{Cell, RefCell};

use super::core::Core;
use super::{Loop, RunError};
use crate::task::{Cancelled, JoinHandle, TaskError, TaskRef};

#[cfg(unix)]
pub(crate) use handler::Handler;

/// What a loop knows of them.
#[derive(Debug, Default)]
pub(super) struct Interrupts {
    /// The one that the first interrupt is for.
    main: RefCell<Option<TaskRef>>,
    /// It has been.
    cancelled: Cell<bool>,
    /// The run is to end at once.
    at_once: Cell<bool>,
}

impl Interrupts {
    /// A run begins.
    pub(super) fn begin(&self) {
        self.at_once.set(false);
    }

    /// Whether the run is to end at once, and nothing is to be waited for.
    pub(super) fn end_at_once(&self) -> bool {
        self.at_once.get()
    }
}

impl Core {
    /// What signals did, in callbacks.
    pub(super) fn receive_signals(&self) {
        if self.inbox.take_signals() != 0 {
            let core = self.weak();
            // So far one signal has a handler.
            let call = move || {
                if let Some(core) = core.upgrade() {
                    core.interrupt();
                }
            };
            drop(self.call_soon(Box::new(call)));
        }
    }

    pub(super) fn interrupt(&self) {
        let main = self.interrupts.main.borrow().clone();
        let cancelled = match main {
            Some(main) if !self.interrupts.cancelled.replace(true) => main.cancel(&Cancelled::new()),
            _ => false,
        };
        if !cancelled {
            self.interrupts.at_once.set(true);
            self.stop();
            self.rouse_host();
        }
    }
}

impl Loop {
    /// What Ctrl-C does, under a [`Runner`](crate::runner::Runner): the first one cancels the main task of the run, which
    /// may clean up; the second one ends the run at once, with [`RunError::Interrupted`], and so does any where there is
    /// no main task, in [`run_forever`](super::EventLoop::run_forever) for example. Outside of a run it does nothing.
    ///
    /// A main task that lets the cancellation out ends the run with that error, too, unless somebody else has cancelled
    /// it as well.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{EventLoop, Loop, RunError, native::spawn, time::sleep};
    /// use std::time::Duration;
    ///
    /// let event_loop = Loop::simulated();
    /// let own = event_loop.clone();
    /// event_loop.call_later(Duration::from_secs(1), move || own.interrupt());
    /// let result = event_loop.run(sleep(Duration::from_secs(3600)));
    /// assert!(matches!(result, Err(RunError::Interrupted)));
    /// assert_eq!(event_loop.time().as_secs_f64(), 1.0);
    /// ```
    ///
    /// # References
    ///
    /// [Handling keyboard interruption](https://docs.python.org/3/library/asyncio-runner.html#handling-keyboard-interruption).
    pub fn interrupt(&self) {
        self.core.interrupt();
    }

    /// From now on the first interrupt is for this task.
    pub(super) fn attend<T>(&self, main: &JoinHandle<T>) -> Attended<'_> {
        let main = main.task().clone();
        self.core.interrupts.cancelled.set(false);
        drop(self.core.interrupts.main.replace(Some(main.clone())));
        Attended { core: &self.core, main }
    }
}

/// The main task of a run, for as long as interrupts are for it.
pub(super) struct Attended<'a> {
    core: &'a Core,
    main: TaskRef,
}

impl Attended<'_> {
    /// It has ended, or its run has, with this.
    pub(super) fn judge<T>(self, result: Result<T, RunError>) -> Result<T, RunError> {
        match result {
            Err(RunError::Task(TaskError::Cancelled(_)))
                if self.core.interrupts.cancelled.get() && self.main.header().uncancel() == 0 =>
            {
                Err(RunError::Interrupted)
            }
            result => result,
        }
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        drop(self.core.interrupts.main.take());
    }
}
