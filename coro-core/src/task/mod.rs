//! Tasks: coroutines that yield nothing and are driven by a loop, all flavours alike.

mod arena;
mod as_completed;
mod backtrace;
mod body;
mod cancelled;
mod canceller;
mod cancelling;
mod cell;
mod error;
mod gather;
mod header;
mod interrupted;
mod into_task;
mod join;
mod landing;
mod members;
mod prepared;
mod race;
mod wait;
mod waker;

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

pub use as_completed::{AsCompleted, Completed, Next, as_completed};
pub use backtrace::Backtrace;
pub use body::{Stepwise, TaskBody};
pub use cancelled::Cancelled;
pub use canceller::{Canceller, current};
pub use error::{OtherError, Panic, TaskError};
pub use gather::{Gather, GatherAll, gather};
pub use into_task::{CoroutineTask, IntoTask, TaskCoroutine, from_coroutine};
pub use join::JoinHandle;
pub use landing::Landing;
pub(crate) use landing::{Kind, thrown_as};
pub(crate) use members::Members;
pub use prepared::Prepared;
pub use race::{Winner, race, staggered_race};
pub use wait::{ReturnWhen, Wait, wait};

pub(crate) use cell::{Methods, TaskPlace, TaskRef};
pub(crate) use header::{Header, Joiner, Origin};
pub(crate) use waker::{call, copied, plain_word_of, word_of};
use waker::{with_attentive, with_waker_of};

use crate::coroutine::Thrown;
use crate::stats::Flavour;

/// What the body of a generator or fiber task returns: its result, or what was thrown into it.
pub type TaskResult<T> = Result<T, Thrown<TaskError>>;

/// Names a task of one loop. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(u64);

impl TaskId {
    pub(crate) fn new(sequence: u64) -> Self {
        Self(sequence)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    /// As a task is called that was given no name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task-{}", self.0)
    }
}

/// What a task looks like from outside.
#[derive(Clone)]
pub struct TaskInfo {
    /// Its identity.
    pub id: TaskId,
    /// Its name: `Task-1`, `Task-2`, … in the order of spawning, unless it was given another.
    pub name: Rc<str>,
    /// The engine that suspends it; `None` for a coroutine written by hand.
    pub flavour: Option<Flavour>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// How many cancellations were requested.
    pub cancelling: u32,
    /// Whether it has ended.
    pub done: bool,
}

impl fmt::Debug for TaskInfo {
    /// `<Task pending name='Task-2' generator spawned at examples/src/main.rs:12>`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.done, self.cancelling) {
            (true, _) => "finished",
            (false, 0) => "pending",
            (false, _) => "cancelling",
        };
        write!(f, "<Task {state} name='{}'", self.name)?;
        if let Some(flavour) = self.flavour {
            write!(f, " {flavour}")?;
        }
        write!(f, " spawned at {}:{}>", self.spawned_at.file(), self.spawned_at.line())
    }
}
