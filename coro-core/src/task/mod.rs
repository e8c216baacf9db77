//! Tasks: coroutines that yield nothing and are driven by a loop, all flavours alike.

pub(crate) mod arena;
mod as_completed;
mod awaited;
mod backtrace;
mod body;
mod builder;
mod cancelled;
mod canceller;
mod cancelling;
mod cell;
mod circle;
mod ensure;
mod error;
mod future;
mod gather;
mod header;
mod info;
mod interrupted;
mod into_task;
mod join;
mod landing;
mod members;
mod prepared;
mod race;
mod remote;
mod shared_error;
mod wait;
mod waker;

use std::fmt;

pub use as_completed::{AsCompleted, Completed, Next, as_completed};
pub use awaited::Awaited;
pub use backtrace::Backtrace;
pub use body::{Stepwise, TaskBody};
pub use builder::Builder;
pub use cancelled::Cancelled;
pub use canceller::{Canceller, current};
pub use ensure::{EnsureFuture, ensure_future};
pub use error::{OtherError, Panic, TaskError};
pub use future::{AnyFuture, DoneCallback, Future, InvalidState, SetRefused, SetResultError};
pub use gather::{Gather, GatherAll, gather};
pub use info::TaskInfo;
pub use into_task::{CoroutineTask, IntoTask, TaskCoroutine, from_coroutine};
pub use join::JoinHandle;
pub use landing::Landing;
pub(crate) use landing::{Kind, Outside, thrown_as};
pub(crate) use members::Members;
pub use prepared::Prepared;
pub use race::{Winner, race, staggered_race};
pub use remote::{RemoteFuture, Wrapped};
pub use shared_error::SharedError;
pub use wait::{ReturnWhen, Wait, wait};

pub(crate) use cell::{Methods, TaskPlace, TaskRef};
pub(crate) use header::{Header, Joiner, Origin};
use info::Label;
pub(crate) use waker::{call, copied, plain_word_of, wake, word_of};
use waker::{cloned, with_attentive, with_waker_of};

use crate::coroutine::Thrown;

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
