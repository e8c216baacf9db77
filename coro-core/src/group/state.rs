//! What a group knows of its children.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::Refusal;
use crate::event_loop::{Awaited, Core, Waiting, Word};
use crate::scope;
use crate::task::{TaskError, TaskRef, word_of};

/// A group, whoever has a handle to it.
///
/// ```text
///              run                    the body and all children have ended
///   NotEntered ───► Entered ────────────────────────────────────────────────► Finished
///                      │ cancel, or something fails: it is aborted, and takes no more children,
///                      │ but ends as above
///                      └ the run is dropped ─► Abandoned: its children are cancelled, and nobody waits for them
/// ```
pub struct State {
    stage: Cell<Stage>,
    aborted: Cell<bool>,
    /// The task that has entered it, if one has.
    parent: RefCell<Option<TaskRef>>,
    /// That of the body. What it is cancelled with, the children are as well.
    pub(super) scope: Rc<scope::State>,
    /// Those that have not ended.
    children: RefCell<Slab<Option<TaskRef>>>,
    /// What has failed, and whose error it is.
    errors: RefCell<Vec<(TaskRef, TaskError)>>,
    /// Whoever waits for the children.
    waker: Cell<Option<Waker>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    NotEntered,
    Entered,
    Finished,
    Abandoned,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            stage: Cell::new(Stage::NotEntered),
            aborted: Cell::new(false),
            parent: RefCell::default(),
            // As asyncio's: the body is interrupted once.
            scope: Rc::new(scope::State::new(false)),
            children: RefCell::default(),
            errors: RefCell::default(),
            waker: Cell::default(),
        }
    }

    /// False if it has been entered before.
    pub(super) fn enter(&self) -> bool {
        let new = self.stage.get() == Stage::NotEntered;
        if new {
            self.stage.set(Stage::Entered);
        }
        new
    }

    /// The task that has entered it.
    pub(super) fn set_parent(&self, parent: &TaskRef) {
        *self.parent.borrow_mut() = Some(parent.clone());
    }

    /// Why it takes no child, if it does not.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self.stage.get() {
            Stage::NotEntered => Some(Refusal::NotEntered),
            Stage::Finished => Some(Refusal::Finished),
            Stage::Abandoned => Some(Refusal::ShuttingDown),
            Stage::Entered => self.aborted.get().then_some(Refusal::ShuttingDown),
        }
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.get()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.children.borrow().is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.children.borrow().len()
    }

    /// Cancels the body and all children, if that has not been done.
    pub(super) fn abort(&self, message: Option<&str>) {
        if self.aborted.replace(true) {
            return;
        }
        self.scope.cancel(message);
        self.cancel_children();
        let parent = self.parent.borrow().clone();
        if let Some(parent) = parent {
            parent.waits_for_children();
        }
    }

    /// Whoever is in it is being cancelled already.
    pub(super) fn shut_down(&self) {
        self.aborted.set(true);
    }

    /// In the order of spawning: a place is used again.
    fn children(&self) -> Vec<TaskRef> {
        let mut children: Vec<TaskRef> =
            self.children.borrow().iter().filter_map(|(_, child)| child.clone()).collect();
        children.sort_by_key(|child| child.header().id());
        children
    }

    /// What its task waits for, if it waits for the children.
    fn waiting(&self) -> Waiting {
        Waiting::Children(self.children().iter().map(|child| child.header().id()).collect())
    }

    fn cancel_children(&self) {
        let children = self.children();
        // The same for all, so that it lands once in a child that the body awaits.
        let cancelled = self.scope.cancelled().unwrap_or_default();
        let parent = self.parent.borrow().as_ref().map(|parent| parent.header().word());
        for child in children {
            child.header().set_parent(parent);
            child.cancel_once(&cancelled);
        }
    }

    /// A place for a child.
    pub(super) fn reserve(&self) -> usize {
        self.children.borrow_mut().insert(None)
    }

    /// The task of a child, if it has not ended since.
    pub(super) fn set_child(&self, key: usize, task: &TaskRef) {
        if !task.header().is_done()
            && let Some(child) = self.children.borrow_mut().get_mut(key)
        {
            *child = Some(task.clone());
        }
    }

    /// A child has ended, or has gone.
    pub(super) fn child_ended(&self, key: usize, error: Option<TaskError>) {
        let ended = self.children.borrow_mut().try_remove(key);
        if let (Some(error), Some(Some(child))) = (error, ended) {
            self.fail(child, error);
        }
        if self.children.borrow().is_empty()
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
    }

    /// Something has failed in it.
    pub(super) fn fail(&self, child: TaskRef, error: TaskError) {
        if self.stage.get() == Stage::Abandoned {
            return report(&child, error);
        }
        self.errors.borrow_mut().push((child, error));
        self.abort(None);
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// It is over. Gives what has failed.
    pub(super) fn finish(&self) -> Vec<TaskError> {
        self.stage.set(Stage::Finished);
        drop(self.parent.take());
        self.errors.take().into_iter().map(|(_, error)| error).collect()
    }

    /// Nobody waits for the children any more.
    pub(super) fn abandon(&self) {
        self.stage.set(Stage::Abandoned);
        drop(self.parent.take());
        self.scope.cancel(None);
        self.cancel_children();
        for (child, error) in self.errors.take() {
            report(&child, error);
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("stage", &self.stage.get())
            .field("aborted", &self.aborted.get())
            .field("children", &self.len())
            .finish_non_exhaustive()
    }
}

/// Nobody else can be told.
fn report(child: &TaskRef, error: TaskError) {
    Core::report_unread(child, error);
}

/// Waits until a group has no children any more.
#[derive(Debug)]
pub struct Children(Rc<State>);

impl Children {
    pub(super) fn new(group: &Rc<State>) -> Self {
        Self(Rc::clone(group))
    }
}

impl Future for Children {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.children.borrow().is_empty() {
            return Poll::Ready(());
        }
        if self.0.waker.replace(Some(cx.waker().clone())).is_none() {
            let known: Weak<State> = Rc::downgrade(&self.0);
            Core::on_current(|core| core.note_object(known));
        }
        Core::note_wait(|_| self.0.waiting());
        Poll::Pending
    }
}

impl Awaited for State {
    fn each_wait(&self, _: &Core, tell: &mut dyn FnMut(Word, Waiting)) {
        let waker = self.waker.take();
        if self.stage() == Stage::Entered
            && let Some(word) = waker.as_ref().and_then(word_of)
        {
            tell(word, self.waiting());
        }
        self.waker.set(waker);
    }
}
