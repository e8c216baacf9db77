//! What a loop knows of a task, whatever its body.

mod rare;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use self::rare::Rare;
use super::arena::Home;
use super::landing::{Landing, Landings};
use super::members::Ended;
use super::{Cancelled, Label, TaskError, TaskId, TaskInfo, word_of};
use crate::event_loop::{Callback, CoreNumber, Head, Runnable, Table, Word};
use crate::stats::Flavour;

/// Who waits for the end of a task, if it is not a task of its loop.
pub(crate) enum Joiner {
    /// Somebody awaits the handle, perhaps in a future of theirs that wakes its parts itself, or in a landing.
    Waker(Waker, Landing),
    /// The same. They were asked to end with this, and this task was asked in their place.
    Cancels(Waker, Landing, Cancelled),
    /// One who waits for several tasks, of which it has this number.
    Member(Rc<Ended>, usize),
    /// A callback of the loop.
    Call(Callback),
}

/// A handle exists that could still read the result.
const HANDLE: u8 = 1;
/// An error of it needs no report.
const READ: u8 = 2;
/// It has ended with an error.
const FAILED: u8 = 4;
/// It has ended cancelled, which is an error.
const CANCELLED: u8 = 8;

/// Whether a cancellation waits to be thrown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    None,
    /// For a scope that its body is in: at its next wait, unless that has been left.
    Scope,
    /// It was not waiting: at its next wait, unless it is withdrawn.
    Asked,
    /// It waits where somebody may hear it.
    Sought,
    /// Its wait is over, and the body is thrown at.
    Certain,
}

