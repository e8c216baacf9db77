//! Where in a task a cancellation lands.
//!
//! ```text
//!   the task's body
//!   ├─ catch ── a wait              a landing: told, it drops the wait, and what is after it may clean up
//!   └─ catch ─┬─ catch ── a wait    only the inner one is told
//!             └─ a join handle      told, it cancels its task, and passes the error on when that has ended with it
//! ```
//!
//! The landings of a task are a tree, in the order in which they are polled: each is linked when it is first polled, to the
//! one that is being polled then, and unlinked when it is over or dropped. A cancellation is thrown at the leaves, each
//! woken by its own waker, and the body is polled. If none of them was there to hear it, the body itself is thrown at: a
//! landing that nobody polls any more keeps nobody from being cancelled.
//!
//! A waker is cloned, called and dropped while nothing of the tree is borrowed.

mod tree;

use std::any::Any;
use std::fmt;
use std::mem::{forget, replace};
use std::task::{Context, Poll, Waker};

use super::{Cancelled, TaskError, TaskRef, cloned, with_attentive, word_of};
use crate::coroutine::Thrown;
use crate::event_loop::{Core, Heard, Throwing};
pub(crate) use tree::Kind;
pub(super) use tree::Landings;
use tree::NONE;

/// A place where the cancellation of a task can land: for futures that have something to end themselves, before they are
/// dropped. [`native::catch`](crate::native::catch) is one.
///
/// A future that runs another coroutine keeps one, asks it first in every poll, and polls in it. What it is told it throws
/// into the coroutine. If the coroutine lets it out, it [passes it on](Self::pass_on).
///
/// Outside of a task it never hears anything.
///
/// # Examples
///
/// A future that gives its own end when it is cancelled:
///
/// ```
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
/// use coro_core::task::{self, Landing};
/// use coro_core::{EventLoop, Loop, time::yield_now};
///
/// struct Endless(Landing);
///
/// impl Future for Endless {
///     type Output = &'static str;
///
///     fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'static str> {
///         match self.0.poll_thrown(cx) {
///             Some(_) => Poll::Ready("ended"),
///             None => Poll::Pending,
///         }
///     }
/// }
///
/// let event_loop = Loop::simulated();
/// let endless = event_loop.spawn(Endless(Landing::new()));
/// event_loop.run_until_complete(event_loop.spawn(yield_now())).unwrap();
/// endless.cancel();
/// assert_eq!(event_loop.run_until_complete(endless).unwrap(), "ended");
/// ```
#[derive(Default)]
pub struct Landing(Option<Linked>);

struct Linked {
    task: TaskRef,
    key: usize,
}

/// What a landing that was entered is in.
#[must_use]
pub(crate) struct Outside(usize);

/// A landing that is being polled, until this is dropped; also if that unwinds.
struct Entered<'l> {
    linked: Option<&'l Linked>,
    outside: usize,
}

impl Drop for Entered<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(linked) = self.linked {
            linked.with_key(|landings, key| {
                if landings.current == key {
                    landings.current = self.outside;
                }
            });
        }
    }
}

impl Landing {
    /// One that is not linked yet.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Begins a poll: gives what was thrown since the last one. Before anything else, so that what is cancelled does not
    /// run first.
    pub fn poll_thrown(&mut self, cx: &Context<'_>) -> Option<Cancelled> {
        let thrown = self.poll_as(cx, Kind::Landing);
        if thrown.is_some() {
            Core::note_heard(Heard::Caught);
        }
        thrown
    }

    /// [`poll_thrown`](Self::poll_thrown), for one who may be deaf to it.
    pub(crate) fn poll_as(&mut self, cx: &Context<'_>, kind: Kind) -> Option<Cancelled> {
        match &self.0 {
            Some(linked) if Core::is_running(&linked.task) => linked.poll(cx.waker()),
            _ => {
                self.link(cx, kind, |_, _| ());
                None
            }
        }
    }

    /// Links it, in the one that is polled now, and [enters](Self::enter) it. Gives what is to be left, and how often its
    /// task was asked to end.
    pub(crate) fn begin(&mut self, cx: &Context<'_>, kind: Kind) -> (Outside, u32) {
        let outside = self.link(cx, kind, |landings, key| replace(&mut landings.current, key));
        (Outside(outside.unwrap_or(NONE)), self.cancelling())
    }

