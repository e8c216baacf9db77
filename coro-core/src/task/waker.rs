//! The waker of a task: names the task, reaches its loop from any thread, and outlives both.

use std::sync::Arc;
use std::task::{Wake, Waker};

use super::TaskId;
use crate::event_loop::{Core, Inbox, LoopId};

struct TaskWaker {
    loop_id: LoopId,
    task: TaskId,
    inbox: Arc<Inbox>,
}

pub(crate) fn task_waker(loop_id: LoopId, task: TaskId, inbox: Arc<Inbox>) -> Waker {
    Waker::from(Arc::new(TaskWaker { loop_id, task, inbox }))
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // On the loop's own thread a wake is a push to its queue; from elsewhere it goes through the inbox.
        if !Core::schedule_on_current(self.loop_id, self.task) {
            self.inbox.wake(self.task);
        }
    }
}
