//! What tasks wait for, as the leaves tell a loop that wants to know.
//!
//! A loop does not keep it: to say it at each wait would cost every program for the few that hang. Whoever looks finds most
//! of it ([`awaited`](super::awaited)). A loop that is watched by a simulation is told each time. One that has stalled asks: it wakes everybody once for nothing, which every body
//! tolerates, and each leaf that waits again says so.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use super::core::Core;
use super::word::Word;
use super::{Stalled, Stuck, current};
use crate::task::TaskId;
use crate::time::Time;

/// What a task waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// A time of the loop's clock.
    Until(Time),
    /// An object between tasks.
    For {
        /// What it wants of it: `lock`, `get`.
        what: Wanted,
        /// Which one, counted as they are first waited for.
        object: u32,
        /// The task that took it, or one of those that did.
        held_by: Option<TaskId>,
    },
    /// The end of a task.
    End(TaskId),
    /// The end of one of several tasks.
    Group,
    /// The ends of all children of a group that have not ended.
    Children(Vec<TaskId>),
    /// The network.
    Io(&'static str),
    /// A function that blocks, beside the loop: a job, counted as they are begun on this loop.
    Job(u32),
}

/// How many children of a group are called by their names.
const NAMED: usize = 5;

/// What is wanted of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// A lock.
    Lock,
    /// That an event is set.
    Event,
    /// An item of a queue.
    Get,
    /// Room in a queue.
    Put,
    /// That a queue's work is done.
    Done,
    /// A value from the other end of a oneshot.
    Value,
    /// That the other end of a oneshot is gone.
    Closed,
    /// A permit of a semaphore.
    Permit,
    /// A token of a capacity limiter.
    Token,
    /// To be notified by a condition.
    Notification,
    /// That a barrier is full.
    Barrier,
    /// To read what a lock for readers and writers guards.
    Read,
    /// To write it.
    Write,
    /// That a cell's value is there.
    Cell,
    /// An item of a channel.
    Receive,
    /// Room in a channel, or a receiver.
    Send,
    /// Another value of a watch.
    Change,
    /// The next value of a broadcast.
    Broadcast,
    /// The result of a future.
    Result,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lock => "lock",
            Self::Event => "event",
            Self::Get => "an item of queue",
            Self::Put => "room in queue",
            Self::Done => "the work of queue",
            Self::Value => "the value of oneshot",
            Self::Closed => "the other end of oneshot",
            Self::Permit => "a permit of semaphore",
            Self::Token => "a token of limiter",
            Self::Notification => "condition",
            Self::Barrier => "barrier",
            Self::Read => "reading lock",
            Self::Write => "writing lock",
            Self::Cell => "the value of cell",
            Self::Receive => "an item of channel",
            Self::Send => "room in channel",
            Self::Change => "a change of watch",
            Self::Broadcast => "an item of broadcast",
            Self::Result => "the result of future",
        })
    }
}

impl Waiting {
    /// The task without which it goes on for ever. Of several, the first.
    pub fn depends_on(&self) -> Option<TaskId> {
        self.needs().first().copied()
    }

    /// The tasks of which each is needed.
    pub(super) fn needs(&self) -> &[TaskId] {
        match self {
            Self::End(task) | Self::For { held_by: Some(task), .. } => std::slice::from_ref(task),
            Self::Children(children) => children,
            _ => &[],
        }
    }

    /// In words, with tasks by their names.
    pub fn describe(&self, name: impl Fn(TaskId) -> String) -> String {
        match self {
            Self::Until(time) => format!("until {time}"),
            Self::For { what, object, held_by: Some(holder) } => {
                format!("for {what} {object}, taken by {}", name(*holder))
            }
            Self::For { what, object, held_by: None } => format!("for {what} {object}"),
            Self::End(task) => format!("for the end of {}", name(*task)),
            Self::Group => "for the next of several tasks".to_string(),
            Self::Children(children) => {
                let named =
                    children.iter().take(NAMED).map(|child| name(*child)).collect::<Vec<_>>().join(", ");
                match children.len().saturating_sub(NAMED) {
                    0 => format!("for the children of a group: {named}"),
                    more => format!("for the children of a group: {named}, and {more} more"),
                }
            }
            Self::Io(what) => format!("for {what}"),
            Self::Job(number) => format!("for job {number}"),
        }
    }
}

