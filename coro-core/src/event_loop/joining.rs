//! Who waits for a task, and what its end does.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use super::core::Core;
use super::current;
use super::reports::print;
use super::runnable::Runnable;
use super::{Callback, CoreNumber, Exception, Waiting};
use crate::task::{Header, Joiner, Kind, Landing, Panic, TaskError, TaskRef, plain_word_of};

/// Waiting.
impl Core {
    /// Why waiting for the task behind `header` would be wrong here, if it would.
    pub(crate) fn join_error(header: &Header) -> Option<TaskError> {
        let error = current::with_current(|core| {
            let awaits_itself = !header.is_done() && core.running_word() == header.word();
            match core.owns(header) {
                false => Some(TaskError::ForeignLoop),
                true => awaits_itself.then_some(TaskError::AwaitsItself),
            }
        });
        error.flatten()
    }

    /// Whoever has `waker` waits for a task that is not being run. Says why that would be wrong, if it would.
    #[inline(always)]
    pub(crate) fn join(task: &TaskRef, waker: &Waker) -> Result<(), TaskError> {
        let header = task.header();
        // Mostly it is the task that runs: a hold on it is a shorter way than its word.
        let running = current::with_current(|core| {
            core.ready.with_running(|running| {
                let plain =
                    core.owns(header) && !core.is_seeking() && Some(running.word()) == plain_word_of(waker);
                plain.then(|| {
                    core.tasks.borrow().note_awaited(running.word(), header.word());
                    core.note_own_wait(|_| Waiting::End(header.id()));
                    running.clone()
                })
            })
        });
        if let Some(Some(Some(running))) = running
            && header.set_waiting(running)
        {
            return Ok(());
        }
        Self::join_otherwise(task, waker)
    }

    /// [`join`](Self::join), for whoever it is, also the task itself.
    #[cold]
    pub(crate) fn join_otherwise(task: &TaskRef, waker: &Waker) -> Result<(), TaskError> {
        let header = task.header();
        if let Some(error) = Self::join_error(header) {
            return Err(error);
        }
        let waker = waker.clone();
        let mut passed_on = false;
        let (mut landing, mut cancels) = match header.replace_joiner(None) {
            Some(Joiner::Waker(_, landing)) => (landing, None),
            Some(Joiner::Cancels(_, landing, with)) => (landing, Some(with)),
            _ => (Landing::new(), None),
        };
        // What it hears here is what is being thrown.
        drop(landing.poll_as(&Context::from_waker(&waker), Kind::Landing));
        if let Some(cancelled) = Self::on_current(|core| core.hear(cancels.as_ref())).flatten() {
            task.cancel_once(&cancelled);
            landing.owe(&cancelled);
            cancels = Some(cancelled);
            passed_on = true;
        }
        let joiner = match cancels {
            Some(with) => Joiner::Cancels(waker, landing, with),
            None => Joiner::Waker(waker, landing),
        };
        header.set_joiner(Some(joiner));
        if passed_on {
            task.asked_in_place();
        }
        Self::note_wait(|_| Waiting::End(header.id()));
        Ok(())
    }

    /// Has its loop call `call` once the task behind `header` has ended, and nobody else told of it.
    pub(crate) fn call_when_done(header: &Header, call: Box<dyn FnOnce()>) {
        match current::find(header.core) {
            Some(core) if header.is_done() => drop(core.call_soon(call)),
            Some(_) => header.set_joiner(Some(Joiner::Call(Callback::new(call)))),
            None => drop(call),
        }
    }

    /// Reports the error of a future that nobody has looked at, to its loop.
    pub(crate) fn report_unread_result(number: CoreNumber, error: TaskError) {
        let exception = Exception::NeverRead(error);
        match current::find(number) {
            Some(core) => core.report(exception),
            None => print(&exception),
        }
    }

