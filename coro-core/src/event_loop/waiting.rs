//! What tasks wait for, as the leaves tell a loop that wants to know.
//!
//! A loop does not keep it: to say it at each wait would cost every program for the few that hang. Whoever looks finds most
//! of it ([`awaited`](super::awaited)). A loop that is watched by a simulation is told each time. One that has stalled asks: it wakes everybody once for nothing, which every body
//! tolerates, and each leaf that waits again says so.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::slice;

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
    /// The end of all of these, the children of a group.
    Children(Vec<TaskId>),
    /// The result of a [future](crate::task::Future).
    Result {
        /// Which one, counted with the objects.
        future: u32,
        /// Where it was made.
        made_at: &'static Location<'static>,
    },
    /// The network.
    Io(&'static str),
    /// A function that blocks, beside the loop: a job, counted as they are begun on this loop.
    Job(u32),
    /// Something that the loop does not see: a future of another library, or one that is awaited through the waker of
    /// another library, as in a `FuturesUnordered`. Where it is only looked, a oneshot too.
    Unseen,
}

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
        })
    }
}

impl Waiting {
    /// The tasks without each of which it goes on for ever.
    pub fn depends_on(&self) -> &[TaskId] {
        match self {
            Self::End(task) => slice::from_ref(task),
            Self::For { held_by, .. } => held_by.as_slice(),
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
            Self::Children(children) => describe_children(children, name),
            Self::Result { future, made_at } => {
                format!("for the result of future {future}, made at {}:{}", made_at.file(), made_at.line())
            }
            Self::Io(what) => format!("for {what}"),
            Self::Job(number) => format!("for job {number}"),
            Self::Unseen => "for something unseen, perhaps through another's waker".to_string(),
        }
    }
}

/// How many children are named.
const NAMED: usize = 5;

fn describe_children(children: &[TaskId], name: impl Fn(TaskId) -> String) -> String {
    let named: Vec<_> = children.iter().take(NAMED).map(|child| name(*child)).collect();
    let more = children.len() - named.len();
    match (&named[..], more) {
        ([only], 0) => format!("for its child {only}"),
        (_, 0) => format!("for its children {}", named.join(", ")),
        _ => format!("for its children {} and {more} more", named.join(", ")),
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

    /// Whether it has a number.
    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        self.0.get() != 0
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
    pub(crate) fn task_of(&self, word: Word) -> Option<TaskId> {
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
        let stuck = |task: super::TaskInfo| {
            let mut waits_for = self.take_waits(task.id);
            if waits_for.is_empty() {
                waits_for.push(Waiting::Unseen);
            }
            Stuck { waits_for, task }
        };
        Stalled { waiting: self.all_tasks().into_iter().map(stuck).collect() }
    }
}
