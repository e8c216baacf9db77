//! What a loop knows of a task, whatever its body.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use super::arena::Home;
use super::landing::{Landing, Landings};
use super::members::Ended;
use super::{Cancelled, TaskId, TaskInfo};
use crate::event_loop::{Core, CoreNumber, Head, Runnable, Table, Word};
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
    /// What is to be thrown, if it has something to say.
    cancelled: Cancelled,
    /// What it was last asked to end with, if it can be told from others, and by which task.
    asked: Option<(Cancelled, Word)>,
    /// Where a cancellation can land in it.
    landings: Option<Box<Landings>>,
}

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
    pub(super) cancelling: Cell<u16>,
    pub(super) request: Cell<Request>,
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
            request: Cell::new(Request::None),
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

    /// Whether its body waits to be run.
    #[inline(always)]
    pub(super) fn is_waiting(&self) -> bool {
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
        let joiner = self.replace_joiner(None);
        let has = joiner.is_some();
        drop(self.replace_joiner(joiner));
        has
    }

    /// Somebody else waits for its end, or nobody.
    pub(crate) fn set_joiner(&self, joiner: Option<Joiner>) {
        drop(self.waiting.take());
        if joiner.is_some() || self.has_rare() {
            drop(self.replace_joiner(joiner));
        }
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

    /// Whether its body is in a scope with a shield.
    pub(super) fn is_shielded(&self) -> bool {
        self.has_rare() && self.asks_landings(Landings::is_shielded)
    }

    #[cold]
    fn asks_landings(&self, ask: impl FnOnce(&Landings) -> bool) -> bool {
        let rare = self.rare.take();
        let yes = rare.as_ref().and_then(|rare| rare.landings.as_ref()).is_some_and(|landings| ask(landings));
        self.rare.set(rare);
        yes
    }

    /// Looks at where a cancellation can land. Nothing of the user's may run in it.
    pub(super) fn with_landings<T>(&self, look: impl FnOnce(&mut Landings) -> T) -> T {
        let mut rare = self.rare.take().unwrap_or_default();
        let result = look(rare.landings.get_or_insert_default());
        self.rare.set(Some(rare));
        result
    }

    /// What was to be thrown into it, and has a message.
    #[cold]
    pub(super) fn take_cancelled(&self) -> Cancelled {
        let mut rare = self.rare.take();
        let cancelled = rare.as_mut().map(|rare| std::mem::take(&mut rare.cancelled));
        self.rare.set(rare);
        cancelled.unwrap_or_default()
    }

    #[cold]
    pub(super) fn set_cancelled(&self, cancelled: &Cancelled) {
        if !cancelled.is_plain() || self.has_rare() {
            let mut rare = self.rare.take().unwrap_or_default();
            rare.cancelled = cancelled.clone();
            self.rare.set(Some(rare));
        }
    }

    /// It has been asked to end with this, by the task that runs.
    #[cold]
    pub(super) fn note_asked(&self, cancelled: &Cancelled) {
        if !cancelled.is_plain() && !self.was_asked(cancelled) {
            let mut rare = self.rare.take().unwrap_or_default();
            rare.asked = Some((cancelled.clone(), Core::current_word()));
            self.rare.set(Some(rare));
        }
    }

    fn asked<T>(&self, look: impl FnOnce(&(Cancelled, Word)) -> T) -> Option<T> {
        let rare = self.rare.take();
        let result = rare.as_ref().and_then(|rare| rare.asked.as_ref()).map(look);
        self.rare.set(rare);
        result
    }

    /// Whether it was last asked to end with this very one.
    pub(super) fn was_asked(&self, cancelled: &Cancelled) -> bool {
        self.asked(|(asked, _)| asked.is(cancelled)).unwrap_or(false)
    }

    /// Which task has asked it so, if one has.
    pub(super) fn asked_by(&self) -> Word {
        self.asked(|(_, by)| *by).unwrap_or(Word::NOBODY)
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
    pub(crate) fn replace_joiner(&self, joiner: Option<Joiner>) -> Option<Joiner> {
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
