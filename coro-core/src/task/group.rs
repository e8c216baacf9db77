//! Waiting for several tasks.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::header::Joiner;
use super::{JoinHandle, TaskError, word_of};
use crate::event_loop::{Core, Waiting, Word};

/// The members of a gather or an as_completed that have ended, in that order, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Group {
    done: RefCell<VecDeque<usize>>,
    /// All who wait. All are woken when one ends: one of them takes it, and the others wait again.
    wakers: RefCell<Vec<Waker>>,
}

impl Group {
    /// Called by the loop when a member has ended.
    pub(crate) fn member_done(&self, index: usize) {
        self.done.borrow_mut().push_back(index);
        let wakers = self.wakers.take();
        for waker in wakers {
            waker.wake();
        }
    }

    /// Tells of each task that waits.
    pub(crate) fn each_waiter(&self, tell: impl FnMut(Word)) {
        self.wakers.borrow().iter().filter_map(word_of).for_each(tell);
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<usize> {
        if let Some(index) = self.done.borrow_mut().pop_front() {
            return Poll::Ready(index);
        }
        let mut wakers = self.wakers.borrow_mut();
        if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
        Core::note_wait(|_| Waiting::Group);
        Poll::Pending
    }
}

fn enlist<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> (Rc<Group>, Vec<Option<JoinHandle<T>>>) {
    let group = Rc::new(Group::default());
    let members: Vec<_> = tasks.into_iter().map(Some).collect();
    for (index, member) in members.iter().flatten().enumerate() {
        if member.is_done() {
            group.member_done(index);
        } else {
            member.header().set_joiner(Some(Joiner::Member(Rc::clone(&group), index)));
        }
    }
    (group, members)
}

/// Takes the result of a member that is in the group's list of ended ones.
fn take<T>(member: &mut Option<JoinHandle<T>>) -> Option<Result<T, TaskError>> {
    let mut member = member.take()?;
    Some(member.try_result().unwrap_or(Err(TaskError::AlreadyTaken)))
}

/// Why waiting for these here would be wrong, if it would.
fn join_error<T>(members: &[Option<JoinHandle<T>>]) -> Option<TaskError> {
    members
        .iter()
        .flatten()
        .filter(|member| !member.is_done())
        .find_map(|member| Core::join_error(member.header()))
}

/// Waits for all `tasks`; gives their results in the order of the arguments.
///
/// The first error ends the wait, and the other tasks run on; their own errors count as read.
///
/// # Errors
///
/// That of the first task to fail.
///
/// # Cancellation
///
/// Dropping it before it is done cancels the tasks that have not ended.
///
/// # Examples
///
/// ```
/// use coro_core::{Loop, EventLoop, native::spawn, task::gather, time::sleep};
/// use std::time::Duration;
///
/// let both = Loop::simulated().run(async {
///     let slow = spawn(async { sleep(Duration::from_secs(2)).await; "slow" });
///     let fast = spawn(async { sleep(Duration::from_secs(1)).await; "fast" });
///     gather([slow, fast]).await
/// });
/// assert_eq!(both.unwrap().unwrap(), ["slow", "fast"]);
/// ```
///
/// # References
///
/// [`asyncio.gather`](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather).
pub fn gather<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Gather<T> {
    let (group, members) = enlist(tasks);
    let results = members.iter().map(|_| None).collect();
    Gather { group, remaining: members.len(), members, results }
}

/// A wait for several tasks. Made by [`gather`].
#[must_use = "a gather does nothing until it is awaited"]
pub struct Gather<T> {
    group: Rc<Group>,
    members: Vec<Option<JoinHandle<T>>>,
    results: Vec<Option<T>>,
    remaining: usize,
}

// Nothing in it is pinned.
impl<T> Unpin for Gather<T> {}

impl<T> Future for Gather<T> {
    type Output = Result<Vec<T>, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(error) = join_error(&this.members) {
            return Poll::Ready(Err(this.fail(error)));
        }
        while this.remaining > 0 {
            let Poll::Ready(index) = this.group.poll_next(cx) else { return Poll::Pending };
            match take(&mut this.members[index]) {
                Some(Ok(value)) => this.results[index] = Some(value),
                Some(Err(error)) => return Poll::Ready(Err(this.fail(error))),
                None => {}
            }
            this.remaining -= 1;
        }
        Poll::Ready(Ok(this.results.drain(..).flatten().collect()))
    }
}

