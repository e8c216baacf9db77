//! How a loop ends.

use super::Exception;
use super::callback::Callback;
use super::core::Core;
use super::current;
use super::timer::Action;
use crate::task::{Cancelled, TaskRef};

impl Core {
    /// Asks every task that is left to end, and gives them.
    pub(super) fn cancel_all(&self) -> Vec<TaskRef> {
        let tasks = self.tasks.borrow().all();
        for task in &tasks {
            task.cancel(&Cancelled::new());
        }
        tasks
    }

    /// From now on no shield keeps out what a task is asked to end with. Asks those that are in one to end. False if there
    /// are none.
    pub(super) fn lift_shields(&self) -> bool {
        self.lifted_shields.set(true);
        let (tasks, cancelled) =
            (self.tasks.borrow().all(), Cancelled::because(Some("the grace period is over"), None));
        tasks.iter().filter(|task| task.lift_shields(&cancelled)).count() > 0
    }

    /// Whether that has been done, on the loop that runs on this thread.
    pub(crate) fn has_lifted_shields() -> bool {
        current::with_current(|core| core.lifted_shields.get()) == Some(true)
    }

    /// Drops everything. Tasks in the reverse order of spawning, each reported.
    pub(super) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        for (_, scheduled_at, function) in self.inbox.close() {
            self.drop_callback(&Callback::new_for(function, scheduled_at));
        }
        let tasks = self.tasks.take().all();
        for task in tasks.into_iter().rev() {
            self.report(Exception::PendingDestroyed(task.info()));
            self.destroy(&task);
        }
        let timers = self.timers.borrow_mut().clear();
        for action in timers {
            if let Action::Call(callback) = action {
                self.drop_callback(&callback);
            }
        }
        while let Some(ready) = self.ready.pop() {
            ready.discard(self);
        }
        self.end_jobs();
    }
}
