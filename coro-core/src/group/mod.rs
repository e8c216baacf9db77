//! Tasks that belong together: groups of them, which are over when all of them are.
//!
//! | asyncio, trio | around a future, in every flavour | around a part of a body |
//! |---|---|---|
//! | `async with TaskGroup() as group` | [`group.run(body)`](TaskGroup::run) | `co.group(&group, body)` |
//! | `group.create_task(…)` | [`group.create_task(task)`](TaskGroup::create_task) | the same |
//! | `await nursery.start(…)` | [`group.start(…)`](TaskGroup::start) | `co.wait(group.start(…))` |
//! | `nursery.cancel_scope.cancel()` | [`group.cancel()`](TaskGroup::cancel) | the same |
//! | `ExceptionGroup` | [`ErrorGroup`], in a [`GroupError`] | the same |
//!
//! # Who ends whom
//!
//! A group has a body and children. When a child fails, or the body does, the other children are cancelled, and then the
//! body. The group waits until all have ended, and gives the errors of all in one [`ErrorGroup`]. A child that is
//! cancelled, by whomever, has not failed. When the task is cancelled that the group is in, or a scope around it, the body
//! and the children are cancelled, and the cancellation goes on once they have ended; if errors hide it, it comes at the next
//! wait. A child that awaits the very task that the group is in is waited for by that; when one of both is asked to end, both
//! do. Nothing of this changes how often a task [was asked to end](crate::JoinHandle::cancelling), from outside.
//!
//! # What fails
//!
//! A panic, and what the body of a generator or a fiber raises. A future *returns* its error: so the child of a group returns
//! a `Result`, or `()`, see [`Returned`].

mod body;
mod borrowing;
mod child;
mod entered;
mod error;
mod join_set;
mod refused;
mod run;
mod start;
mod state;

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

pub use body::EnteredGroup;
pub use borrowing::BorrowingGroup;
pub use child::{InGroup, IntoChild, Returned};
pub use error::{ErrorGroup, GroupError};
pub use join_set::{JoinNext, JoinSet};
pub use refused::{Refusal, Refused};
pub(crate) use run::{let_out, uninterrupted};
pub use start::{StartError, Started};
#[doc(hidden)]
pub use state::{Children, State};

use crate::event_loop::{Core, Loop};
use crate::task::{self, JoinHandle, TaskError};
use child::{Child, Place};

/// Tasks that are over together: asyncio's, and trio's nursery.
///
/// Cloning gives another handle to the same group, for its children to create others. It is entered once.
///
/// # Examples
///
/// ```
/// use coro_core::group::TaskGroup;
/// use coro_core::{EventLoop, Loop, time::sleep};
/// use std::time::Duration;
///
/// let sum = Loop::simulated().run(async {
///     let group = TaskGroup::new();
///     let body = async {
///         let one = group.create_task(async { sleep(Duration::from_secs(1)).await; Ok(1) })?;
///         let two = group.create_task(async { sleep(Duration::from_secs(1)).await; Ok(2) })?;
///         Ok(one.await? + two.await?)
///     };
///     group.run(body).await
/// });
/// assert_eq!(sum.unwrap().unwrap(), 3);
/// ```
///
/// # References
///
/// [`asyncio.TaskGroup`](https://docs.python.org/3/library/asyncio-task.html#task-groups),
/// [`trio.Nursery`](https://trio.readthedocs.io/en/stable/reference-core.html#nurseries-and-spawning).
#[derive(Clone)]
pub struct TaskGroup(Rc<State>);

impl Default for TaskGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl TaskGroup {
    /// A group that nobody has entered.
    pub fn new() -> Self {
        Self(Rc::new(State::new()))
    }

    /// Runs `body`, and waits for it and all children to end.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    ///
    /// # Cancellation
    ///
    /// The body and the children are cancelled, and waited for. If the future is dropped, the body is dropped with it, the
    /// children are cancelled and nobody waits for them; their errors are reported to the loop's exception handler.
    pub fn run<T, F>(&self, body: F) -> impl Future<Output = Result<T, GroupError>> + use<T, F>
    where
        F: Future<Output = Result<T, TaskError>>,
    {
        run::run(Rc::clone(&self.0), body)
    }

    /// Begins a child, of any flavour. Its error is for the group alone: whoever awaits the handle sees
    /// [`TaskError::GivenToGroup`], if they are not cancelled before. For one with a name, with a context, or eager, see
    /// [`task::Builder::spawn_in`].
    ///
    /// # Errors
    ///
    /// [`Refused`], with the child, if the group has not been entered, is finished or shuts down.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    ///
    /// # References
    ///
    /// [`TaskGroup.create_task`](https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup.create_task).
    #[track_caller]
    pub fn create_task<C>(&self, child: C) -> Result<JoinHandle<C::Value>, Refused<C>>
    where
        C: IntoChild<Body: 'static> + 'static,
        C::Value: 'static,
    {
        self.create(child, None, Location::caller())
    }

    /// [`create_task`](Self::create_task), as a builder says.
    pub(crate) fn create<C>(
        &self,
        child: C,
        builder: Option<task::Builder<'_>>,
        at: &'static Location<'static>,
    ) -> Result<JoinHandle<C::Value>, Refused<C>>
    where
        C: IntoChild<Body: 'static> + 'static,
        C::Value: 'static,
    {
        match self.0.refusal() {
            None => {
                let handle = self.begin(child, builder, None, at);
                // An error of it is read by the group.
                handle.header().mark_read();
                Ok(handle)
            }
            Some(why) => Err(Refused::new(child, why)),
        }
    }

    fn begin<C>(
        &self,
        child: C,
        builder: Option<task::Builder<'_>>,
        starting: Option<Rc<Cell<bool>>>,
        at: &'static Location<'static>,
    ) -> JoinHandle<C::Value>
    where
        C: IntoChild<Body: 'static> + 'static,
        C::Value: 'static,
    {
        let place = Place::new(&self.0, starting);
        let key = place.key();
        let child = Child { child, place };
        match builder {
            None => {
                let handle = Loop::spawn_on_running_at("TaskGroup::create_task", child, at);
                self.0.set_child(key, handle.task());
                handle
            }
            Some(builder) => {
                let core = Core::current_or_panic("task::Builder::spawn_in");
                // Before its first step, in which an eager one may end already.
                builder.spawn_at(&core, child, at, |task| self.0.set_child(key, task))
            }
        }
    }

    /// Cancels the body and all children. The group ends without an error, unless something fails meanwhile.
    ///
    /// What the body is cancelled at is its next wait; if it gives a value all the same, the group does.
    ///
    /// # References
    ///
    /// [`TaskGroup.cancel`](https://docs.python.org/3.15/library/asyncio-task.html#asyncio.TaskGroup.cancel).
    pub fn cancel(&self) {
        self.0.abort(None);
    }

    /// [`cancel`](Self::cancel), with a message for those who see the cancellation.
    pub fn cancel_with(&self, message: &str) {
        self.0.abort(Some(message));
    }

    /// How many children have not ended.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all children have ended.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn state(&self) -> &Rc<State> {
        &self.0
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
