//! The cell of a task: its coroutine, its result, and what the loop knows of it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use super::group::Group;
use super::{Panic, TaskCoroutine, TaskError, TaskId, TaskInfo, task_waker};
use crate::coroutine::{Input, Outcome, Resumed, Thrown};
use crate::event_loop::{Core, Word};
use crate::stats::Flavour;

/// Who waits for the end of a task.
pub(crate) enum Joiner {
    /// The task that awaits the handle.
    Waker(Waker),
    /// A gather or an as_completed, in which it has this place.
    Member(Rc<Group>, usize),
    /// A callback of the loop.
    Call(Box<dyn FnOnce()>),
}

/// What the loop knows of a task.
pub(crate) struct Header {
    pub(crate) id: TaskId,
    pub(crate) core: Weak<Core>,
    /// Its place, as its wakers name it.
    pub(crate) word: Word,
    /// It is in the ready queue. Cleared before it runs, so that a wake while it runs runs it once more.
    pub(crate) queued: Cell<bool>,
    /// If it was given one.
    name: RefCell<Option<Rc<str>>>,
    flavour: Option<Flavour>,
    spawned_at: &'static Location<'static>,
    /// How often it was asked to cancel.
    cancelling: Cell<u32>,
    /// A cancellation waits to be delivered.
    must_cancel: Cell<bool>,
    done: Cell<bool>,
    joiner: RefCell<Option<Joiner>>,
    /// A handle exists that could still read the result.
    handle: Cell<bool>,
    /// An error of it needs no report.
    read: Cell<bool>,
}

impl Header {
    pub(crate) fn new(
        id: TaskId,
        word: Word,
        core: Weak<Core>,
        flavour: Option<Flavour>,
        spawned_at: &'static Location<'static>,
    ) -> Self {
        Self {
            id,
            core,
            word,
            queued: Cell::new(false),
            name: RefCell::new(None),
            flavour,
            spawned_at,
            cancelling: Cell::new(0),
            must_cancel: Cell::new(false),
            done: Cell::new(false),
            joiner: RefCell::new(None),
            handle: Cell::new(true),
            read: Cell::new(false),
        }
    }

    /// Requests a cancellation, to be delivered when the task next runs. False if it has ended.
    pub(crate) fn cancel(&self) -> bool {
        if self.done.get() {
            return false;
        }
        self.cancelling.set(self.cancelling.get().saturating_add(1));
        self.must_cancel.set(true);
        // Whoever has the handle is on the loop's thread: queued in order, whether or not the loop runs.
        if let Some(core) = self.core.upgrade() {
            core.schedule(self);
        }
        true
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done.get()
    }

    pub(crate) fn set_name(&self, name: &str) {
        *self.name.borrow_mut() = Some(name.into());
    }

    pub(crate) fn set_joiner(&self, joiner: Option<Joiner>) {
        let outdated = self.joiner.replace(joiner);
        drop(outdated);
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

    pub(crate) fn info(&self) -> TaskInfo {
        TaskInfo {
            id: self.id,
            name: self.name.borrow().clone().unwrap_or_else(|| format!("Task-{}", self.id.0).into()),
            flavour: self.flavour,
            spawned_at: self.spawned_at,
            cancelling: self.cancelling.get(),
            done: self.done.get(),
        }
    }
}

/// A task, whatever its coroutine: what the loop handles.
pub(crate) trait AnyTask {
    fn header(&self) -> &Header;

    /// Runs the task to its next suspension. True when it has ended; its result is in the cell then.
    fn resume(&self) -> bool;

    /// Ends the task without running it: its loop is closed. Gives the panic of a destructor, if one did.
    fn destroy(&self) -> Option<Panic>;

    /// If the result is an error that nobody can read any more, takes it, to be reported.
    fn take_unread_error(&self) -> Option<TaskError>;
}

/// A task, by its result: what a handle holds.
pub(crate) trait Joinable<T>: AnyTask {
    fn take_output(&self) -> Option<Result<T, TaskError>>;
}

pub(crate) struct TaskCell<C: TaskCoroutine> {
    header: Header,
    coroutine: RefCell<Option<C>>,
    output: RefCell<Option<Result<C::Return, TaskError>>>,
}

impl<C: TaskCoroutine> TaskCell<C> {
    pub(crate) fn new(header: Header, coroutine: C) -> Self {
        Self { header, coroutine: RefCell::new(Some(coroutine)), output: RefCell::new(None) }
    }

    fn poll(&self) -> Poll<Resumed<C>> {
        let input = self.header.must_cancel.take().then(|| Input::Throw(Thrown::Error(TaskError::Cancelled)));
        let waker = task_waker(self.header.word);
        let mut cx = Context::from_waker(&waker);
        match &mut *self.coroutine.borrow_mut() {
            Some(coroutine) => coroutine.poll_resume(&mut cx, input),
            None => Poll::Pending,
        }
    }

    /// A return does not outrun a cancellation that was requested before it: the value is lost.
    fn result(&self, resumed: Resumed<C>) -> Result<C::Return, TaskError> {
        match resumed {
            Ok(Outcome::Returned(_)) if self.header.must_cancel.get() => Err(TaskError::Cancelled),
            Ok(Outcome::Returned(value)) => Ok(value),
            Ok(Outcome::Raised(thrown)) => Err(thrown.into()),
            Ok(Outcome::Closed) => Err(TaskError::Cancelled),
            Ok(Outcome::Yielded(never)) => match never {},
            Err(misuse) => Err(misuse.into()),
        }
    }

    fn finish(&self, result: Result<C::Return, TaskError>) -> Option<Panic> {
        let coroutine = self.coroutine.take();
        let panic = catch_unwind(AssertUnwindSafe(|| drop(coroutine))).err().map(Panic::new);
        *self.output.borrow_mut() = Some(result);
        self.header.done.set(true);
        panic
    }
}

impl<C: TaskCoroutine> AnyTask for TaskCell<C> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn resume(&self) -> bool {
        // With the judgement of the result: a value that a cancellation outran is dropped there.
        let result = match catch_unwind(AssertUnwindSafe(|| self.poll().map(|resumed| self.result(resumed))))
        {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(result)) => result,
            Err(payload) => Err(TaskError::Panicked(Panic::new(payload))),
        };
        if let Some(panic) = self.finish(result) {
            let value = self.output.replace(Some(Err(TaskError::Panicked(panic))));
            // One panic is reported; a second one, of the value that it displaces, has nowhere to go.
            drop(catch_unwind(AssertUnwindSafe(|| drop(value))));
        }
        true
    }

    fn destroy(&self) -> Option<Panic> {
        self.finish(Err(TaskError::LoopClosed))
    }

    fn take_unread_error(&self) -> Option<TaskError> {
        if self.header.handle.get() || self.header.read.get() {
            return None;
        }
        let unread = self.output.borrow_mut().take_if(|output| output.is_err())?;
        unread.err().filter(|error| !error.is_cancelled() && !matches!(error, TaskError::LoopClosed))
    }
}

impl<C: TaskCoroutine> Joinable<C::Return> for TaskCell<C> {
    fn take_output(&self) -> Option<Result<C::Return, TaskError>> {
        self.output.borrow_mut().take()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(f)
    }
}
