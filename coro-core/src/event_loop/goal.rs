//! What a run turns for, whoever turns: the end of its main task, then the end of what that left.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::{EventLoop, Exception, Loop, RunError, TimerHandle};
use crate::task::{JoinHandle, TaskError, TaskRef};
use crate::time::Time;

/// How long a run waits at its end for what was written to streams that were dropped.
const LINGER: Duration = Duration::from_secs(1);

/// While it is held, the end of a task stops the loop.
#[must_use]
pub(super) struct Watch(Rc<Cell<bool>>);

impl Drop for Watch {
    /// Somebody else may have stopped the loop: the end of the task must not stop a later run.
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Watch {
    pub(super) fn end<T>(self, task: &JoinHandle<T>) {
        drop(self);
        task.call_on_done(None);
    }
}

impl Loop {
    /// Has the end of `task` stop the loop, unless it has ended: it queues a callback that does, after what was ready by
    /// then.
    pub(super) fn watch<T>(&self, task: &mut JoinHandle<T>) -> Result<Option<Watch>, RunError> {
        if !self.core.owns(task.header()) {
            return Err(TaskError::ForeignLoop.into());
        }
        if task.is_done() {
            return Ok(None);
        }
        let (core, waiting) = (self.core.weak(), Rc::new(Cell::new(true)));
        let still_waiting = Rc::clone(&waiting);
        task.call_on_done(Some(Box::new(move || {
            if let Some(core) = core.upgrade().filter(|_| still_waiting.get()) {
                core.stop();
            }
        })));
        Ok(Some(Watch(waiting)))
    }
}

/// What a run gives once its main task has ended, or it was stopped.
pub(super) fn result_of<T>(task: &mut JoinHandle<T>) -> Result<T, RunError> {
    match task.try_result() {
        Some(result) => Ok(result?),
        None if task.is_done() => Err(TaskError::AlreadyTaken.into()),
        None => Err(RunError::Stopped),
    }
}

/// The end of what a main task left: its tasks are cancelled, then cleanups are begun, then the jobs of its pool are waited
/// for, then what was written is sent.
pub(super) enum Drain {
    /// Only these: a cleanup may spawn for ever, and what it spawns is closed with the loop.
    Tasks(Vec<TaskRef>),
    Cleanups,
    Jobs,
    Sending {
        deadline: Time,
        bound: TimerHandle,
    },
}

impl Drain {
    pub(super) fn begin(event_loop: &Loop) -> Self {
        Self::Tasks(event_loop.core.cancel_all())
    }

    /// Whether it is over. If not, the loop has to turn.
    pub(super) fn is_over(&mut self, event_loop: &Loop) -> bool {
        let core = &event_loop.core;
        loop {
            match self {
                Self::Tasks(left) if left.iter().any(|task| !task.header().is_done()) => return false,
                Self::Tasks(_) => {
                    core.begin_last_cleanups();
                    *self = Self::Cleanups;
                }
                Self::Cleanups if core.has_cleanups() => return false,
                Self::Cleanups => {
                    core.close_jobs();
                    *self = Self::Jobs;
                }
                Self::Jobs if core.has_jobs() => return false,
                Self::Jobs => {
                    let deadline = event_loop.time() + LINGER;
                    *self = Self::Sending { deadline, bound: event_loop.call_at(deadline, || ()) };
                }
                Self::Sending { deadline, .. } if core.unsent() > 0 && core.time() < *deadline => {
                    return false;
                }
                Self::Sending { bound, .. } => {
                    bound.cancel();
                    match core.unsent() {
                        0 => {}
                        count => core.report(Exception::Unsent(count)),
                    }
                    return true;
                }
            }
        }
    }
}
