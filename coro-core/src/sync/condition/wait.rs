//! Waits for a notification, and for the lock again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Condition, Held};
use crate::coroutine::Settle;
use crate::sync::Place;
use crate::sync::lock::{self, Guard};

/// A [`Held::wait`] on its way.
///
/// ```text
///           1 poll          2 poll, called         3 poll
///   Held ───────────▶ Waiting ───────────▶ Locking ───────▶ a Held, for the caller
///    │                   │ 4 interrupt        ▲ │ 4 interrupt
///    │                   └────────────────────┘ └──▶ it stays, the notification is passed on
///    └── 4 interrupt: it never lets go
/// ```
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<T> {
    condition: Condition<T>,
    /// A notification brought it here, and has to go to somebody else if this is given up.
    notified: bool,
    state: State<T>,
}

enum State<T> {
    /// It has not begun, and has the lock; or it will never begin.
    Held(Guard<T>),
    Waiting(Place),
    Locking(lock::Acquire<T>),
    /// It was interrupted before it began, or is over.
    Over(Option<Guard<T>>),
}

// A guard and a place in a line have no address.
impl<T> Unpin for Wait<T> {}

impl<T> Wait<T> {
    pub(super) fn new(held: Held<T>) -> Self {
        Self { condition: held.condition, notified: false, state: State::Held(held.guard) }
    }

    /// Enters the line, and then lets go of the lock.
    fn begin(&mut self, cx: &Context<'_>) {
        let mut place = Place::NONE;
        let entered: Poll<()> = self.condition.0.line.poll(&mut place, cx, |_| None);
        debug_assert!(entered.is_pending(), "nobody called it");
        // The lock goes to the next one, whose waker may do anything, even notify this one.
        drop(std::mem::replace(&mut self.state, State::Waiting(place)));
    }

    /// Leaves the line, and passes on the notification that it had, if it had one.
    fn pass_on(&mut self) {
        let line = &self.condition.0.line;
        let called = match &mut self.state {
            State::Waiting(place) => line.leave(place),
            _ => std::mem::take(&mut self.notified),
        };
        if called {
            line.call_next();
        }
    }
}

impl<T> Future for Wait<T> {
    type Output = Held<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Held<T>> {
        let this = &mut *self;
        if let State::Held(_) = this.state {
            this.begin(cx);
            // If that has notified this one, it is awake.
            return Poll::Pending;
        }
        if let State::Waiting(place) = &mut this.state {
            if this.condition.0.line.poll(place, cx, |called| called.then_some(())).is_pending() {
                return Poll::Pending;
            }
            this.notified = true;
            this.state = State::Locking(this.condition.0.lock.lock());
        }
        let guard = match &mut this.state {
            State::Locking(acquire) => match Pin::new(acquire).poll(cx) {
                Poll::Ready(guard) => Some(guard),
                Poll::Pending => return Poll::Pending,
            },
            State::Over(guard) => guard.take(),
            State::Held(_) | State::Waiting(_) => None,
        };
        let guard = guard.expect("a Wait was polled after it gave the lock back: await it once");
        (this.notified, this.state) = (false, State::Over(None));
        Poll::Ready(this.condition.held(guard))
    }
}

impl<T> Settle for Wait<T> {
    fn interrupt(&mut self) {
        self.pass_on();
        self.state = match std::mem::replace(&mut self.state, State::Over(None)) {
            State::Held(guard) => State::Over(Some(guard)),
            State::Waiting(_) => State::Locking(self.condition.0.lock.lock()),
            other => other,
        };
    }
}

impl<T> Drop for Wait<T> {
    fn drop(&mut self) {
        self.pass_on();
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Held(_) => "not begun",
            State::Waiting(_) => "waiting",
            State::Locking(_) => "locking",
            State::Over(_) => "over",
        };
        f.debug_struct("Wait").field("condition", &self.condition).field("state", &state).finish()
    }
}

/// A [`Held::wait_for`] on its way.
#[must_use = "a wait does nothing until it is awaited"]
pub struct WaitFor<T, P> {
    /// `None` once it is over, and while the predicate looks: it may panic.
    phase: Option<Phase<T>>,
    predicate: P,
}

enum Phase<T> {
    Looking(Held<T>),
    Waiting(Wait<T>),
    /// It is not to look any more.
    Settling(Wait<T>),
}

// Neither a guard nor a place in a line has an address, and the predicate is only called.
impl<T, P> Unpin for WaitFor<T, P> {}

impl<T, P> WaitFor<T, P> {
    pub(super) fn new(held: Held<T>, predicate: P) -> Self {
        Self { phase: Some(Phase::Looking(held)), predicate }
    }
}

impl<T, P: FnMut(&T) -> bool> Future for WaitFor<T, P> {
    type Output = Held<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Held<T>> {
        let this = &mut *self;
        loop {
            let mut wait = match this.phase.take() {
                Some(Phase::Looking(held)) if (this.predicate)(&held) => return Poll::Ready(held),
                Some(Phase::Looking(held)) => held.wait(),
                Some(Phase::Waiting(wait)) => wait,
                Some(Phase::Settling(mut wait)) => {
                    let polled = Pin::new(&mut wait).poll(cx);
                    if polled.is_pending() {
                        this.phase = Some(Phase::Settling(wait));
                    }
                    return polled;
                }
                None => panic!("a WaitFor was polled after it gave the lock back: await it once"),
            };
            this.phase = Some(match Pin::new(&mut wait).poll(cx) {
                Poll::Ready(held) => Phase::Looking(held),
                Poll::Pending => {
                    this.phase = Some(Phase::Waiting(wait));
                    return Poll::Pending;
                }
            });
        }
    }
}

impl<T, P: FnMut(&T) -> bool> Settle for WaitFor<T, P> {
    fn interrupt(&mut self) {
        let wait = match self.phase.take() {
            Some(Phase::Looking(held)) => Some(held.wait()),
            Some(Phase::Waiting(wait) | Phase::Settling(wait)) => Some(wait),
            None => None,
        };
        self.phase = wait.map(|mut wait| {
            wait.interrupt();
            Phase::Settling(wait)
        });
    }
}

impl<T, P> fmt::Debug for WaitFor<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wait: &dyn fmt::Debug = match &self.phase {
            Some(Phase::Waiting(wait) | Phase::Settling(wait)) => wait,
            Some(Phase::Looking(_)) => &"not begun",
            None => &"over",
        };
        f.debug_tuple("WaitFor").field(wait).finish()
    }
}