    /// Reports an error that was dropped unread with the last handle of its task, to the task's own loop.
    pub(crate) fn report_unread(task: &TaskRef, error: TaskError) {
        let exception = Exception::NeverRetrieved(task.info(), error);
        match current::find(task.header().core) {
            Some(core) => core.report(exception),
            None => print(&exception),
        }
    }
}

/// Ending.
impl Core {
    /// The task that has this word, if it has not ended.
    pub(crate) fn task_named(&self, word: super::word::Word) -> Option<TaskRef> {
        let tasks = self.tasks.borrow();
        tasks.get(word.slot()).filter(|task| task.header().word() == word).cloned()
    }

    /// Lets go of the place of a task.
    #[inline(always)]
    pub(super) fn remove(&self, header: &Header) {
        let removed = self.tasks.borrow_mut().remove(header.word(), &self.lease);
        drop(removed);
    }

    /// The task that runs has ended.
    #[inline(never)]
    pub(crate) fn task_ended(&self, task: ManuallyDrop<TaskRef>) {
        self.ready.note_ended();
        self.remove(task.header());
        self.task_done(&task);
    }

    /// Its handle is gone: an error is reported, a value dropped, whose destructor may panic.
    #[cold]
    fn release(&self, task: &TaskRef) {
        if let Some(error) = task.take_unread_error() {
            self.report(Exception::NeverRetrieved(task.info(), error));
        }
        if let Some(panic) = task.drop_output() {
            self.report_destructor(task, panic);
        }
    }

    /// A destructor of what a task held has panicked, and its result cannot tell.
    pub(crate) fn report_destructor(&self, task: &TaskRef, panic: Panic) {
        self.report(Exception::DestructorPanicked(task.info(), panic));
    }

    /// Tells whoever waits for a task that it has ended. Nobody is run inline.
    #[inline(always)]
    fn task_done(&self, task: &TaskRef) {
        let header = task.header();
        if header.has_rare() {
            self.rarely_done(task);
        }
        if let Some(waiting) = header.take_waiting() {
            self.ready.push_held(waiting);
        } else if let Some(joiner) = header.take_joiner() {
            self.tell(task, joiner);
        }
        if !header.has_handle() {
            self.release(task);
        }
    }

    /// What hardly any task has: those who are called when it has ended, and a context.
    #[cold]
    fn rarely_done(&self, task: &TaskRef) {
        for callback in task.header().take_callbacks() {
            self.queue_callback(&callback);
        }
        let context = task.header().take_context();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(context))) {
            self.report_destructor(task, Panic::new(payload));
        }
    }

    #[cold]
    fn tell(&self, task: &TaskRef, joiner: Joiner) {
        match joiner {
            Joiner::Waker(waker, _) => waker.wake(),
            Joiner::Cancels(waker, mut landing, with) => {
                let owed = landing.take_owed(&with);
                match task.cancelled().filter(|_| owed) {
                    // It was for the one that waits.
                    Some(cancelled) => landing.pass_on(&cancelled),
                    None => waker.wake(),
                }
            }
            Joiner::Member(group, index) => group.member_done(index),
            Joiner::Call(callback) => self.queue_callback(&callback),
        }
    }

    /// Whether the loop is to tell this task of the end of one that it awaited. It may wait for something else by now.
    pub(crate) fn awaits(&self, task: &TaskRef) -> bool {
        self.is_told(task.as_runnable())
    }

    /// [`awaits`](Self::awaits), for the task that runs.
    pub(crate) fn running_awaits(&self) -> bool {
        self.ready.with_running(|running| self.is_told(running)).unwrap_or(false)
    }

    fn is_told(&self, task: &Runnable) -> bool {
        let tasks = self.tasks.borrow();
        tasks.awaited_by(task.word()).is_some_and(|awaited| awaited.header().is_awaited_by(task))
    }

    pub(super) fn destroy(&self, task: &TaskRef) {
        if let Some(panic) = task.destroy() {
            self.report_destructor(task, panic);
        }
        self.task_done(task);
    }
}