    #[inline(always)]
    fn link<T>(
        &mut self,
        cx: &Context<'_>,
        kind: Kind,
        then: impl FnOnce(&mut Landings, usize) -> T,
    ) -> Option<T> {
        let task = Core::running_task()?;
        // If there is one, it was given to another task.
        self.leave();
        let waker = cloned(cx.waker());
        let (key, result) = task.header().with_landings(|landings| {
            let key = landings.link(kind, waker);
            (key, then(landings, key))
        });
        self.0 = Some(Linked { task, key });
        Some(result)
    }

    /// Polls what is in it: the landings there are inner ones.
    #[inline(always)]
    pub fn within<T>(&self, cx: &Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let _entered = self.enter();
        self.with_waker(cx, poll)
    }

    /// [`within`](Self::within), for one who has entered it if there is an `outside`, and who leaves it next if `poll` is
    /// ready.
    #[inline(always)]
    pub(crate) fn poll_within<T>(
        &self,
        outside: Option<Outside>,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let entered = match outside {
            Some(Outside(outside)) => Entered { linked: self.0.as_ref(), outside },
            None => self.enter(),
        };
        let polled = self.with_waker(cx, poll);
        if polled.is_ready() {
            forget(entered);
        }
        polled
    }

    /// Those that are linked from now on are in it.
    #[inline(always)]
    fn enter(&self) -> Entered<'_> {
        let linked = self.0.as_ref();
        let enter = |linked: &Linked| linked.with_key(|landings, key| replace(&mut landings.current, key));
        Entered { linked, outside: linked.map_or(NONE, enter) }
    }

    #[inline(always)]
    fn with_waker<T>(&self, cx: &Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        if self.0.is_none() {
            return poll(&mut Context::from_waker(cx.waker()));
        }
        with_attentive(cx.waker(), |waker| poll(&mut Context::from_waker(waker)))
    }

    /// Something was thrown that it has not been told: by what is in it, which passed it on, or by the task itself.
    pub fn is_thrown(&self) -> bool {
        self.0.as_ref().is_some_and(|linked| {
            linked.with(|landings| landings.nodes.get(linked.key).is_some_and(|node| node.thrown.is_some()))
        })
    }

    /// What was thrown here came out again, and goes on to what this is in: the next landing, or the body of the task. The
    /// future stays pending; it will be dropped.
    pub fn pass_on(&mut self, cancelled: &Cancelled) {
        let Some(linked) = &self.0 else { return };
        match linked.with(|landings| landings.pass_on(linked.key, cancelled)) {
            Some(Some(waker)) => waker.wake(),
            Some(None) => {}
            None => linked.task.comes_back(cancelled),
        }
    }

    /// What was thrown here is for what this is in. False if that is the body of the task, which will be thrown at.
    pub(crate) fn forward(&mut self, cancelled: &Cancelled) -> bool {
        let Some(linked) = &self.0 else { return false };
        match linked.with(|landings| landings.forward(linked.key, cancelled)) {
            Some(waker) => waker.into_iter().for_each(Waker::wake),
            // Unless somebody has heard it, who has let it out now.
            None if Core::thrower().is_some()
                && !linked.with(|landings| landings.is_passed_on(linked.key)) =>
            {
                return false;
            }
            None => linked.task.comes_back(cancelled),
        }
        true
    }

    /// A shield is left: what `thrower` threw, and it kept out, is thrown again.
    pub(crate) fn let_in(&self, kept: &Cancelled, thrower: Option<usize>) {
        let Some(linked) = &self.0 else { return };
        let Some(thrower) = thrower else { return linked.task.throw_kept(kept) };
        let waker = linked.with(|landings| {
            let node = landings.nodes.get_mut(thrower).filter(|node| node.kind != Kind::Landing)?;
            node.again = true;
            node.waker.take()
        });
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether what it threw is to be thrown again.
    pub(crate) fn take_again(&self) -> bool {
        self.0.as_ref().is_some_and(|linked| {
            linked.with(|landings| {
                landings.nodes.get_mut(linked.key).is_some_and(|node| replace(&mut node.again, false))
            })
        })
    }

    /// How often its task was asked to end.
    pub(crate) fn cancelling(&self) -> u32 {
        self.0.as_ref().map_or(0, |linked| linked.task.header().cancelling())
    }

    /// Whether there is any landing in it.
    pub(crate) fn has_inside(&self) -> bool {
        self.0.as_ref().is_some_and(|linked| {
            linked.with(|landings| landings.nodes.get(linked.key).is_some_and(|node| node.inside > 0))
        })
    }

    /// Whether something was thrown at a landing in it, from further out, that it has not been told.
    pub(crate) fn is_thrown_inside(&self) -> bool {
        self.0.as_ref().is_some_and(|linked| linked.with(|landings| landings.is_thrown_in(linked.key)))
    }

    /// Throws into what is in it, while that is polled.
    pub(crate) fn begin_throw(&self, cancelled: &Cancelled, again: bool) -> Throwing {
        let wakers =
            self.0.as_ref().map(|linked| linked.with(|landings| landings.throw_in(linked.key, cancelled)));
        let source = self.0.as_ref().map(|linked| linked.key);
        let throwing = Core::throw_within(cancelled, source, again);
        wakers.into_iter().flatten().for_each(Waker::wake);
        throwing
    }

    /// A task has been asked to end in its place: its answer is owed.
    pub(crate) fn owe(&self, cancelled: &Cancelled) {
        if let Some(linked) = &self.0 {
            linked.with(|landings| {
                landings.take_owed(cancelled);
                landings.owed.push(cancelled.clone());
            });
        }
    }

    /// One has answered. False if another one has before.
    pub(crate) fn take_owed(&self, cancelled: &Cancelled) -> bool {
        self.0.as_ref().is_some_and(|linked| linked.with(|landings| landings.take_owed(cancelled)))
    }

    /// It is over: as dropping it.
    #[inline(always)]
    pub fn leave(&mut self) {
        if let Some(linked) = self.0.take() {
            linked.leave();
        }
    }

    /// [`leave`](Self::leave), unless something was thrown that it has not been told: that is given then.
    pub(crate) fn leave_or_take_thrown(&mut self) -> Option<Cancelled> {
        match self.0.as_ref()?.with_key(Landings::unlink_unless_thrown) {
            Ok(waker) => {
                self.0 = None;
                drop_waker(waker);
                None
            }
            Err(thrown) => Some(thrown),
        }
    }
}

