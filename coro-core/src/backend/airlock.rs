//! The slots through which a body and its driver exchange values.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::task::{Context, Poll, Waker};

use super::sub::Take;
use super::{BoxedFrame, Delegation, Request, Sub};
use crate::coroutine::Thrown;

/// The exchange between a body and whoever resumes it: one value each way, and the wake.
///
/// ```text
///   driver ── 1 put ──▶ [ answer  ] ── 2 answer ──▶ body
///   driver ◀─ 4 take ── [ request ] ◀── 3 ask ───── body
/// ```
///
/// The engine underneath is used as a bare switch; no value passes through it.
pub struct Airlock<S, Y, E> {
    answer: Cell<Option<Result<S, Thrown<E>>>>,
    request: Cell<Option<Request<Y>>>,
    /// What the body delegates to; goes with [`Request::Delegate`].
    sub: Cell<Option<Sub<S, Y, E>>>,
    /// What it delegated to, and has returned.
    ended: Cell<Option<BoxedFrame<S, Y, E>>>,
    /// Set while the body is suspended at a point where a throw can land: by `ask`, until the next resume. A body
    /// suspended in a plain `.await` has none.
    landing: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl<S, Y, E> Default for Airlock<S, Y, E> {
    fn default() -> Self {
        Self {
            answer: Cell::new(None),
            request: Cell::new(None),
            sub: Cell::new(None),
            ended: Cell::new(None),
            landing: Cell::new(false),
            waker: RefCell::new(None),
        }
    }
}

impl<S, Y, E> fmt::Debug for Airlock<S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Airlock").field("landing", &self.landing).finish_non_exhaustive()
    }
}

/// The body's side.
impl<S, Y, E> Airlock<S, Y, E> {
    /// Leaves a request. The body must switch out next.
    #[inline]
    pub fn ask(&self, request: Request<Y>) {
        self.request.set(Some(request));
        self.landing.set(true);
    }

    /// A suspension point that will ask: what it asked for is withdrawn if it is dropped before anybody saw it, so
    /// that nothing is delivered to where nobody waits any more.
    pub fn point(&self) -> Asking<'_, S, Y, E> {
        Asking { airlock: self }
    }

    /// [`ask`](Self::ask) at a [`point`](Self::point).
    pub fn asking(&self, request: Request<Y>) -> Asking<'_, S, Y, E> {
        self.ask(request);
        self.point()
    }

    /// Asks to delegate.
    pub fn delegate<R>(&self, delegation: Delegation<S, Y, R, E>) -> Delegated<'_, S, Y, R, E> {
        self.sub.set(Some(delegation.sub));
        Delegated { _asking: self.asking(Request::Delegate), airlock: self, take: delegation.take }
    }

    /// What the body was resumed with: a value, an error, or `None` for a mere wake-up.
    #[inline]
    pub fn answer(&self) -> Option<Result<S, Thrown<E>>> {
        self.answer.take()
    }

    /// The error that was thrown at a wait, if one was. A value is never sent to a wait.
    ///
    /// # Errors
    ///
    /// That error.
    pub fn check_thrown(&self) -> Result<(), Thrown<E>> {
        match self.answer.take() {
            Some(Err(thrown)) => Err(thrown),
            answer => {
                self.answer.set(answer);
                Ok(())
            }
        }
    }

    /// Polls `poll` with the wake of the resume in progress, for engines that pass no context to the body.
    #[inline]
    pub fn poll_with_wake<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        // Taken out, so that nothing is borrowed while the future does what it likes.
        let waker = self.waker.take();
        let polled = poll(&mut Context::from_waker(waker.as_ref().unwrap_or(Waker::noop())));
        let outdated = self.waker.replace(waker);
        drop(outdated);
        polled
    }
}

/// The engine's side.
impl<S, Y, E> Airlock<S, Y, E> {
    /// Keeps the wake of the resume that begins, for [`poll_with_wake`](Self::poll_with_wake).
    #[inline]
    pub fn set_wake(&self, cx: &Context<'_>) {
        let outdated = {
            let mut slot = self.waker.borrow_mut();
            match &*slot {
                Some(waker) if waker.will_wake(cx.waker()) => None,
                _ => slot.replace(cx.waker().clone()),
            }
        };
        // Dropping a waker may run foreign code: after the borrow.
        drop(outdated);
    }
}

/// The machine's side.
impl<S, Y, E> Airlock<S, Y, E> {
    #[inline]
    pub(super) fn put(&self, answer: Result<S, Thrown<E>>) {
        self.answer.set(Some(answer));
    }

    pub(super) fn take_sub(&self) -> Option<Sub<S, Y, E>> {
        self.sub.take()
    }

    pub(super) fn hand_back(&self, sub: BoxedFrame<S, Y, E>) {
        self.ended.set(Some(sub));
    }

    #[inline]
    pub(super) fn take_request(&self) -> Option<Request<Y>> {
        self.request.take()
    }

    #[inline]
    pub(super) fn begin_run(&self) {
        self.landing.set(false);
    }

    pub(super) fn has_landing(&self) -> bool {
        self.landing.get()
    }
}

/// A request that lasts as long as its suspension point. Made by [`Airlock::asking`].
#[derive(Debug)]
pub struct Asking<'a, S, Y, E> {
    airlock: &'a Airlock<S, Y, E>,
}

impl<S, Y, E> Drop for Asking<'_, S, Y, E> {
    fn drop(&mut self) {
        if self.airlock.request.take().is_some() {
            self.airlock.landing.set(false);
            drop(self.airlock.sub.take());
        }
    }
}

/// A delegation under way. Made by [`Airlock::delegate`].
#[derive(Debug)]
pub struct Delegated<'a, S, Y, R, E> {
    _asking: Asking<'a, S, Y, E>,
    airlock: &'a Airlock<S, Y, E>,
    take: Take<R>,
}

impl<S, Y, R, E> Delegated<'_, S, Y, R, E> {
    /// How it ended: with what the sub returned, or with what was raised. `None` if it has not.
    pub fn ended(&self) -> Option<Result<R, Thrown<E>>> {
        match self.airlock.answer.take() {
            Some(Err(thrown)) => Some(Err(thrown)),
            _ => (self.take)(self.airlock.ended.take()?.into_any()).map(Ok),
        }
    }
}