/// What reports call an object: its number, which it gets when it is first waited for.
#[derive(Debug, Default)]
pub(crate) struct ObjectName(Cell<u32>);

impl ObjectName {
    /// Says that the present task waits for this, if somebody wants to know.
    #[inline(always)]
    pub(crate) fn note_wait(&self, what: Wanted, holder: impl FnOnce() -> Word) {
        Core::note_wait(|core| Waiting::For {
            what,
            object: self.number(core),
            held_by: core.task_of(holder()),
        });
    }

    /// The number, given now if it has none.
    pub(crate) fn number(&self, core: &Core) -> u32 {
        if self.0.get() == 0 {
            self.0.set(core.number_object());
        }
        self.0.get()
    }
}

/// What is known of who waits for what.
#[derive(Debug, Default)]
pub(super) struct Waits {
    of: BTreeMap<TaskId, Vec<Waiting>>,
    objects: u32,
}

impl Core {
    /// Says what the present task waits for, if somebody wants to know.
    #[inline(always)]
    pub(crate) fn note_wait(what: impl FnOnce(&Self) -> Waiting) {
        Self::on_current(|core| core.note_own_wait(what));
    }

    /// [`note_wait`](Self::note_wait), on this loop.
    #[inline(always)]
    pub(super) fn note_own_wait(&self, what: impl FnOnce(&Self) -> Waiting) {
        if self.observed.get() {
            self.keep_wait(what(self));
        }
    }

    #[cold]
    fn keep_wait(&self, what: Waiting) {
        let word = self.running_word();
        if let Some(task) = self.task_of(word) {
            self.waits.borrow_mut().of.entry(task).or_default().push(what);
        }
    }

    /// The task that runs, on whatever loop.
    pub(crate) fn current_task_id() -> Option<TaskId> {
        current::with_current(|core| core.task_of(core.running_word())).flatten()
    }

    /// The task that has a word now.
    pub(super) fn task_of(&self, word: Word) -> Option<TaskId> {
        let tasks = self.tasks.borrow();
        tasks
            .get(word.slot())
            .map(|task| task.header())
            .filter(|task| task.word() == word)
            .map(|task| task.id())
    }

    /// The number of an object that has none yet.
    fn number_object(&self) -> u32 {
        let mut waits = self.waits.borrow_mut();
        waits.objects += 1;
        waits.objects
    }

    /// Takes what a task said when it last waited.
    pub(super) fn take_waits(&self, task: TaskId) -> Vec<Waiting> {
        self.waits.borrow_mut().of.remove(&task).unwrap_or_default()
    }

    /// What a task said when it last waited, if somebody wanted to know.
    pub(crate) fn waits_of(&self, task: TaskId) -> Vec<Waiting> {
        self.waits.borrow().of.get(&task).cloned().unwrap_or_default()
    }

    /// Asks everybody what they wait for. False if they have been asked.
    pub(super) fn ask_who_waits(&self) -> bool {
        if self.observed.replace(true) {
            return false;
        }
        for task in self.tasks.borrow().all() {
            self.schedule(&task);
        }
        true
    }

    /// Who waits, and for what, as far as they were asked.
    pub(super) fn stalled(&self) -> Stalled {
        self.observed.set(false);
        let stuck = |task: super::TaskInfo| Stuck { waits_for: self.take_waits(task.id), task };
        Stalled { waiting: self.all_tasks().into_iter().map(stuck).collect() }
    }
}