impl<T> Gather<T> {
    /// Lets the other tasks run on, their errors counted as read.
    fn fail(&mut self, error: TaskError) -> TaskError {
        for member in self.members.drain(..).flatten() {
            member.header().mark_read();
        }
        error
    }
}

impl<T> Drop for Gather<T> {
    fn drop(&mut self) {
        for member in self.members.iter().flatten() {
            member.cancel();
        }
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather")
            .field("tasks", &self.members.len())
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}

/// Gives the results of `tasks` in the order in which they end.
///
/// It is an `Iterator` of futures (asyncio's plain `for`), and [`into_stream`](AsCompleted::into_stream) makes a
/// [`Stream`] of results of it (asyncio's `async for`).
///
/// # Cancellation
///
/// Strict: dropping it detaches the tasks, which run on.
///
/// # References
///
/// [`asyncio.as_completed`](https://docs.python.org/3/library/asyncio-task.html#asyncio.as_completed).
pub fn as_completed<T>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> AsCompleted<T> {
    let (group, members) = enlist(tasks);
    let promised = 0;
    AsCompleted { shared: Rc::new(Completing { group, members: RefCell::new(members) }), promised }
}

/// The results of several tasks, as they end. Made by [`as_completed`].
#[must_use = "as_completed does nothing until it is read"]
pub struct AsCompleted<T> {
    shared: Rc<Completing<T>>,
    /// How many results were asked for.
    promised: usize,
}

struct Completing<T> {
    group: Rc<Group>,
    members: RefCell<Vec<Option<JoinHandle<T>>>>,
}

impl<T> Completing<T> {
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<T, TaskError>> {
        if let Some(error) = join_error(&self.members.borrow()) {
            return Poll::Ready(Err(error));
        }
        loop {
            let Poll::Ready(index) = self.group.poll_next(cx) else { return Poll::Pending };
            let mut member = self.members.borrow_mut()[index].take();
            if let Some(result) = take(&mut member) {
                return Poll::Ready(result);
            }
        }
    }
}

impl<T> AsCompleted<T> {
    /// The results that were not asked for yet, as a stream.
    pub fn into_stream(self) -> Completed<T> {
        Completed(self)
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Next<T>;

    fn next(&mut self) -> Option<Next<T>> {
        let total = self.shared.members.borrow().len();
        (self.promised < total).then(|| {
            self.promised += 1;
            Next { shared: Rc::clone(&self.shared) }
        })
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("promised", &self.promised).finish_non_exhaustive()
    }
}

/// The next result of an [`AsCompleted`]: whichever task ends next, not a particular one.
#[must_use = "a future does nothing until it is awaited"]
pub struct Next<T> {
    shared: Rc<Completing<T>>,
}

impl<T> Future for Next<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.shared.poll_next(cx)
    }
}

impl<T> fmt::Debug for Next<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

/// The results of several tasks, as a stream. Made by [`AsCompleted::into_stream`].
#[derive(Debug)]
#[must_use = "a stream does nothing until it is read"]
pub struct Completed<T>(AsCompleted<T>);

impl<T> Stream for Completed<T> {
    type Item = Result<T, TaskError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let completing = &mut self.0;
        if completing.promised == completing.shared.members.borrow().len() {
            return Poll::Ready(None);
        }
        let polled = completing.shared.poll_next(cx);
        completing.promised += usize::from(polled.is_ready());
        polled.map(Some)
    }
}