/// Drops it, without a call if it is one of ours.
#[inline(always)]
fn drop_waker(waker: Option<Waker>) {
    if let Some(waker) = waker.filter(|waker| word_of(waker).is_none()) {
        drop(waker)
    }
}

impl Linked {
    #[inline(always)]
    fn with<T>(&self, look: impl FnOnce(&mut Landings) -> T) -> T {
        self.task.header().with_landings(look)
    }

    #[inline(always)]
    fn with_key<T>(&self, look: impl FnOnce(&mut Landings, usize) -> T) -> T {
        self.with(|landings| look(landings, self.key))
    }

    #[inline(never)]
    fn leave(self) {
        // Its waker goes outside of the tree.
        drop(self.with_key(Landings::unlink));
    }

    fn poll(&self, waker: &Waker) -> Option<Cancelled> {
        let (thrown, known) = self.with(|landings| {
            landings.polled(self.key);
            let node = landings.nodes.get(self.key);
            let known = node.and_then(|node| node.waker.as_ref()).is_some_and(|old| old.will_wake(waker));
            (landings.take_thrown(self.key), known)
        });
        if !known {
            let waker = cloned(waker);
            let outdated = self.with(|landings| landings.nodes.get_mut(self.key)?.waker.replace(waker));
            drop(outdated);
        }
        thrown
    }
}

impl Drop for Landing {
    #[inline(always)]
    fn drop(&mut self) {
        self.leave();
    }
}

impl TaskRef {
    /// A part of the body is cancelled: that of the coroutine in a landing, or of the task itself.
    pub(crate) fn throw_for_scope(&self, base: usize, cancelled: &Cancelled) {
        if base == NONE {
            return self.throw_scope();
        }
        let waker = self.header().with_landings(|landings| landings.tell(base, cancelled, true));
        waker.flatten().into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Landing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Landing").field("linked", &self.0.is_some()).finish()
    }
}

/// A cancellation, as what is thrown into a coroutine with errors of this type.
pub(crate) fn thrown_as<E: 'static>(cancelled: Cancelled) -> Thrown<E> {
    let mut error = Some(TaskError::from(cancelled));
    let error: &mut dyn Any = &mut error;
    // None of its own could stand for it.
    error.downcast_mut::<Option<E>>().and_then(Option::take).map_or(Thrown::Exit, Thrown::Error)
}
