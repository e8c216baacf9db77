//! What a loop knows of a task, whatever its body.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use super::arena::Home;
use super::group::Group;
use super::waker::word_of;
use super::{TaskId, TaskInfo};
use crate::event_loop::{CoreNumber, Head, Word};
use crate::stats::Flavour;

/// Who waits for the end of a task.
pub(crate) enum Joiner {
    /// A task of ours that awaits the handle.
    Task(Word),
    /// Somebody else. Apart, because a header has one of these.
    Other(Box<OtherJoiner>),
}

pub(crate) enum OtherJoiner {
    /// Somebody else's task awaits the handle.
    Waker(Waker),
    /// A gather or an as_completed, in which it has this place.
    Member(Rc<Group>, usize),
    /// A callback of the loop.
    Call(Box<dyn FnOnce()>),
}

impl Joiner {
    pub(crate) fn waker(waker: &Waker) -> Self {
        match word_of(waker) {
            Some(word) => Self::Task(word),
            None => Self::Other(Box::new(OtherJoiner::Waker(waker.clone()))),
        }
    }

    pub(crate) fn member(group: Rc<Group>, index: usize) -> Self {
        Self::Other(Box::new(OtherJoiner::Member(group, index)))
    }

    pub(crate) fn call(function: Box<dyn FnOnce()>) -> Self {
        Self::Other(Box::new(OtherJoiner::Call(function)))
    }
}

/// How far a task got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its body waits for its next turn.
    Waiting,
    /// Its body is being run, or dropped.
    Busy,
    /// Its body is gone, and its result is there.
    Ended,
    /// Its result has been taken.
    Taken,
}

/// In this order it takes 88 bytes.
#[repr(C)]
pub(crate) struct Header {
    head: Head,
    /// Its place, as its wakers name it.
    pub(crate) word: Word,
    id: TaskId,
    spawned_at: &'static Location<'static>,
    joiner: Cell<Option<Joiner>>,
    /// If it was given one.
    name: Cell<Option<Box<Rc<str>>>>,
    /// Its loop.
    pub(crate) core: CoreNumber,
    /// Where its memory came from.
    pub(super) home: Home,
    /// How often it was asked to cancel.
    cancelling: Cell<u16>,
    /// A cancellation waits to be delivered.
    pub(super) must_cancel: Cell<bool>,
    pub(super) stage: Cell<Stage>,
    /// A handle exists that could still read the result.
    handle: Cell<bool>,
    /// An error of it needs no report.
    read: Cell<bool>,
    flavour: Option<Flavour>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Header>() == 88);

/// What a header begins with that the cell does not know.
pub(crate) struct Origin {
    pub(crate) id: TaskId,
    pub(crate) word: Word,
    /// Its loop.
    pub(crate) core: CoreNumber,
    pub(crate) flavour: Option<Flavour>,
    pub(crate) spawned_at: &'static Location<'static>,
}

impl Header {
    #[inline(always)]
    pub(super) fn new(head: Head, home: Home, origin: Origin) -> Self {
        let Origin { id, word, core, flavour, spawned_at } = origin;
        Self {
            head,
            home,
            core,
            word,
            id,
            spawned_at,
            joiner: Cell::new(None),
            name: Cell::new(None),
            cancelling: Cell::new(0),
            must_cancel: Cell::new(false),
            stage: Cell::new(Stage::Waiting),
            handle: Cell::new(true),
            read: Cell::new(false),
            flavour,
        }
    }

    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// Requests a cancellation. False if the task has ended.
    pub(super) fn mark_cancelled(&self) -> bool {
        if self.is_done() {
            return false;
        }
        self.cancelling.set(self.cancelling.get().saturating_add(1));
        self.must_cancel.set(true);
        true
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage.get(), Stage::Ended | Stage::Taken)
    }

    /// Whether its result has been taken.
    pub(super) fn is_taken(&self) -> bool {
        self.stage.get() == Stage::Taken
    }

    pub(crate) fn set_name(&self, name: &str) {
        self.name.set(Some(Box::new(name.into())));
    }

    #[inline(always)]
    pub(crate) fn set_joiner(&self, joiner: Option<Joiner>) {
        // Mostly there is nothing to drop.
        if let Some(Joiner::Other(outdated)) = self.joiner.replace(joiner) {
            drop(outdated);
        }
    }

    pub(crate) fn take_joiner(&self) -> Option<Joiner> {
        self.joiner.take()
    }

    /// Marks the task as one whose error, if it fails, has been seen.
    pub(crate) fn mark_read(&self) {
        self.read.set(true);
    }

    pub(crate) fn drop_handle(&self) {
        self.handle.set(false);
        self.set_joiner(None);
    }

    /// Whether nobody can read its error any more.
    pub(super) fn is_unread(&self) -> bool {
        !self.handle.get() && !self.read.get()
    }

    pub(crate) fn info(&self) -> TaskInfo {
        let given = self.name.take();
        let name = given.as_deref().cloned();
        self.name.set(given);
        TaskInfo {
            id: self.id,
            name: name.unwrap_or_else(|| format!("Task-{}", self.id.0).into()),
            flavour: self.flavour,
            spawned_at: self.spawned_at,
            cancelling: self.cancelling.get().into(),
            done: self.is_done(),
        }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(f)
    }
}
