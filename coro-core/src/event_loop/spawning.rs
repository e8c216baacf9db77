//! How a task begins.

use std::panic::Location;

use super::core::Core;
use super::current;
use crate::task::{IntoTask, JoinHandle, Origin, TaskId, TaskRef};

impl Core {
    pub(super) fn spawn<T>(&self, task: T, spawned_at: &'static Location<'static>) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        self.spawn_body::<T>(task.into_task().into_inner(), spawned_at)
    }

    pub(super) fn spawn_body<T>(
        &self,
        body: T::Body,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let (task, handle) = self.new_task::<T>(body, spawned_at);
        if self.closed.get() {
            // Nothing will ever run it: its handle says so.
            self.remove(task.header());
            self.destroy(&task);
        } else {
            self.ready.push(task.as_runnable());
            self.rouse_host();
        }
        handle
    }

    /// [`spawn_body`](Self::spawn_body) on the loop that runs on this thread, if that is open.
    #[inline(always)]
    pub(super) fn spawn_on_current<T>(
        body: T::Body,
        spawned_at: &'static Location<'static>,
    ) -> Result<JoinHandle<T::Output>, T::Body>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        if !current::with_current(|core| !core.closed.get()).unwrap_or(false) {
            return Err(body);
        }
        let handle = current::with_current(|core| {
            let (task, handle) = core.new_task::<T>(body, spawned_at);
            core.ready.push(task.as_runnable());
            handle
        });
        match handle {
            Some(handle) => Ok(handle),
            None => unreachable!("it was there a moment ago"),
        }
    }

    /// A task with a place in the table. Nothing of the user's runs.
    #[inline(always)]
    fn new_task<T>(
        &self,
        body: T::Body,
        spawned_at: &'static Location<'static>,
    ) -> (TaskRef, JoinHandle<T::Output>)
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let sequence = self.last_task.get() + 1;
        self.last_task.set(sequence);
        let mut tasks = self.tasks.borrow_mut();
        let word = tasks.next_word(&self.lease);
        let id = TaskId::new(sequence);
        let origin = Origin { id, word, core: self.number, flavour: T::FLAVOUR, spawned_at };
        let (task, handle) = TaskRef::new(origin, body);
        tasks.insert(task.clone());
        (task, JoinHandle::new(handle))
    }
}
