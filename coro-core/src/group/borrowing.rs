//! Groups whose children borrow.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::entered::{BodyEnd, Entered};
use super::run::finish;
use super::{GroupError, Refused, Returned, State};
use crate::event_loop::Core;
use crate::native::catch;
use crate::scope::Scoped;
use crate::task::{Cancelled, Panic, TaskError};

/// A group whose children are futures that may borrow what lives as long as the group: they are no tasks, but polled in the
/// task that the group is in.
///
/// It ends as a [`TaskGroup`](super::TaskGroup) does: what fails cancels the rest, in the same manner, all are waited for, and
/// the errors arrive as one. Each wake of one polls all of them: it is for some, not for thousands. The children cannot borrow
/// the group itself: it is the body that adds them.
///
/// # Examples
///
/// ```
/// use coro_core::group::BorrowingGroup;
/// use coro_core::{EventLoop, Loop, time::sleep};
/// use std::{cell::Cell, time::Duration};
///
/// let total = Loop::simulated().run(async {
///     let (seconds, sum) = (vec![3, 1, 2], Cell::new(0));
///     let (group, total) = (BorrowingGroup::new(), &sum);
///     let body = async {
///         for seconds in &seconds {
///             group.add(async move {
///                 sleep(Duration::from_secs(*seconds)).await;
///                 total.set(total.get() + seconds);
///             })?;
///         }
///         Ok(())
///     };
///     group.run(body).await.map(|()| total.get())
/// });
/// assert_eq!(total.unwrap().unwrap(), 6);
/// ```
pub struct BorrowingGroup<'a> {
    state: Rc<State>,
    /// Those that have not begun.
    added: RefCell<Vec<Child<'a>>>,
    waker: Cell<Option<Waker>>,
}

type Child<'a> = Pin<Box<dyn Future<Output = Result<Result<(), TaskError>, Cancelled>> + 'a>>;

impl Default for BorrowingGroup<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> BorrowingGroup<'a> {
    /// A group that nobody has entered.
    pub fn new() -> Self {
        Self { state: Rc::new(State::new()), added: RefCell::default(), waker: Cell::default() }
    }

    /// Begins a child, which is first polled after the one that calls this.
    ///
    /// # Errors
    ///
    /// [`Refused`], with the child, if the group has not been entered, is finished or shuts down.
    pub fn add<F>(&self, child: F) -> Result<(), Refused<F>>
    where
        F: Future<Output: Returned<Value = ()>> + 'a,
    {
        if let Some(why) = self.state.refusal() {
            return Err(Refused::new(child, why));
        }
        let child: Child<'a> = Box::pin(catch(async { child.await.returned() }));
        self.added.borrow_mut().push(child);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    /// Cancels the body and all children: see [`TaskGroup::cancel`](super::TaskGroup::cancel).
    pub fn cancel(&self) {
        self.state.abort(None);
    }

    /// Runs `body`, and waits for it and all children to end.
    ///
    /// # Errors
    ///
    /// [`GroupError`].
    ///
    /// # Panics
    ///
    /// When a child fails outside of a task.
    ///
    /// # Cancellation
    ///
    /// The body and the children are cancelled, as futures are, and waited for. If the future is dropped, all are.
    pub async fn run<T, F>(&self, body: F) -> Result<T, GroupError>
    where
        F: Future<Output = Result<T, TaskError>>,
    {
        let mut entered = Entered::new(&self.state)?;
        let (mut body, mut over, mut children) = (pin!(catch(body)), false, Vec::new());
        let all = poll_fn(|cx| {
            if !over && let Poll::Ready(result) = body.as_mut().poll(cx) {
                over = true;
                match result {
                    Ok(Ok(value)) => entered.body_ended(BodyEnd::Value(value)),
                    Ok(Err(error)) => entered.body_ended(BodyEnd::Raised(error)),
                    Err(cancelled) if self.state.scope.is_own(&cancelled) => {}
                    Err(cancelled) => entered.interrupted_with_all(cancelled.into()),
                }
            }
            self.poll_children(&mut children, &mut entered, cx);
            if over && children.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        });
        // If there was nobody to hear its cancellation, it has not begun.
        drop(Scoped::new(all, Rc::clone(&self.state.scope)).await);
        finish(entered).await
    }

    /// Polls all, those that are added meanwhile too.
    fn poll_children<T>(
        &self,
        children: &mut Vec<Child<'a>>,
        entered: &mut Entered<T>,
        cx: &mut Context<'_>,
    ) {
        let mut begun = 0;
        loop {
            let added = self.added.take();
            if !self.state.is_aborted() {
                children.extend(added);
            }
            // In the order in which they were added; one that ends leaves its place.
            while let Some(child) = children.get_mut(begun) {
                match catch_unwind(AssertUnwindSafe(|| child.as_mut().poll(cx))) {
                    Ok(Poll::Pending) => begun += 1,
                    Ok(Poll::Ready(result)) => {
                        drop(children.remove(begun));
                        self.child_ended(result, entered);
                    }
                    Err(payload) => {
                        drop(children.remove(begun));
                        self.child_ended(Ok(Err(TaskError::Panicked(Panic::new(payload)))), entered);
                    }
                }
            }
            if self.added.borrow().is_empty() {
                break;
            }
        }
        drop(self.waker.replace(Some(cx.waker().clone())));
    }

    fn child_ended<T>(&self, result: Result<Result<(), TaskError>, Cancelled>, entered: &mut Entered<T>) {
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.is_cancelled() => {}
            Ok(Err(error)) => match Core::running_task() {
                Some(task) => self.state.fail(task, error),
                None => panic!("the child of a group has failed outside of a task: {error}"),
            },
            Err(cancelled) if self.state.scope.is_own(&cancelled) => {}
            Err(cancelled) => entered.interrupted_with_all(cancelled.into()),
        }
    }
}

impl fmt::Debug for BorrowingGroup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BorrowingGroup").field(&self.state).finish()
    }
}
