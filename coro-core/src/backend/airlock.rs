//! The slots through which a body and its driver exchange values.

use core::cell::Cell;
use core::fmt;
use core::ops::Deref;
use core::task::{Context, Poll, Waker};

use super::sub::Take;
use super::wake::{CurrentWake, Wake};
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

/// A word of bits, because what is done at every wake-up is one operation on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked(u8);

impl Asked {
    const NOTHING: Self = Self(0);
    const YIELD: Self = Self(1);
    const PARK: Self = Self(2);
    const DELEGATE: Self = Self(3);
    /// Nothing yet: it was resumed with an answer that it has not taken.
    const ANSWERED: Self = Self(4);

    /// It was resumed without an answer. What it has not taken is still there.
    #[inline(always)]
    fn resumed(self) -> Self {
        Self(self.0 & Self::ANSWERED.0)
    }
}

impl<S, Y, E> Default for Airlock<S, Y, E> {
    fn default() -> Self {
        Self {
            sent: Cell::new(None),
            thrown: Cell::new(None),
            yielded: Cell::new(None),
            asked: Cell::new(Asked::NOTHING),
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
                Asked::YIELD
            }
            Request::Park => Asked::PARK,
            Request::Delegate => Asked::DELEGATE,
        });
    }

    /// The suspension point is gone, with what was asked for at it. So is the value that was sent to it, which belongs
    /// at no other one; an error that was thrown there is raised at the next.
    #[cold]
    fn withdraw(&self) {
        let thrown = self.thrown.take();
        self.asked.set(if thrown.is_some() { Asked::ANSWERED } else { Asked::NOTHING });
        self.thrown.set(thrown);
        drop((self.sent.take(), self.yielded.take(), self.sub.take()));
    }

    /// The error that was thrown at a suspension point that was dropped before it took it.
    #[inline(always)]
    pub(super) fn take_late(&self) -> Option<Thrown<E>> {
        if self.asked.get() == Asked::ANSWERED { self.check_thrown().err() } else { None }
    }

    /// What the body was resumed with: a value, an error, or `None` for a mere wake-up.
    #[inline(always)]
    pub fn answer(&self) -> Option<Result<S, Thrown<E>>> {
        match self.sent.take() {
            Some(value) => {
                self.asked.set(Asked::NOTHING);
                Some(Ok(value))
            }
            None => self.check_thrown().err().map(Err),
        }
    }

    /// The error that was thrown at a wait, if one was. A value is never sent to a wait.
    ///
    /// # Errors
    ///
    /// That error.
    #[inline(always)]
    pub fn check_thrown(&self) -> Result<(), Thrown<E>> {
        // Whatever was thrown is an answer, until it is taken.
        if self.asked.get() == Asked::ANSWERED { self.take_thrown() } else { Ok(()) }
    }

    #[cold]
    fn take_thrown(&self) -> Result<(), Thrown<E>> {
        self.asked.set(Asked::NOTHING);
        self.thrown.take().map_or(Ok(()), Err)
    }

    /// The wake of the resume in progress, if it has one.
    #[inline(always)]
    pub fn wake(&self) -> Option<CurrentWake> {
        self.wake.current()
    }

    /// Polls `poll` with the wake of the resume in progress, for engines that pass no context to the body.
    #[inline(always)]
    pub fn poll_with_wake<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.wake.with_current(|wake| poll(&mut Context::from_waker(wake.unwrap_or(Waker::noop()))))
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
            Resume::Continue => return self.asked.set(self.asked.get().resumed()),
            Resume::Send(value) => self.sent.set(Some(value)),
            Resume::Throw(error) => self.thrown.set(Some(error)),
            Resume::Close => self.thrown.set(Some(Thrown::Exit)),
        }
        self.asked.set(Asked::ANSWERED);
    }

    /// Drops what nobody will take any more.
    pub(super) fn clear(&self) {
        self.asked.set(Asked::NOTHING);
        drop((self.sent.take(), self.thrown.take(), self.yielded.take()));
        // Most bodies never delegated: then nothing is moved.
        if let Some(sub) = self.sub.take() {
            drop(sub);
        }
        if let Some(ended) = self.ended.take() {
            drop(ended);
        }
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
            // Of a task.
            None if self.asked.get() == Asked::PARK => Some(Request::Park),
            None => self.rare_request(),
        }
    }

    #[cold]
    fn rare_request(&self) -> Option<Request<Y>> {
        (self.asked.get() == Asked::DELEGATE).then_some(Request::Delegate)
    }

    /// Whether an error that is thrown at where the body is suspended can be received there.
    pub(super) fn has_landing(&self) -> bool {
        !matches!(self.asked.get(), Asked::NOTHING | Asked::ANSWERED)
    }
}

