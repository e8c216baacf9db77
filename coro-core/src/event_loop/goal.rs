//! What a run turns for, whoever turns: the end of its main task, then the end of what that left.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::{EventLoop, Exception, Loop, RunError, TimerHandle};
use crate::task::{JoinHandle, TaskError, TaskRef};
use crate::time::Time;

/// How long a run waits at its end for what was written to streams that were dropped.
const LINGER: Duration = Duration::from_secs(1);

/// How many turns have those at most who hear at the end of the grace period that it is over.
const LAST_TURNS: u32 = 100;

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

/// Whether a run has failed that was to end with `task`. If that has ended, its result is what counts.
pub(super) fn turned_to<T>(task: &JoinHandle<T>, turned: Result<(), RunError>) -> Result<(), RunError> {
    match turned {
        Err(RunError::Interrupted) if task.is_done() => Ok(()),
        turned => turned,
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
/// for, then what was written is sent. It is cut short where the time for it is up, and what is shielded has heard of that,
/// or by an interrupt.
pub(super) struct Drain {
    stage: Stage,
    grace: Option<Bound>,
    /// How many turns are left since the grace period is over.
    turns_left: Option<u32>,
    over: bool,
}

enum Stage {
    /// Only these: a cleanup may spawn for ever, and what it spawns is closed with the loop.
    Tasks(Vec<TaskRef>),
    Cleanups,
    Jobs,
    Sending(Bound),
}

/// A time up to which the loop waits at most.
struct Bound {
    deadline: Time,
    timer: TimerHandle,
}

impl Bound {
    fn after(event_loop: &Loop, duration: Duration) -> Self {
        let deadline = event_loop.time() + duration;
        // It ends the wait of a loop that has nothing else to wait for.
        Self { deadline, timer: event_loop.call_at(deadline, || ()) }
    }

    fn is_over(&self, event_loop: &Loop) -> bool {
        event_loop.time() >= self.deadline
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.timer.cancel();
    }
}

impl Drain {
    pub(super) fn begin(event_loop: &Loop) -> Self {
        let core = &event_loop.core;
        let over = core.interrupts.end_at_once();
        let left = if over { Vec::new() } else { core.cancel_all() };
        let grace = core.grace.get().filter(|_| !over).map(|grace| Bound::after(event_loop, grace));
        Self { stage: Stage::Tasks(left), grace, turns_left: None, over }
    }

    /// Whether it is over. If not, the loop has to turn.
    pub(super) fn is_over(&mut self, event_loop: &Loop) -> bool {
        if !self.over && event_loop.core.interrupts.end_at_once() {
            event_loop.core.report(Exception::DrainFailed(RunError::Interrupted));
            self.over = true;
        }
        self.over = self.over || self.is_done(event_loop) || self.is_late(event_loop);
        if self.over {
            self.grace = None;
        }
        self.over
    }

    /// Whether the grace period is over, and there is nothing to do for those who have heard of that in their shields: they
    /// have no time to wait again.
    fn is_late(&mut self, event_loop: &Loop) -> bool {
        let core = &event_loop.core;
        match &mut self.turns_left {
            Some(left) => {
                *left = left.saturating_sub(1);
                *left == 0 || core.ready.is_empty()
            }
            turns_left if self.grace.as_ref().is_some_and(|grace| grace.is_over(event_loop)) => {
                *turns_left = Some(LAST_TURNS);
                !core.lift_shields()
            }
            _ => false,
        }
    }

    fn is_done(&mut self, event_loop: &Loop) -> bool {
        let core = &event_loop.core;
        loop {
            self.stage = match &self.stage {
                Stage::Tasks(left) if left.iter().any(|task| !task.header().is_done()) => return false,
                Stage::Tasks(_) => {
                    core.begin_last_cleanups();
                    Stage::Cleanups
                }
                Stage::Cleanups if core.has_cleanups() => return false,
                Stage::Cleanups => {
                    core.close_jobs();
                    Stage::Jobs
                }
                Stage::Jobs if core.has_jobs() => return false,
                Stage::Jobs => Stage::Sending(Bound::after(event_loop, LINGER)),
                Stage::Sending(bound) if core.unsent() > 0 && !bound.is_over(event_loop) => return false,
                Stage::Sending(_) => {
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

impl Loop {
    /// How long [`run`](EventLoop::run) waits at its end for what its main task left: a soft shutdown. Then what has not
    /// ended is destroyed, and reported as [`PendingDestroyed`](Exception::PendingDestroyed). By default, and with `None`,
    /// it waits as long as it takes.
    ///
    /// What is left is cancelled at once. A cleanup that has to wait, perhaps in a
    /// [shield](crate::scope::CancelScope::shielded), has so long for it. Then shields hold no more, and what is in one is
    /// cancelled: it has a last chance to put things in order, but not to wait for anything.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::scope::CancelScope;
    /// use coro_core::{EventLoop, Loop, native::spawn, time::sleep};
    /// use std::time::Duration;
    ///
    /// let event_loop = Loop::simulated();
    /// event_loop.set_grace(Some(Duration::from_secs(5)));
    /// event_loop.run(async {
    ///     spawn(CancelScope::new().shielded().run(sleep(Duration::from_secs(2)))).detach();
    ///     coro_core::time::yield_now().await;
    /// })?;
    /// // The shield has had its two seconds, and nobody waited for more.
    /// assert_eq!(event_loop.time().as_secs_f64(), 2.0);
    /// # Ok::<(), coro_core::RunError>(())
    /// ```
    pub fn set_grace(&self, grace: Option<Duration>) {
        self.core.grace.set(grace);
    }
}
