//! What tasks wait for, for those who look: found where their wakers are.
//!
//! So a wait costs nothing, and what is found is so now. Timers, operations and handles are the loop's own; of lines
//! it knows from when somebody first had to wait in one. A job, whose waker is elsewhere, says so with a [`Noted`].
//!
//! Not found are the waits for a oneshot, to which that would cost a fifth more, and those under wakers of another
//! library, in a `FuturesUnordered` for example: of these only the report of a stall may know. A task of which nothing is
//! found is said to wait for something unseen. A wait for a task that was given up is still found while the handle is kept.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Weak;

use super::Waiting;
use super::core::Core;
use super::current::CoreNumber;
use super::word::Word;
use crate::task::{TaskId, TaskInfo};

/// An object that tasks wait for.
pub(crate) trait Awaited {
    /// Tells of each task that waits, and for what. It runs nothing of the user's.
    fn each_wait(&self, core: &Core, tell: &mut dyn FnMut(Word, Waiting));
}

/// The objects that tasks of a loop have waited for.
#[derive(Default)]
pub(super) struct Objects {
    known: Vec<Weak<dyn Awaited>>,
    /// When there are as many, those that are gone are forgotten.
    enough: usize,
}

impl Objects {
    fn add(&mut self, object: Weak<dyn Awaited>) {
        if self.known.len() >= self.enough {
            self.known.retain(|object| object.strong_count() > 0);
            self.enough = (2 * self.known.len()).max(64);
        }
        self.known.push(object);
    }
}

/// What each task waits for.
type Found = BTreeMap<TaskId, Vec<Waiting>>;

impl Core {
    /// From now on whoever looks finds those who wait for this.
    pub(crate) fn note_object(&self, object: Weak<dyn Awaited>) {
        self.objects.borrow_mut().add(object);
    }

    /// In the order of spawning, with what each waits for.
    pub(super) fn all_tasks_with_waits(&self) -> Vec<TaskInfo> {
        let (mut tasks, mut found) = (self.all_tasks(), self.find_waits());
        let names: BTreeMap<_, _> = tasks.iter().map(|task| (task.id, task.name.clone())).collect();
        for task in &mut tasks {
            task.waits_for = found.remove(&task.id).unwrap_or_default();
            task.tell_waits(|id| names.get(&id).map(ToString::to_string));
        }
        tasks
    }

    /// One task, with what it waits for.
    pub(crate) fn with_waits(&self, mut task: TaskInfo) -> TaskInfo {
        if !task.done {
            task.waits_for = self.find_waits().remove(&task.id).unwrap_or_default();
            let name = |id| {
                let tasks = self.tasks.borrow().all();
                tasks.iter().find(|task| task.header().id() == id).map(|task| task.info().name)
            };
            task.tell_waits(|id| name(id).map(|name| name.to_string()));
        }
        task
    }

    fn find_waits(&self) -> Found {
        let mut found = Found::new();
        let mut add = |word: Word, waiting: Waiting| {
            if let Some(task) = self.task_of(word) {
                let waits = found.entry(task).or_default();
                if !waits.contains(&waiting) {
                    waits.push(waiting);
                }
            }
        };
        for object in &self.objects.borrow().known {
            if let Some(object) = object.upgrade() {
                object.each_wait(self, &mut add);
            }
        }
        for (_, (word, waiting)) in &*self.noted.borrow() {
            add(*word, waiting.clone());
        }
        let tasks = self.tasks.borrow().all();
        for task in &tasks {
            let (header, end) = (task.header(), Waiting::End(task.header().id()));
            header
                .each_waiter(|word, in_group| add(word, if in_group { Waiting::Group } else { end.clone() }));
        }
        self.each_operation(|word, what| add(word, Waiting::Io(what)));
        self.timers.borrow().each_wake(|word, deadline| add(word, Waiting::Until(deadline)));
        for task in &tasks {
            if task.header().is_waiting() && !task.as_runnable().is_queued() {
                found.entry(task.header().id()).or_insert_with(|| vec![Waiting::Unseen]);
            }
        }
        found
    }
}

/// That a task waits, said by a leaf that keeps its waker where nobody looks. Until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Noted(
    /// On which loop, and where.
    Cell<Option<(CoreNumber, u32)>>,
);

impl Noted {
    /// The present task waits for this.
    pub(crate) fn note(&self, what: impl Fn(&Core) -> Waiting) {
        self.clear();
        Core::on_current(|core| {
            let place = core.noted.borrow_mut().insert((core.running_word(), what(core)));
            // There are not more of them than tasks.
            self.0.set(Some((core.number, place as u32)));
        });
    }

    /// Nobody waits any more.
    pub(crate) fn clear(&self) {
        if let Some((number, place)) = self.0.take() {
            Core::with(number, |core| core.noted.borrow_mut().try_remove(place as usize));
        }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.clear();
    }
}
