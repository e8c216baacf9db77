//! What a loop knows of a task, whatever its body.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use super::arena::Home;
use super::group::Group;
use super::{TaskId, TaskInfo};
use crate::event_loop::{CoreNumber, Head, Runnable, Table, Word};
use crate::stats::Flavour;

/// Who waits for the end of a task, if it is not a task of its loop.
pub(crate) enum Joiner {
    /// Somebody else's task awaits the handle.
    Waker(Waker),
    /// A gather or an as_completed, in which it has this place.
    Member(Rc<Group>, usize),
    /// A callback of the loop.
    Call(Box<dyn FnOnce()>),
}

/// A handle exists that could still read the result.
const HANDLE: u8 = 1;
/// An error of it needs no report.
const READ: u8 = 2;

/// What hardly any task has.
#[derive(Default)]
struct Rare {
    name: Option<Rc<str>>,
    joiner: Option<Joiner>,
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

/// In this order it takes 80 bytes.
#[repr(C)]
pub(crate) struct Header {
    head: Head,
    id: TaskId,
    spawned_at: &'static Location<'static>,
    /// The task of its loop that awaits the handle, if it is one.
    waiting: Cell<Option<Runnable>>,
    rare: Cell<Option<Box<Rare>>>,
    /// Its loop.
    pub(crate) core: CoreNumber,
    /// Where its memory came from.
    pub(super) home: Home,
    /// How often it was asked to cancel.
    cancelling: Cell<u16>,
    /// A cancellation waits to be delivered.
    pub(super) must_cancel: Cell<bool>,
    pub(super) stage: Cell<Stage>,
    /// [`HANDLE`], [`READ`], both or none.
    readers: Cell<u8>,
    flavour: Option<Flavour>,
    /// Where its body is, and then its output: so many bytes behind the beginning.
    pub(super) content_at: u16,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Header>() == 80);

/// What a header begins with that the cell does not know.
pub(crate) struct Origin {
    pub(crate) id: TaskId,
    /// Its place, as its wakers name it.
    pub(crate) word: Word,
    /// Its loop.
    pub(crate) core: CoreNumber,
    pub(crate) flavour: Option<Flavour>,
    pub(crate) spawned_at: &'static Location<'static>,
}

impl Header {
    #[inline(always)]
    pub(super) fn new(table: &'static Table, home: Home, content_at: u16, origin: Origin) -> Self {
        let Origin { id, word, core, flavour, spawned_at } = origin;
        Self {
            head: Head::new_queued(table, word),
            id,
            spawned_at,
            waiting: Cell::new(None),
            rare: Cell::new(None),
            core,
            home,
            cancelling: Cell::new(0),
            must_cancel: Cell::new(false),
            stage: Cell::new(Stage::Waiting),
            readers: Cell::new(HANDLE),
            flavour,
            content_at,
        }
    }

    /// Its place, as its wakers name it.
    #[inline(always)]
    pub(crate) fn word(&self) -> Word {
        self.head.word()
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

    /// Whether its body waits to be run.
    #[inline(always)]
    pub(super) fn is_waiting(&self) -> bool {
        self.stage.get() == Stage::Waiting
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage.get(), Stage::Ended | Stage::Taken)
    }

    /// Whether its result has been taken.
    #[inline(always)]
    pub(super) fn is_taken(&self) -> bool {
        self.stage.get() == Stage::Taken
    }

    /// Its result is there. Nobody is to run it any more.
    #[inline(always)]
    pub(super) fn note_ended(&self) {
        self.stage.set(Stage::Ended);
        self.head.retire();
    }

    /// Its result has been taken.
    #[inline(always)]
    pub(super) fn note_taken(&self) {
        self.stage.set(Stage::Taken);
    }

    /// It was run after its end: it had been queued before.
    #[inline(always)]
    pub(super) fn note_late_run(&self) {
        self.head.retire();
    }

    pub(crate) fn set_name(&self, name: &str) {
        let mut rare = self.rare.take().unwrap_or_default();
        rare.name = Some(name.into());
        self.rare.set(Some(rare));
    }

    /// The task that is being run, on the loop of this one, waits for its end.
    #[inline(always)]
    pub(crate) fn set_waiting(&self, waiting: Runnable) {
        drop(self.waiting.replace(Some(waiting)));
        if self.has_rare() {
            self.replace_joiner(None);
        }
    }

    /// Somebody else waits for its end, or nobody.
    pub(crate) fn set_joiner(&self, joiner: Option<Joiner>) {
        drop(self.waiting.take());
        if joiner.is_some() || self.has_rare() {
            self.replace_joiner(joiner);
        }
    }

    /// Whoever is told of its end is told once.
    #[inline(always)]
    pub(crate) fn take_waiting(&self) -> Option<Runnable> {
        self.waiting.take()
    }

    /// As [`take_waiting`](Self::take_waiting). Mostly there is none.
    #[inline(always)]
    pub(crate) fn take_joiner(&self) -> Option<Joiner> {
        if self.has_rare() { self.replace_joiner(None) } else { None }
    }

    /// Whether nothing of it has to be dropped.
    #[inline(always)]
    pub(super) fn is_bare(&self) -> bool {
        let waiting = self.waiting.take();
        let waits = waiting.is_some();
        self.waiting.set(waiting);
        !waits && !self.has_rare()
    }

    #[inline(always)]
    fn has_rare(&self) -> bool {
        let rare = self.rare.take();
        let has = rare.is_some();
        self.rare.set(rare);
        has
    }

    #[cold]
    fn replace_joiner(&self, joiner: Option<Joiner>) -> Option<Joiner> {
        let mut rare = self.rare.take().unwrap_or_default();
        let before = std::mem::replace(&mut rare.joiner, joiner);
        self.rare.set(Some(rare));
        before
    }

    /// Marks the task as one whose error, if it fails, has been seen.
    pub(crate) fn mark_read(&self) {
        self.readers.set(self.readers.get() | READ);
    }

    pub(crate) fn drop_handle(&self) {
        self.readers.set(self.readers.get() & !HANDLE);
        self.set_joiner(None);
    }

    /// Whether somebody may still take its result.
    #[inline(always)]
    pub(crate) fn has_handle(&self) -> bool {
        self.readers.get() & HANDLE != 0
    }

    /// Whether nobody can read its error any more.
    pub(super) fn is_unread(&self) -> bool {
        self.readers.get() == 0
    }

    pub(crate) fn info(&self) -> TaskInfo {
        let rare = self.rare.take();
        let name = rare.as_ref().and_then(|rare| rare.name.clone());
        self.rare.set(rare);
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
