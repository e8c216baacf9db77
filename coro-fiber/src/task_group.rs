//! Parts of a body that have children.

use std::convert::Infallible;

use coro_core::coroutine::Thrown;
use coro_core::group::{EnteredGroup, GroupError, TaskGroup};
use coro_core::task::TaskError;

use crate::Co;

impl Co<'_, (), Infallible, TaskError> {
    /// Runs `body` in `group`, and waits for it and all children to end: asyncio's `async with TaskGroup() as group`.
    ///
    /// When something in the group fails, or it is cancelled, the error is thrown at the wait of the body, once. The group
    /// takes it when it comes out here.
    ///
    /// # Errors
    ///
    /// [`GroupError`] inside, if something failed in the group or it was cancelled; outside, what was thrown otherwise. `??`
    /// is for both.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    ///
    /// # Cancellation
    ///
    /// The children are cancelled, and waited for.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::group::TaskGroup;
    /// use coro_core::{EventLoop, Loop, time::sleep};
    /// use std::time::Duration;
    ///
    /// let task = coro_fiber::task(|co| {
    ///     let group = TaskGroup::new();
    ///     let sum = co.group(&group, |co| {
    ///         let [one, two] = [1, 2].map(|number| {
    ///             group.create_task(coro_fiber::task(move |co| {
    ///                 co.wait(sleep(Duration::from_secs(1)))?;
    ///                 Ok(number)
    ///             }))
    ///         });
    ///         Ok(co.wait(one?)?? + co.wait(two?)??)
    ///     });
    ///     Ok(sum??)
    /// });
    /// assert_eq!(Loop::simulated().run(task).unwrap(), 3);
    /// ```
    ///
    /// # References
    ///
    /// [`asyncio.TaskGroup`](https://docs.python.org/3/library/asyncio-task.html#task-groups).
    pub fn group<T, B>(
        &mut self,
        group: &TaskGroup,
        body: B,
    ) -> Result<Result<T, GroupError>, Thrown<TaskError>>
    where
        B: for<'a> FnOnce(&'a mut Self) -> Result<T, Thrown<TaskError>>,
    {
        let mut entered = match EnteredGroup::new(group) {
            Ok(entered) => entered,
            Err(error) => return Ok(Err(error)),
        };
        let result = body(self);
        entered.body_ended(result);
        while let Some(children) = entered.children() {
            let waited = self.wait(children);
            entered.waited(waited);
        }
        entered.exit()
    }
}
