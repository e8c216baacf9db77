//! How a task begins.

use std::panic::Location;

use super::core::Core;
use super::current;
use super::word::Word;
use crate::context::{Context, inherited, is_used, set_aside};
use crate::task::{Header, IntoTask, JoinHandle, Origin, TaskId, TaskPlace, TaskRef};

/// What is said about a task when it is spawned, if anything is.
pub(crate) struct Options<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) context: Option<Context>,
    pub(crate) eager: bool,
}

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
            self.ready.push_new(task.into_runnable());
            self.rouse_host();
        }
        handle
    }

    /// [`spawn_body`](Self::spawn_body), in this context, if it is not to be a copy of the current one; and runs its first step
    /// at once, if it is to be eager, and the loop runs. Before that, `made` is shown the task.
    pub(crate) fn spawn_with<T>(
        &self,
        body: T::Body,
        spawned_at: &'static Location<'static>,
        options: Options<'_>,
        made: impl FnOnce(&TaskRef),
    ) -> JoinHandle<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let runs = current::with_current(|core| core.number) == Some(self.number);
        let eager = options.eager && runs && !self.closed.get();
        let handle = if eager {
            self.new_task::<T>(body, spawned_at).1
        } else {
            self.spawn_body::<T>(body, spawned_at)
        };
        let task = handle.task();
        if let Some(name) = options.name {
            task.header().set_name(name);
        }
        if let Some(context) = options.context
            && !task.header().is_done()
        {
            task.header().set_context(context);
        }
        made(task);
        if eager {
            // What the one that spawns it is in, or is being told, is not for the new one.
            let _aside = set_aside();
            Self::unheard(|| self.ready.run_now(task.as_runnable(), self));
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
        current::give_current(body, |core, body| {
            if core.closed.get() {
                return Err(body);
            }
            let Ok(mut tasks) = core.tasks.try_borrow_mut() else { return Err(body) };
            let Some(cell) = TaskPlace::at_hand() else { return Err(body) };
            let Some(vacancy) = tasks.vacancy() else { return Err(body) };
            // From here on nothing can panic: so the body is moved once, from where it was made to its cell.
            let (task, handle) = core.begin::<T>(vacancy, cell, body, spawned_at);
            core.ready.push_new(task.into_runnable());
            Ok(handle)
        })
    }

    /// A task with a place in the table, which is to be queued. Nothing of the user's runs.
    fn new_task<T>(
        &self,
        body: T::Body,
        spawned_at: &'static Location<'static>,
    ) -> (TaskRef, JoinHandle<T::Output>)
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let mut tasks = self.tasks.borrow_mut();
        tasks.make_room(&self.lease);
        match tasks.vacancy() {
            Some(vacancy) => self.begin::<T>(vacancy, TaskPlace::new(), body, spawned_at),
            None => unreachable!("room was made"),
        }
    }

    #[inline(always)]
    fn begin<T>(
        &self,
        (word, place): (Word, &mut Option<TaskRef>),
        cell: TaskPlace<T::Body>,
        body: T::Body,
        spawned_at: &'static Location<'static>,
    ) -> (TaskRef, JoinHandle<T::Output>)
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let sequence = self.last_task.get() + 1;
        self.last_task.set(sequence);
        let id = TaskId::new(sequence);
        let origin = Origin { id, word, core: self.number, flavour: T::FLAVOUR, spawned_at };
        let (task, handle) = cell.fill(origin, body);
        if is_used() {
            inherit(task.header());
        }
        // Nobody was there who would have to be dropped.
        std::mem::forget(place.replace(task.clone()));
        (task, JoinHandle::new(handle))
    }
}

/// A task begins with a copy of the context in which it is spawned.
#[cold]
#[inline(never)]
fn inherit(header: &Header) {
    if let Some(context) = inherited() {
        header.set_context(context);
    }
}
