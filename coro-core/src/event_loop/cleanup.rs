//! Cleanups: what was given up half-way, brought to its end.
//!
//! A generator that was dropped, or a context whose body was, may have to wait before it is done. It cannot do so
//! where it is dropped. So its loop does it, in a task of its own that nobody can cancel, and waits for it at the end of
//! a run.

use std::any::Any;
use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker, ready};

use super::Exception;
use super::core::Core;
use crate::coroutine::{
    Coroutine, Input, InputOf, Misuse, MisuseKind, Outcome, Resumed, State, Thrown, finished,
};
use crate::task::{Cancelled, TaskError, TaskId, from_coroutine};

/// Why a cleanup failed.
pub(crate) enum CleanupError {
    /// A coroutine was misused, or misbehaved.
    Misuse(MisuseKind),
    /// With this error of the program's own.
    Raised(Box<dyn Any>),
}

impl CleanupError {
    pub(crate) fn raised(error: impl Any) -> Self {
        Self::Raised(Box::new(error))
    }
}

impl<E: 'static> From<Thrown<E>> for CleanupError {
    fn from(thrown: Thrown<E>) -> Self {
        match thrown {
            Thrown::Error(error) => Self::raised(error),
            Thrown::Exit => Self::raised(TaskError::from(Cancelled::new())),
            Thrown::Misuse(kind) => Self::Misuse(kind),
        }
    }
}

/// Whether `error` is the cancellation of a task.
pub(crate) fn is_cancellation(error: &dyn Any) -> bool {
    error.downcast_ref::<TaskError>().is_some_and(TaskError::is_cancelled)
}

/// A generator that has a loop, and may have to be closed by it.
pub(crate) trait Unclosed {
    /// If it is begun and not ended, moves it into a cleanup of `core`.
    fn close_on(&self, core: &Core);
}

/// Its place among the generators of its loop.
pub(crate) struct Registered {
    core: Weak<Core>,
    key: usize,
}

impl Registered {
    /// Its loop, if it can still close something.
    pub(crate) fn open_core(&self) -> Option<Rc<Core>> {
        self.core.upgrade().filter(|core| core.accepts_cleanups())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            drop(core.generators.borrow_mut().try_remove(self.key));
        }
    }
}

impl Core {
    /// The loop of this thread, if it can still clean up.
    pub(crate) fn current_for_cleanup() -> Option<Rc<Self>> {
        Self::current().filter(|core| core.accepts_cleanups())
    }

    /// Whether it still waits for new cleanups. At the end of a run it waits for those that there are: a cleanup that
    /// begins another one could go on for ever.
    pub(crate) fn accepts_cleanups(&self) -> bool {
        !self.closed.get() && !self.last_cleanups.get()
    }

    /// Does `work` in a task that cannot be cancelled, and that a run waits for.
    ///
    /// What a task lets go of in one step is cleaned up in that order, one after the other: a generator before the
    /// context in whose body it was used, an inner context before the outer one.
    pub(crate) fn clean_up<F>(&self, work: F, made_at: &'static Location<'static>)
    where
        F: Future<Output = Result<(), CleanupError>> + 'static,
    {
        self.cleanups.set(self.cleanups.get() + 1);
        let place = Rc::new(Place { giver: self.current_task().map(|task| task.id), ..Place::default() });
        let before = self.last_cleanup.replace(Rc::downgrade(&place)).upgrade();
        let after = before
            .filter(|before| before.giver.is_some() && before.giver == place.giver && !before.begun.get());
        let cleanup = Cleanup { work: Some(Box::pin(work)), core: self.weak(), place, after };
        self.spawn(from_coroutine(cleanup), made_at).detach();
    }

    /// Remembers a generator that has begun, to close it at the end of a run.
    pub(crate) fn register(&self, generator: Weak<dyn Unclosed>) -> Option<Registered> {
        let key = self.accepts_cleanups().then(|| self.generators.borrow_mut().insert(generator))?;
        Some(Registered { core: self.weak(), key })
    }

    /// Begins to close the generators that are begun and not ended. No cleanup is accepted after that.
    pub(super) fn begin_last_cleanups(&self) {
        let generators = std::mem::take(&mut *self.generators.borrow_mut());
        for (_, generator) in generators {
            if let Some(generator) = generator.upgrade() {
                generator.close_on(self);
            }
        }
        self.last_cleanups.set(true);
    }

    pub(super) fn has_cleanups(&self) -> bool {
        self.cleanups.get() > 0
    }
}

/// The place of a cleanup in the order of those that one step of a task gave.
#[derive(Default)]
pub(super) struct Place {
    giver: Option<TaskId>,
    /// It has been polled: the step is over.
    begun: Cell<bool>,
    ended: Cell<bool>,
    /// Who waits for its end.
    next: Cell<Option<Waker>>,
}

/// Work that is done whatever is thrown at it.
struct Cleanup<F> {
    work: Option<Pin<Box<F>>>,
    core: Weak<Core>,
    place: Rc<Place>,
    /// What has to end before.
    after: Option<Rc<Place>>,
}

impl<F> Drop for Cleanup<F> {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.cleanups.set(core.cleanups.get() - 1);
        }
        self.place.ended.set(true);
        if let Some(next) = self.place.next.take() {
            next.wake();
        }
    }
}

impl<F: Future<Output = Result<(), CleanupError>>> Cleanup<F> {
    fn end(&mut self, result: Result<(), CleanupError>) -> Outcome<Infallible, (), TaskError> {
        self.work = None;
        let error = match result {
            Ok(()) => return Outcome::Returned(()),
            Err(CleanupError::Misuse(kind)) => return Outcome::Raised(Thrown::Misuse(kind)),
            Err(CleanupError::Raised(error)) => error,
        };
        match error.downcast::<TaskError>() {
            Ok(error) => Outcome::Raised(Thrown::Error(*error)),
            Err(error) => {
                if let Some(core) = self.core.upgrade()
                    && let Some(task) = core.current_task()
                {
                    core.report(Exception::CleanupRaised(task, error));
                }
                Outcome::Returned(())
            }
        }
    }
}

impl<F: Future<Output = Result<(), CleanupError>>> Coroutine for Cleanup<F> {
    type Send = ();
    type Yield = Infallible;
    type Return = ();
    type Error = TaskError;

    fn state(&self) -> State {
        if self.work.is_some() { State::Running } else { State::Finished }
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        let Some(work) = &mut self.work else { return Poll::Ready(finished(input)) };
        // A cancellation at the end of a run is meant for the program. Here it would cut off the cleanup that it asks for.
        if let Some(Input::Send(())) = input {
            return Poll::Ready(Err(Misuse::Running(input)));
        }
        self.place.begun.set(true);
        if let Some(after) = self.after.as_ref().filter(|after| !after.ended.get()) {
            drop(after.next.replace(Some(cx.waker().clone())));
            return Poll::Pending;
        }
        let result = ready!(work.as_mut().poll(cx));
        Poll::Ready(Ok(self.end(result)))
    }
}
