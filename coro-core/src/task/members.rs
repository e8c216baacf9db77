//! Several tasks, of which somebody waits for the next one to end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::header::Joiner;
use super::{Cancelled, JoinHandle, TaskError, word_of};
use crate::event_loop::{Core, Waiting, Word};

/// Those of several tasks that have ended, in that order, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    done: RefCell<VecDeque<usize>>,
    /// All who wait. All are woken when one ends: one of them takes it, and the others wait again.
    wakers: RefCell<Vec<Waker>>,
}

impl Ended {
    /// Called by the loop when a member has ended.
    pub(crate) fn member_done(&self, index: usize) {
        self.done.borrow_mut().push_back(index);
        self.wake_all();
    }

    /// Tells of each task that waits.
    pub(crate) fn each_waiter(&self, tell: impl FnMut(Word)) {
        self.wakers.borrow().iter().filter_map(word_of).for_each(tell);
    }

    pub(super) fn wake_all(&self) {
        let wakers = self.wakers.take();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The next one that has ended.
    pub(super) fn pop(&self) -> Option<usize> {
        self.done.borrow_mut().pop_front()
    }

    /// From now on, whoever polls waits.
    pub(super) fn wait(&self, cx: &Context<'_>) {
        let wakers = self.wakers.borrow();
        if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            // One of another one's is cloned by code of theirs.
            drop(wakers);
            let waker = cx.waker().clone();
            self.wakers.borrow_mut().push(waker);
        }
        Core::note_wait(|_| Waiting::Group);
    }

    /// The task behind `handle` tells of its end, as the one of this number.
    pub(super) fn enlist<T>(this: &Rc<Self>, handle: &JoinHandle<T>, index: usize) {
        if handle.is_done() {
            this.member_done(index);
        } else {
            handle.header().set_joiner(Some(Joiner::Member(Rc::clone(this), index)));
        }
    }
}

/// Several tasks, each with its number.
pub(crate) struct Members<T> {
    ended: Rc<Ended>,
    /// Those that have not been taken.
    all: Slab<JoinHandle<T>>,
    /// Those of which it is not known yet whether it would be wrong to wait for them.
    unchecked: VecDeque<usize>,
}

impl<T> Members<T> {
    /// They are numbered from 0 on.
    pub(crate) fn new(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Self {
        let mut members = Self { ended: Rc::default(), all: Slab::new(), unchecked: VecDeque::new() };
        for task in tasks {
            members.push(task);
        }
        members
    }

    /// Another one. Gives its number, which may have been that of one that has been taken.
    pub(crate) fn push(&mut self, task: JoinHandle<T>) -> usize {
        let place = self.all.vacant_entry();
        let index = place.key();
        Ended::enlist(&self.ended, &task, index);
        place.insert(task);
        self.unchecked.push_back(index);
        index
    }

    /// How many have not been taken.
    pub(crate) fn left(&self) -> usize {
        self.all.len()
    }

    pub(super) fn ended(&self) -> &Rc<Ended> {
        &self.ended
    }

    /// Takes the next one that has ended, or that it would be wrong to wait for here. `None` if all have been taken.
    pub(crate) fn poll_ended(&mut self, cx: &Context<'_>) -> Poll<Option<Member<T>>> {
        let ended = self.take_ended();
        if ended.is_pending() {
            self.ended.wait(cx);
        }
        ended
    }

    /// [`poll_ended`](Self::poll_ended), for who says himself that he waits.
    pub(super) fn take_ended(&mut self) -> Poll<Option<Member<T>>> {
        while !self.all.is_empty() {
            let (index, wrong) = match self.wrong() {
                Some((index, error)) => (index, Some(error)),
                None => match self.ended.pop() {
                    Some(index) => (index, None),
                    None => return Poll::Pending,
                },
            };
            if let Some(handle) = self.all.try_remove(index) {
                return Poll::Ready(Some(Member { index, handle, wrong }));
            }
        }
        Poll::Ready(None)
    }

    /// Takes the result of the next one.
    pub(crate) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<(usize, Result<T, TaskError>)>> {
        self.poll_ended(cx).map(|ended| ended.map(Member::into_result))
    }

    /// One that it would be wrong to wait for here, and why.
    fn wrong(&mut self) -> Option<(usize, TaskError)> {
        while let Some(index) = self.unchecked.pop_front() {
            let pending = self.all.get(index).filter(|member| !member.is_done());
            if let Some(error) = pending.and_then(|member| Core::join_error(member.header())) {
                return Some((index, error));
            }
        }
        None
    }

    /// Asks those to end that have not; those that have been asked with the very same before only if it is to be `again`.
    pub(crate) fn cancel(&self, cancelled: &Cancelled, again: bool) {
        for (_, member) in &self.all {
            if again {
                member.task().cancel(cancelled);
            } else {
                member.task().cancel_once(cancelled);
            }
        }
    }

    /// Lets them run on, their errors counted as read.
    pub(crate) fn let_go(&mut self) {
        for member in self.all.drain() {
            member.header().mark_read();
        }
    }
}

/// One that has ended, or that it would be wrong to wait for.
pub(crate) struct Member<T> {
    index: usize,
    handle: JoinHandle<T>,
    wrong: Option<TaskError>,
}

impl<T> Member<T> {
    /// Its number and its result.
    pub(crate) fn into_result(mut self) -> (usize, Result<T, TaskError>) {
        let result = match self.wrong {
            Some(error) => Err(error),
            None => self.handle.try_result().unwrap_or(Err(TaskError::AlreadyTaken)),
        };
        (self.index, result)
    }
}

/// Those that are cancelled when it is dropped.
pub(crate) struct Owned<T>(pub(crate) Members<T>);

impl<T> Owned<T> {
    /// They are not cancelled.
    pub(crate) fn release(mut self) -> Members<T> {
        std::mem::replace(&mut self.0, Members::new([]))
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.0.all.is_empty() {
            self.0.cancel(&Cancelled::new(), false);
        }
    }
}