/// A suspension point, and the way from there to the airlock. What was asked for at it is withdrawn if it is dropped
/// before anybody saw it, so that nothing is delivered to where nobody waits any more.
pub struct Point<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> {
    airlock: A,
    /// Whether the body has gone on from here, so that the drop has nothing to look for. The compiler sees that of a point
    /// that was just left, where it does not see what is in the airlock.
    left: Cell<bool>,
}

impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> Point<S, Y, E, A> {
    /// A point that has asked for nothing yet.
    #[inline(always)]
    pub fn new(airlock: A) -> Self {
        Self { airlock, left: Cell::new(false) }
    }

    /// Asks to be parked, again if it must be. The body must switch out next.
    #[inline(always)]
    pub(super) fn park(&self) {
        self.ask(Request::Park);
        self.left.set(false);
    }

    /// The body goes on with the answer that it took. Last of all, so that the compiler sees it at the drop.
    #[inline(always)]
    pub(super) fn leave(&self) {
        self.left.set(true);
    }

    /// The body goes on without an answer.
    #[inline(always)]
    pub(super) fn leave_unanswered(&self) {
        if self.asked.get() != Asked::NOTHING {
            self.withdraw();
        }
        self.leave();
    }
}

impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> Deref for Point<S, Y, E, A> {
    type Target = Airlock<S, Y, E>;

    #[inline(always)]
    fn deref(&self) -> &Airlock<S, Y, E> {
        &self.airlock
    }
}

impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> Drop for Point<S, Y, E, A> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.left.get() {
            self.leave_unanswered();
        }
    }
}

impl<S, Y, E, A: Deref<Target = Airlock<S, Y, E>>> fmt::Debug for Point<S, Y, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A delegation under way.
#[derive(Debug)]
pub struct Delegated<S, Y, R, E, A: Deref<Target = Airlock<S, Y, E>>> {
    point: Point<S, Y, E, A>,
    take: Take<R>,
}

impl<S, Y, R, E, A: Deref<Target = Airlock<S, Y, E>>> Delegated<S, Y, R, E, A> {
    /// Asks to delegate. The body must switch out next.
    pub fn begin(airlock: A, delegation: Delegation<S, Y, R, E>) -> Self {
        let point = Point::new(airlock);
        point.sub.set(Some(delegation.sub));
        point.ask(Request::Delegate);
        Self { point, take: delegation.take }
    }

    /// How it ended: with what the sub returned, or with what was raised. `None` if it has not.
    pub fn ended(&self) -> Option<Result<R, Thrown<E>>> {
        match self.point.check_thrown() {
            Err(thrown) => Some(Err(thrown)),
            Ok(()) => (self.take)(self.point.ended.take()?.into_any()).map(Ok),
        }
    }
}

impl<S, Y, R, E, A: Deref<Target = Airlock<S, Y, E>>> Drop for Delegated<S, Y, R, E, A> {
    fn drop(&mut self) {
        // What the sub returned is for no other delegation.
        drop(self.point.ended.take());
    }
}
