//! A group that is entered, until it is over: what is the same around a future and in a body.

use std::rc::Rc;

use super::state::Stage;
use super::{ErrorGroup, GroupError, State};
use crate::coroutine::Thrown;
use crate::event_loop::Core;
use crate::task::{Cancelled, TaskError, TaskRef};

/// How the body of a group has ended.
pub(super) enum BodyEnd<T> {
    Value(T),
    /// With the cancellation of the group itself.
    Own,
    /// With an error, which may be a cancellation that somebody else has let out.
    Raised(TaskError),
    /// With what was thrown from outside.
    Outside(Thrown<TaskError>),
}

/// A group that is entered.
pub(super) struct Entered<T> {
    state: Rc<State>,
    /// The task that has entered it, and how often it had been asked to end.
    task: Option<(TaskRef, u32)>,
    value: Option<T>,
    error: Option<TaskError>,
    outside: Option<Thrown<TaskError>>,
}

impl<T> Entered<T> {
    pub(super) fn new(state: &Rc<State>) -> Result<Self, GroupError> {
        if !state.enter() {
            return Err(GroupError::AlreadyEntered);
        }
        let task = Core::running_task().map(|task| {
            state.set_parent(&task);
            let cancelling = task.header().cancelling();
            (task, cancelling)
        });
        Ok(Self { state: Rc::clone(state), task, value: None, error: None, outside: None })
    }

    pub(super) fn state(&self) -> &Rc<State> {
        &self.state
    }

    pub(super) fn body_ended(&mut self, end: BodyEnd<T>) {
        match end {
            BodyEnd::Value(value) => self.value = Some(value),
            BodyEnd::Own => {}
            BodyEnd::Raised(error) => {
                self.error = Some(error);
                self.state.abort(None);
            }
            BodyEnd::Outside(thrown) => self.interrupted(thrown),
        }
    }

    /// Something was thrown from outside, which the children have to hear.
    pub(super) fn interrupted(&mut self, thrown: Thrown<TaskError>) {
        self.outside = Some(thrown);
        self.state.abort(None);
    }

    /// The same, which the children have heard as well.
    pub(super) fn interrupted_with_all(&mut self, thrown: Thrown<TaskError>) {
        self.outside = Some(thrown);
        self.state.shut_down();
    }

    /// Body and children have ended.
    pub(super) fn exit(mut self) -> Result<Result<T, GroupError>, Thrown<TaskError>> {
        let mut errors = self.state.finish();
        let mut cancelled = None;
        match self.error.take() {
            Some(TaskError::Cancelled(raised)) => cancelled = Some(raised),
            // What it has seen of a child that is among them.
            Some(TaskError::GivenToGroup) if !errors.is_empty() => {}
            Some(error) => errors.push(error),
            None => {}
        }
        if let Some(errors) = ErrorGroup::new(errors) {
            self.cancel_again();
            return Ok(Err(GroupError::Failed(errors)));
        }
        if let Some(outside) = self.outside.take() {
            return Err(outside);
        }
        Ok(match (self.value.take(), cancelled) {
            (_, Some(cancelled)) => Err(GroupError::Cancelled(cancelled)),
            (Some(value), None) => Ok(value),
            (None, None) => Err(GroupError::Cancelled(self.state.scope.cancelled().unwrap_or_default())),
        })
    }

    /// The errors hide a cancellation from outside: it comes at the next wait.
    fn cancel_again(&self) {
        let Some((task, cancelling)) = &self.task else { return };
        if task.header().cancelling() > *cancelling {
            let cancelled = match &self.outside {
                Some(Thrown::Error(TaskError::Cancelled(cancelled))) => cancelled.clone(),
                _ => Cancelled::new(),
            };
            task.header().uncancel();
            task.cancel(&cancelled);
        }
    }
}

impl<T> Drop for Entered<T> {
    fn drop(&mut self) {
        if self.state.stage() == Stage::Entered {
            self.state.abandon();
        }
    }
}
