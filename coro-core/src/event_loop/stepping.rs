//! A loop run one step at a time, in an order that somebody else chooses: a simulation.
//!
//! What is ready leaves the queue for whoever chooses, and stays marked as queued: a wake meanwhile changes nothing.

use std::panic::Location;
use std::rc::Rc;

use super::core::Core;
use super::current;
use super::runnable::Runnable;
use super::{RunError, Stalled, Waiting};
use crate::driver::Wait;
use crate::task::{IntoTask, JoinHandle, TaskId, TaskInfo, TaskRef};
use crate::time::Time;

/// Something that is ready, out of its queue.
#[derive(Debug)]
pub(crate) struct Ready {
    runnable: Runnable,
    pub(crate) cause: Cause,
}

/// Why something is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It was there when the loop began.
    Begun,
    Spawned(TaskId),
    Woken(TaskId),
    /// It let the others run.
    Itself,
    /// By a callback.
    Called,
    /// By the end of a job.
    Job(u32),
    Timer,
    Io,
    /// By a task of another host.
    Elsewhere,
    /// By nobody: a spurious wake.
    Nothing,
}

/// What came of a step.
#[derive(Debug)]
pub(crate) enum After {
    Ended,
    Waits(Vec<Waiting>),
}

impl Ready {
    /// The task, if it is no callback.
    pub(crate) fn task(&self) -> Option<TaskId> {
        TaskRef::of(&self.runnable).map(|task| task.header().id())
    }

    pub(crate) fn info(&self) -> Option<TaskInfo> {
        TaskRef::of(&self.runnable).map(|task| task.info())
    }

    /// Lets go of it: its loop is to be closed.
    pub(crate) fn discard(self, core: &Core) {
        self.runnable.discard(core);
    }
}

impl Core {
    /// From now on the leaves say what they wait for.
    pub(crate) fn watch(&self) {
        self.observed.set(true);
    }

    /// Takes what is ready, with what has arrived and come due. Says how much of it came through the record: from other
    /// loops, and other threads.
    pub(crate) fn gather(self: &Rc<Self>, ready: &mut Vec<Ready>) -> Result<u64, RunError> {
        let _entered = current::enter(self)?;
        self.take_ready(ready, |_| Cause::Begun);
        let before = self.tally.remote_wakes.get();
        self.receive();
        let received = self.tally.remote_wakes.get() - before;
        self.take_ready(ready, |_| Cause::Elsewhere);
        let mut completions = Vec::new();
        self.driver.borrow_mut().wait(Wait::Poll, &mut completions)?;
        for completion in completions {
            self.complete(completion)?;
        }
        self.take_ready(ready, |_| Cause::Io);
        self.now.set(self.time());
        self.process();
        self.take_ready(ready, |_| Cause::Timer);
        Ok(received)
    }

    /// Whether [`gather`](Self::gather) would find anything, as the clock stands.
    pub(crate) fn has_news(&self, now: Time) -> bool {
        !self.ready.is_empty()
            || !self.lease.record().is_quiet()
            || self.next_deadline().is_some_and(|deadline| deadline <= now)
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.timers.borrow_mut().next_deadline()
    }

    /// Runs one, and takes what it made ready.
    pub(crate) fn step(self: &Rc<Self>, step: Ready, ready: &mut Vec<Ready>) -> Result<After, RunError> {
        let _entered = current::enter(self)?;
        let (before, task) = (self.last_task.get(), TaskRef::of(&step.runnable).cloned());
        let id = task.as_ref().map(|task| task.header().id());
        drop(id.map(|id| self.take_waits(id)));
        self.jobs.called().set(None);
        self.run_step(&step.runnable);
        self.note_turn(1);
        let job = self.called_job();
        self.take_ready(ready, |woken| match (id, woken) {
            (Some(id), Some(woken)) if woken == id => Cause::Itself,
            (Some(id), Some(woken)) if woken > TaskId::new(before) => Cause::Spawned(id),
            (Some(id), _) => Cause::Woken(id),
            (None, _) => job.map_or(Cause::Called, Cause::Job),
        });
        Ok(match task {
            Some(task) if !task.header().is_done() => After::Waits(self.waits_of(task.header().id())),
            _ => After::Ended,
        })
    }

    /// The number of the job that the last step called.
    pub(crate) fn called_job(&self) -> Option<u32> {
        self.jobs.called().get()
    }

    /// Whether somebody has waited for what a thread does.
    pub(crate) fn took_threads(&self) -> bool {
        self.jobs.took_threads()
    }

    /// Wakes one of those who wait, for nothing.
    pub(crate) fn wake_for_nothing(&self, which: usize, ready: &mut Vec<Ready>) {
        if let Some(task) = self.tasks.borrow().all().get(which) {
            self.schedule(task);
        }
        self.take_ready(ready, |_| Cause::Nothing);
    }

    pub(crate) fn count_tasks(&self) -> usize {
        self.tasks.borrow().all().len()
    }

    /// Does `work` as a callback of this loop would, and takes what it made ready.
    pub(crate) fn as_current(self: &Rc<Self>, work: impl FnOnce(), ready: &mut Vec<Ready>) {
        let _entered = current::enter(self);
        work();
        self.take_ready(ready, |_| Cause::Called);
    }

    /// Begins a task that was spawned at this place, by whoever runs the simulation.
    pub(crate) fn spawn_at<T>(&self, task: T, place: &'static Location<'static>) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        self.spawn(task, place)
    }

    /// Asks every task that is left to end.
    pub(crate) fn end_all(&self) {
        drop(self.cancel_all());
    }

    /// Closes the loop as the current one, as a run does at its end: destructors may still use it.
    pub(crate) fn close_as_current(self: &Rc<Self>) {
        let _entered = current::enter(self);
        self.close();
    }

    /// Who waits, and for what they said that they do.
    ///
    /// They are asked again, as by a loop that has stalled: who had a lock when they last waited may not have it now.
    pub(crate) fn who_waits(self: &Rc<Self>) -> Stalled {
        self.watch();
        let mut asked = Vec::new();
        for which in 0..self.count_tasks() {
            self.wake_for_nothing(which, &mut asked);
        }
        let mut woken = Vec::new();
        for ready in asked {
            // If it cannot be asked, it has said all that it will.
            let _ = self.step(ready, &mut woken);
        }
        for ready in woken {
            ready.discard(self);
        }
        self.stalled()
    }

    fn take_ready(&self, ready: &mut Vec<Ready>, cause: impl Fn(Option<TaskId>) -> Cause) {
        while let Some(runnable) = self.ready.take_marked() {
            let task = TaskRef::of(&runnable).map(|task| task.header().id());
            ready.push(Ready { runnable, cause: cause(task) });
        }
    }
}
