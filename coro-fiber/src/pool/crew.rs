//! The members of a group or a pool: who is there, and what waits for them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::Location;
use std::rc::Rc;

use coro_core::event_loop::Loop;
use coro_core::sync::{Event, oneshot, semaphore::Permit};
use coro_core::task::{Canceller, IntoTask, JoinHandle, TaskError, TaskInfo};

use crate::greenlet::{Failed, Greenlet, report_unread};

/// Tasks that are waited for, and ended, together. Cloning gives another handle.
#[derive(Clone, Default)]
pub(super) struct Crew(Rc<Shared>);

#[derive(Default)]
struct Shared {
    members: RefCell<BTreeMap<u64, Canceller>>,
    /// The number of the next one.
    next: Cell<u64>,
    emptied: Event,
    /// How many wait for the end of all: whoever comes meanwhile is ended, too.
    killing: Cell<usize>,
    /// Those who want to know of the first failure, and when there is one, or the last member has gone.
    watchers: RefCell<Vec<Rc<Cell<Option<Failed>>>>>,
    news: Event,
}

/// A member's place: it is one until this is dropped.
struct Membership {
    crew: Rc<Shared>,
    key: u64,
    /// In a pool.
    _permit: Option<Permit>,
}

/// Where the task of a member came from, and its place in a pool.
pub(super) struct Entry {
    pub(super) what: &'static str,
    pub(super) at: &'static Location<'static>,
    pub(super) permit: Option<Permit>,
}

impl Crew {
    pub(super) fn len(&self) -> usize {
        self.0.members.borrow().len()
    }

    /// Begins a member whose result is for any number.
    pub(super) fn start<T>(&self, entry: Entry, task: T) -> Greenlet<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let (membership, handle) = self.enter(entry, task);
        let (key, crew) = (membership.key, Rc::clone(&self.0));
        let canceller = handle.canceller();
        let greenlet = Greenlet::watching(handle, move |ended| {
            if let Err(failed) = ended {
                membership.crew.failed(failed);
            }
            drop(membership);
        });
        crew.admit(key, canceller);
        greenlet
    }

    /// Begins a member whose result is for `give`. That gives back what nobody wants.
    pub(super) fn start_for<T>(
        &self,
        entry: Entry,
        task: T,
        give: impl FnOnce(Result<T::Output, TaskError>, TaskInfo) -> Option<TaskError> + 'static,
    ) where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let (membership, handle) = self.enter(entry, task);
        let key = membership.key;
        let canceller = handle.canceller();
        let member = canceller.clone();
        handle.on_done(move |ended| {
            drop(membership);
            if let Some(error) = give(ended, member.info()) {
                report_unread(Some(member.info()), error);
            }
        });
        self.0.admit(key, canceller);
    }

    /// Runs a member, and gives its result.
    pub(super) async fn apply<T>(&self, entry: Entry, task: T) -> Result<T::Output, TaskError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let (sender, receiver) = oneshot();
        self.start_for(entry, task, |ended, _| sender.send(ended).err().and_then(|unsent| unsent.0.err()));
        receiver.await.unwrap_or(Err(TaskError::LoopClosed))
    }

    fn enter<T>(&self, entry: Entry, task: T) -> (Membership, JoinHandle<T::Output>)
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let handle = Loop::spawn_on_running_at(entry.what, task, entry.at);
        if let Some(permit) = &entry.permit {
            permit.set_holder(Some(&handle.canceller()));
        }
        let key = self.0.next.replace(self.0.next.get() + 1);
        (Membership { crew: Rc::clone(&self.0), key, _permit: entry.permit }, handle)
    }

    /// Waits until nobody is there, or nobody was for a moment.
    pub(super) async fn join(self) {
        if self.len() > 0 {
            self.0.emptied.clear();
            self.0.emptied.wait().await;
        }
    }

    /// [`join`](Self::join), or the first error of a member's from now on.
    pub(super) async fn try_join(self) -> Result<(), Failed> {
        let watcher = Watcher { crew: &self.0, failed: Rc::default() };
        self.0.watchers.borrow_mut().push(Rc::clone(&watcher.failed));
        loop {
            match watcher.failed.take() {
                Some(failed) => return Err(failed),
                None if self.len() == 0 => return Ok(()),
                None => self.0.news.wait().await,
            }
        }
    }

    /// Asks all to end.
    pub(super) fn cancel(&self) {
        let members: Vec<_> = self.0.members.borrow().values().cloned().collect();
        for member in members {
            member.cancel();
        }
    }

    /// [`cancel`](Self::cancel), and waits until nobody is there. Who comes meanwhile never runs.
    pub(super) async fn kill(self) {
        let _killing = Killing::begin(&self.0);
        self.cancel();
        self.clone().join().await;
    }
}

impl Shared {
    fn admit(&self, key: u64, member: Canceller) {
        if self.killing.get() > 0 {
            member.cancel();
        }
        self.members.borrow_mut().insert(key, member);
    }

    fn failed(&self, failed: &Failed) {
        if failed.is_cancelled() {
            return;
        }
        for watcher in &*self.watchers.borrow() {
            let first = watcher.take().unwrap_or_else(|| failed.clone());
            watcher.set(Some(first));
        }
        self.tell();
    }

    /// Wakes those who watch now.
    fn tell(&self) {
        self.news.set();
        self.news.clear();
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let left = self.crew.members.borrow_mut().remove(&self.key);
        drop(left);
        if self.crew.members.borrow().is_empty() {
            self.crew.emptied.set();
            self.crew.tell();
        }
    }
}

/// Somebody who wants to know of the first failure.
struct Watcher<'a> {
    crew: &'a Shared,
    failed: Rc<Cell<Option<Failed>>>,
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.crew.watchers.borrow_mut().retain(|watcher| !Rc::ptr_eq(watcher, &self.failed));
    }
}

/// A kill on its way.
struct Killing<'a>(&'a Shared);

impl<'a> Killing<'a> {
    fn begin(crew: &'a Shared) -> Self {
        crew.killing.set(crew.killing.get() + 1);
        Self(crew)
    }
}

impl Drop for Killing<'_> {
    fn drop(&mut self) {
        self.0.killing.set(self.0.killing.get() - 1);
    }
}
