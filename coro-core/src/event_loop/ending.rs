//! How a loop ends.

use std::rc::Rc;

use super::Exception;
use super::core::Core;
use super::ready::{Callback, Ready};
use super::timer::Action;
use crate::task::AnyTask;

impl Core {
    /// Asks every task that is left to end, and gives them.
    pub(super) fn cancel_all(&self) -> Vec<Rc<dyn AnyTask>> {
        let tasks: Vec<_> = self.tasks.borrow().iter().map(|(_, task)| Rc::clone(task)).collect();
        for task in &tasks {
            task.header().cancel();
        }
        tasks
    }

    /// Drops everything. Tasks in the reverse order of spawning, each reported.
    pub(super) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        for (_, function) in self.inbox.close() {
            self.drop_callback(&Callback::new(function));
        }
        let mut tasks: Vec<_> = std::mem::take(&mut *self.tasks.borrow_mut()).into_iter().collect();
        tasks.sort_by_key(|(_, task)| std::cmp::Reverse(task.header().id));
        for (_, task) in tasks {
            self.report(Exception::PendingDestroyed(task.header().info()));
            self.destroy(&*task);
            self.release(task);
        }
        let timers = self.timers.borrow_mut().clear();
        for action in timers {
            if let Action::Call(callback) = action {
                self.drop_callback(&callback);
            }
        }
        let ready = self.ready.borrow_mut().take();
        for entry in ready {
            if let Ready::Call(callback) = entry {
                self.drop_callback(&callback);
            }
        }
    }
}
