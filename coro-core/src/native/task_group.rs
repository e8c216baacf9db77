//! Parts of a body that have children.

use core::convert::Infallible;

use crate::coroutine::Thrown;
use crate::group::{EnteredGroup, GroupError, TaskGroup};
use crate::task::TaskError;

use super::Co;

impl<M> Co<'_, (), Infallible, TaskError, M> {
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
    /// use coro_core::native::Native;
    /// use coro_core::{EventLoop, Loop, TaskError, time::sleep};
    /// use std::{convert::Infallible, time::Duration};
    ///
    /// let second = Duration::from_secs(1);
    /// let task = Native::<(), Infallible, _, TaskError>::new(async move |co| {
    ///     let group = TaskGroup::new();
    ///     let sum = co.group(&group, async |co| {
    ///         let one = group.create_task(async move { sleep(second).await; Ok(1) })?;
    ///         let two = group.create_task(async move { sleep(second).await; Ok(2) })?;
    ///         Ok(co.wait(one).await?? + co.wait(two).await??)
    ///     });
    ///     Ok(sum.await??)
    /// });
    /// assert_eq!(Loop::simulated().run(task).unwrap(), 3);
    /// ```
    ///
    /// # References
    ///
    /// [`asyncio.TaskGroup`](https://docs.python.org/3/library/asyncio-task.html#task-groups).
    pub async fn group<T, B>(
        &mut self,
        group: &TaskGroup,
        body: B,
    ) -> Result<Result<T, GroupError>, Thrown<TaskError>>
    where
        B: for<'a> AsyncFnOnce(&'a mut Self) -> Result<T, Thrown<TaskError>>,
    {
        let mut entered = match EnteredGroup::new(group) {
            Ok(entered) => entered,
            Err(error) => return Ok(Err(error)),
        };
        let result = body(self).await;
        entered.body_ended(result);
        while let Some(children) = entered.children() {
            let waited = self.wait(children).await;
            entered.waited(waited);
        }
        entered.exit()
    }
}
