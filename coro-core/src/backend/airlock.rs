//! The slots through which a body and its driver exchange values.

use std::cell::Cell;
use std::fmt;
use std::task::{Context, Poll, Waker};

use super::sub::Take;
use super::wake::Wake;
use super::{BoxedFrame, Delegation, Request, Resume, Sub};
use crate::coroutine::Thrown;

/// The exchange between a body and whoever resumes it, and the wake.
///
/// ```text
///   driver ── 1 put ──▶ [ sent | thrown    ] ── 2 answer ──▶ body
///   driver ◀─ 4 take ── [ yielded | asked  ] ◀── 3 ask ───── body
/// ```
///
/// The engine underneath is used as a bare switch; no value passes through it. Every value has a slot of its own type
/// rather than a place in an enum: an enum is moved as a block of bytes, and reading a block that was just written
/// field by field stalls the processor.
pub struct Airlock<S, Y, E> {
    sent: Cell<Option<S>>,
    thrown: Cell<Option<Thrown<E>>>,
    yielded: Cell<Option<Y>>,
    /// What the body asked for since it was last resumed. While it is suspended with nothing asked, in a plain
    /// `.await`, no throw can land in it.
    asked: Cell<Asked>,
    /// What the body delegates to; goes with [`Request::Delegate`].
    sub: Cell<Option<Sub<S, Y, E>>>,
    /// What it delegated to, and has returned.
    ended: Cell<Option<BoxedFrame<S, Y, E>>>,
    wake: Wake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Yield,
    Park,
    Delegate,
}

impl<S, Y, E> Default for Airlock<S, Y, E> {
    fn default() -> Self {
        Self {
            sent: Cell::new(None),
            thrown: Cell::new(None),
            yielded: Cell::new(None),
            asked: Cell::new(Asked::Nothing),
            sub: Cell::new(None),
            ended: Cell::new(None),
            wake: Wake::default(),
        }
    }
}

impl<S, Y, E> fmt::Debug for Airlock<S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Airlock").field("asked", &self.asked.get()).finish_non_exhaustive()
    }
}

/// The body's side.
impl<S, Y, E> Airlock<S, Y, E> {
    /// Leaves a request. The body must switch out next.
    #[inline(always)]
    pub fn ask(&self, request: Request<Y>) {
        self.asked.set(match request {
            Request::Yield(value) => {
                self.yielded.set(Some(value));
                Asked::Yield
            }
            Request::Park => Asked::Park,
            Request::Delegate => Asked::Delegate,
        });
    }

    /// A suspension point that will ask: what it asked for is withdrawn if it is dropped before anybody saw it, so
    /// that nothing is delivered to where nobody waits any more.
    #[inline(always)]
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

    #[cold]
    fn withdraw(&self) {
        self.asked.set(Asked::Nothing);
        drop(self.yielded.take());
        drop(self.sub.take());
    }

    /// What the body was resumed with: a value, an error, or `None` for a mere wake-up.
    #[inline(always)]
    pub fn answer(&self) -> Option<Result<S, Thrown<E>>> {
        match self.sent.take() {
            Some(value) => Some(Ok(value)),
            None => self.thrown.take().map(Err),
        }
    }

    /// The error that was thrown at a wait, if one was. A value is never sent to a wait.
    ///
    /// # Errors
    ///
    /// That error.
    pub fn check_thrown(&self) -> Result<(), Thrown<E>> {
        self.thrown.take().map_or(Ok(()), Err)
    }

    /// Polls `poll` with the wake of the resume in progress, for engines that pass no context to the body.
    #[inline]
    pub fn poll_with_wake<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        match self.wake.current() {
            Some(waker) => poll(&mut Context::from_waker(&waker)),
            None => poll(&mut Context::from_waker(Waker::noop())),
        }
    }
}

/// The engine's side.
impl<S, Y, E> Airlock<S, Y, E> {
    /// Runs the body, for which [`poll_with_wake`](Self::poll_with_wake) has this wake meanwhile.
    #[inline(always)]
    pub fn run_with_wake<T>(&self, wake: Option<&Waker>, run: impl FnOnce() -> T) -> T {
        match wake {
            Some(waker) => self.wake.during(waker, run),
            None => run(),
        }
    }
}

/// The machine's side.
impl<S, Y, E> Airlock<S, Y, E> {
    /// Leaves what the body is resumed with.
    #[inline(always)]
    pub(super) fn put(&self, resume: Resume<S, E>) {
        match resume {
            Resume::Continue => {}
            Resume::Send(value) => self.sent.set(Some(value)),
            Resume::Throw(error) => self.thrown.set(Some(error)),
            Resume::Close => self.thrown.set(Some(Thrown::Exit)),
        }
        self.asked.set(Asked::Nothing);
    }

    /// Drops what nobody will take any more.
    pub(super) fn clear(&self) {
        self.asked.set(Asked::Nothing);
        drop((self.sent.take(), self.thrown.take(), self.yielded.take(), self.sub.take(), self.ended.take()));
    }

    pub(super) fn take_sub(&self) -> Option<Sub<S, Y, E>> {
        self.sub.take()
    }

    pub(super) fn hand_back(&self, sub: BoxedFrame<S, Y, E>) {
        self.ended.set(Some(sub));
    }

    /// What the body asked for before it switched out; nothing if it is pending on a foreign future.
    #[inline(always)]
    pub(super) fn take_request(&self) -> Option<Request<Y>> {
        match self.yielded.take() {
            // By far the most frequent.
            Some(value) => Some(Request::Yield(value)),
            None => match self.asked.get() {
                Asked::Nothing | Asked::Yield => None,
                Asked::Park => Some(Request::Park),
                Asked::Delegate => Some(Request::Delegate),
            },
        }
    }

    /// Whether an error that is thrown at where the body is suspended can be received there.
    pub(super) fn has_landing(&self) -> bool {
        self.asked.get() != Asked::Nothing
    }
}

/// A request that lasts as long as its suspension point. Made by [`Airlock::asking`].
#[derive(Debug)]
pub struct Asking<'a, S, Y, E> {
    airlock: &'a Airlock<S, Y, E>,
}

impl<S, Y, E> Drop for Asking<'_, S, Y, E> {
    #[inline(always)]
    fn drop(&mut self) {
        // A resume has cleared it.
        if self.airlock.asked.get() != Asked::Nothing {
            self.airlock.withdraw();
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
        match self.airlock.thrown.take() {
            Some(thrown) => Some(Err(thrown)),
            None => (self.take)(self.airlock.ended.take()?.into_any()).map(Ok),
        }
    }
}
