//! A part of a body in a scope: for the bodies that cannot be dropped in part.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};

use super::state::Entrance;
use super::{CancelScope, State, Timeout, TimeoutError};
use crate::coroutine::Thrown;
use crate::event_loop::{Core, NO_LOOP, TimerKey};
use crate::task::{Cancelled, TaskError, TaskRef};

/// What `co.scope` and `co.timeout` are made of, in every flavour: a scope that the body of a task has entered, until this
/// is [left](Self::exit) or dropped.
///
/// The body suspends in nothing else meanwhile: whatever is thrown for the scope is thrown at its wait.
pub struct EnteredScope {
    scope: Rc<State>,
    task: TaskRef,
    /// How often the task had been asked to end.
    cancelling: u32,
}

/// Where a scope is entered by a body.
pub(super) struct Inside {
    task: TaskRef,
    /// The landing whose coroutine the body is, if it is not that of the task.
    base: usize,
    timer: Cell<Option<TimerKey>>,
    scope: Weak<State>,
}

impl EnteredScope {
    /// The body of the task that runs enters `scope`.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn new(scope: &CancelScope) -> Self {
        Self::enter(scope.state())
    }

    /// The body of the task that runs enters `timeout`.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn timeout(timeout: &Timeout) -> Self {
        Self::enter(timeout.state())
    }

    #[track_caller]
    pub(crate) fn enter(scope: &Rc<State>) -> Self {
        let Some(task) = Core::running_task() else { panic!("a cancel scope {NO_LOOP}") };
        let base = task.header().enter_scope(Rc::clone(scope));
        let inside = Inside { task: task.clone(), base, timer: Cell::new(None), scope: Rc::downgrade(scope) };
        scope.set_entrance(Entrance::Body(inside));
        scope.changed();
        let cancelling = task.header().cancelling();
        Self { scope: Rc::clone(scope), task, cancelling }
    }

    /// The body leaves it, with this. What came from the scope itself stays here.
    ///
    /// # Errors
    ///
    /// What the body has raised otherwise.
    pub fn exit<T>(
        self,
        result: Result<T, Thrown<TaskError>>,
    ) -> Result<Result<T, Cancelled>, Thrown<TaskError>> {
        let header = self.task.header();
        let outside = header.leave_scope(&self.scope) || header.cancelling() > self.cancelling;
        match (result, self.scope.cancelled()) {
            (Err(Thrown::Error(TaskError::Cancelled(_))), Some(own)) if !outside => {
                self.scope.caught.set(true);
                Ok(Err(own))
            }
            (result, _) => result.map(Ok),
        }
    }

    /// [`exit`](Self::exit), of a timeout.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn exit_timeout<T>(
        self,
        result: Result<T, Thrown<TaskError>>,
    ) -> Result<Result<T, TimeoutError>, Thrown<TaskError>> {
        Ok(self.exit(result)?.map_err(|_| TimeoutError))
    }
}

impl Drop for EnteredScope {
    fn drop(&mut self) {
        self.scope.set_entrance(Entrance::Nowhere);
        self.task.header().leave_scope(&self.scope);
    }
}

impl Inside {
    /// The scope was cancelled, or has another deadline.
    pub(super) fn changed(&self, scope: &State) {
        self.stop();
        let Some(core) = self.task.core() else { return };
        if !scope.is_cancelled() {
            match scope.begin(&core) {
                None => return,
                Some(deadline) if deadline > core.time() => {
                    let scope = self.scope.clone();
                    let call = move || {
                        if let Some(scope) = scope.upgrade() {
                            scope.expire();
                            scope.changed();
                        }
                    };
                    self.timer.set(Some(core.call_for_scope(deadline, Box::new(call))));
                    return;
                }
                Some(_) => drop(scope.expire()),
            }
        }
        self.task.throw_for_scope(self.base, &scope.expire());
    }

    fn stop(&self) {
        if let Some(timer) = self.timer.take() {
            timer.cancel();
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for EnteredScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnteredScope").field(&self.scope).finish()
    }
}
