//! A part of a body as the body of a group.

use std::fmt;

use super::entered::{BodyEnd, Entered};
use super::state::Children;
use super::{GroupError, TaskGroup};
use crate::coroutine::Thrown;
use crate::scope::{CancelScope, EnteredScope};
use crate::task::TaskError;

/// What `co.group` is made of, in every flavour: a group that the body of a task has entered.
///
/// When [its part](Self::body_ended) of the body is over, the body waits for what [`children`](Self::children) gives, and
/// says [what came of it](Self::waited), until there are none, and [leaves](Self::exit). If this is dropped, the children
/// are cancelled, and nobody waits for them.
pub struct EnteredGroup<T> {
    entered: Entered<T>,
    /// That of the body; then one with a shield, while it waits for children that have been asked to end.
    scope: Option<EnteredScope>,
    /// Whoever runs the body does not let it wait.
    in_vain: bool,
}

impl<T> EnteredGroup<T> {
    /// The body of the task that runs enters `group`.
    ///
    /// # Errors
    ///
    /// [`GroupError::AlreadyEntered`].
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn new(group: &TaskGroup) -> Result<Self, GroupError> {
        let entered = Entered::new(group.state())?;
        let scope = Some(EnteredScope::enter(&group.state().scope));
        Ok(Self { entered, scope, in_vain: false })
    }

    /// Its part of the body is over, with this.
    pub fn body_ended(&mut self, result: Result<T, Thrown<TaskError>>) {
        let result = match self.scope.take() {
            Some(scope) => scope.exit(result),
            None => result.map(Ok),
        };
        self.entered.body_ended(match result {
            Ok(Ok(value)) => BodyEnd::Value(value),
            Ok(Err(_)) => BodyEnd::Own,
            Err(Thrown::Error(error)) if !error.is_cancelled() => BodyEnd::Raised(error),
            Err(Thrown::Misuse(kind)) => BodyEnd::Raised(TaskError::Misuse(kind)),
            Err(thrown) => BodyEnd::Outside(thrown),
        });
    }

    /// What the body is to wait for now. `None` if it can leave.
    pub fn children(&mut self) -> Option<Children> {
        let state = self.entered.state();
        if self.in_vain || state.is_empty() {
            return None;
        }
        if state.is_aborted() {
            // They have been asked to end. What comes meanwhile is kept until the group is left.
            self.scope = Some(EnteredScope::new(&CancelScope::firm()));
        }
        Some(Children::new(state))
    }

    /// What came of waiting for that.
    pub fn waited(&mut self, result: Result<(), Thrown<TaskError>>) {
        self.scope = None;
        if let Err(thrown) = result {
            self.in_vain = matches!(thrown, Thrown::Misuse(_));
            self.entered.interrupted(thrown);
        }
    }

    /// The body leaves the group.
    ///
    /// # Errors
    ///
    /// [`GroupError`] inside, if something failed in it or it was cancelled; outside, what was thrown otherwise.
    pub fn exit(self) -> Result<Result<T, GroupError>, Thrown<TaskError>> {
        self.entered.exit()
    }
}

impl<T> fmt::Debug for EnteredGroup<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnteredGroup").field(self.entered.state()).finish()
    }
}