/// How far a task got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its body waits for its next turn.
    Waiting,
    /// Its body waits, and is to be run in this step, which has begun.
    Begun,
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
    pub(super) rare: Cell<Option<Box<Rare>>>,
    /// Its loop.
    pub(crate) core: CoreNumber,
    /// Where its memory came from.
    pub(super) home: Home,
    /// How often it was asked to cancel.
    pub(super) cancelling: Cell<u16>,
    pub(super) request: Cell<Request>,
    pub(super) stage: Cell<Stage>,
    /// Some of [`HANDLE`], [`READ`], [`FAILED`] and [`CANCELLED`].
    marks: Cell<u8>,
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
            request: Cell::new(Request::None),
            stage: Cell::new(Stage::Waiting),
            marks: Cell::new(HANDLE),
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

    /// Whether its body waits to be run.
    #[inline(always)]
    pub(crate) fn is_waiting(&self) -> bool {
        self.stage.get() == Stage::Waiting
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage.get(), Stage::Ended | Stage::Taken)
    }

    /// Whether its wait is over because it is cancelled, though it has not run yet.
    #[inline(always)]
    pub(crate) fn is_cut_off(&self) -> bool {
        self.request.get() == Request::Certain
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

    /// Its result will be this error.
    #[cold]
    pub(super) fn note_failed(&self, error: &TaskError) {
        let mark = if error.is_cancelled() { FAILED | CANCELLED } else { FAILED };
        self.marks.set(self.marks.get() & !CANCELLED | mark);
    }

    /// Whether it has ended cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_done() && self.marks.get() & CANCELLED != 0
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
        self.with_own_rare(|rare| rare.name = Some(name.into()));
    }

    /// The task that is being run, on the loop of this one, waits for its end. Gives that back if it has to be noted
    /// otherwise.
    #[inline(always)]
    pub(crate) fn set_waiting(&self, waiting: Runnable) -> bool {
        if self.has_rare() && self.has_joiner() {
            return false;
        }
        drop(self.waiting.replace(Some(waiting)));
        true
    }

    #[cold]
    fn has_joiner(&self) -> bool {
        self.with_rare(|rare| rare.joiner.is_some()) == Some(true)
    }

    /// Somebody else waits for its end, or nobody.
    pub(crate) fn set_joiner(&self, joiner: Option<Joiner>) {
        drop(self.waiting.take());
        if joiner.is_some() || self.has_rare() {
            drop(self.replace_joiner(joiner));
        }
    }

    /// Tells of each task that waits for its end, and whether for that of others too.
    pub(crate) fn each_waiter(&self, mut tell: impl FnMut(Word, bool)) {
        let waiting = self.waiting.take();
        waiting.iter().for_each(|waiting| tell(waiting.word(), false));
        self.waiting.set(waiting);
        self.with_rare(|rare| match &rare.joiner {
            Some(Joiner::Waker(waker, _) | Joiner::Cancels(waker, ..)) => {
                word_of(waker).into_iter().for_each(|word| tell(word, false));
            }
            Some(Joiner::Member(group, _)) => group.each_waiter(|word| tell(word, true)),
            Some(Joiner::Call(_)) | None => {}
        });
    }

    /// Whether the loop is to tell this one of its end, directly.
    pub(crate) fn is_awaited_by(&self, task: &Runnable) -> bool {
        let waiting = self.waiting.take();
        let is = waiting.as_ref().is_some_and(|waiting| waiting.is(task));
        self.waiting.set(waiting);
        is
    }

    /// Whether a cancellation may be heard in it.
    #[inline(always)]
    pub(super) fn can_hear(&self) -> bool {
        self.has_rare() && self.asks_landings(Landings::can_hear)
    }

    /// Whether its body has entered a scope.
    pub(super) fn has_scopes(&self) -> bool {
        self.has_rare() && self.asks_landings(Landings::has_scopes)
    }

    #[cold]
    pub(super) fn asks_landings(&self, ask: impl FnOnce(&Landings) -> bool) -> bool {
        self.with_rare(|rare| rare.landings.as_deref().is_some_and(ask)) == Some(true)
    }

    /// What was to be thrown into it, and has a message.
    #[cold]
    pub(super) fn take_cancelled(&self) -> Cancelled {
        self.with_rare(|rare| std::mem::take(&mut rare.cancelled)).unwrap_or_default()
    }

    #[cold]
    pub(super) fn set_cancelled(&self, cancelled: &Cancelled) {
        if !cancelled.is_plain() || self.has_rare() {
            self.with_own_rare(|rare| rare.cancelled = cancelled.clone());
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
    pub(crate) fn has_rare(&self) -> bool {
        let rare = self.rare.take();
        let has = rare.is_some();
        self.rare.set(rare);
        has
    }

    #[cold]
    pub(crate) fn replace_joiner(&self, joiner: Option<Joiner>) -> Option<Joiner> {
        if joiner.is_none() {
            return self.with_rare(|rare| rare.joiner.take()).flatten();
        }
        self.with_own_rare(|rare| std::mem::replace(&mut rare.joiner, joiner))
    }

    /// Marks the task as one whose error, if it fails, has been seen.
    pub(crate) fn mark_read(&self) {
        self.marks.set(self.marks.get() | READ);
    }

    pub(crate) fn drop_handle(&self) {
        self.marks.set(self.marks.get() & !HANDLE);
        self.set_joiner(None);
    }

    /// Whether somebody may still take its result.
    #[inline(always)]
    pub(crate) fn has_handle(&self) -> bool {
        self.marks.get() & HANDLE != 0
    }

    /// Whether nobody can read its error any more.
    pub(super) fn is_unread(&self) -> bool {
        self.marks.get() & (HANDLE | READ) == 0
    }

    /// What it looks like, with what its body is called if that cannot be asked any more, nor was before.
    pub(super) fn info(&self, label: Label) -> TaskInfo {
        let (name, known) = self.with_rare(|rare| (rare.name.clone(), rare.label)).unwrap_or_default();
        let marks = self.marks.get();
        TaskInfo {
            id: self.id,
            name: name.unwrap_or_else(|| format!("Task-{}", self.id.0).into()),
            flavour: self.flavour,
            function: known.unwrap_or(label).function,
            defined_at: known.unwrap_or(label).defined_at,
            spawned_at: self.spawned_at,
            cancelling: self.cancelling.get().into(),
            done: self.is_done(),
            waits_for: Vec::new(),
            waits: String::new(),
            failed: self.is_done() && marks & FAILED != 0,
            cancelled: self.is_cancelled(),
        }
    }

    /// What its body is called, and that this is kept.
    pub(super) fn set_label(&self, label: Label) {
        self.with_own_rare(|rare| rare.label = Some(label));
    }

    pub(super) fn has_label(&self) -> bool {
        self.with_rare(|rare| rare.label.is_some()) == Some(true)
    }
}
