//! What a loop tells of itself: who is there, and what nobody else can be told of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::core::Core;
use super::{Exception, ExceptionHandler};
use crate::task::{Backtrace, Panic, TaskInfo, TaskRef};

/// Looking.
impl Core {
    pub(super) fn current_task(&self) -> Option<TaskInfo> {
        let word = self.running_word();
        let task = self.tasks.borrow().get(word.slot()).cloned();
        task.map(|task| task.info())
    }

    /// In the order of spawning.
    pub(super) fn all_tasks(&self) -> Vec<TaskInfo> {
        let tasks = self.tasks.borrow().all();
        tasks.iter().map(TaskRef::info).collect()
    }

    /// In the order of spawning.
    pub(super) fn all_backtraces(&self) -> Vec<Backtrace> {
        // A coroutine that somebody wrote by hand may do anything meanwhile.
        let tasks = self.tasks.borrow().all();
        tasks.iter().filter_map(TaskRef::backtrace).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn set_exception_handler(&self, handler: Option<ExceptionHandler>) {
        let outdated = self.exception_handler.replace(handler);
        drop(outdated);
    }

    pub(super) fn report(&self, exception: Exception) {
        let handler = self.exception_handler.borrow().clone();
        let Some(handler) = handler else { return print(&exception) };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| handler(&exception))) {
            print(&exception);
            eprintln!("coro: the exception handler panicked on it: {}", Panic::new(payload));
        }
    }
}

/// Tells the exception handler of the loop that runs on this thread; without one, prints on the standard error. For
/// flavours.
pub fn report(exception: Exception) {
    match Core::current() {
        Some(core) => core.report(exception),
        None => print(&exception),
    }
}

pub(super) fn print(exception: &Exception) {
    eprintln!("coro: {exception}");
}
