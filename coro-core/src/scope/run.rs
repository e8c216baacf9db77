//! A future in a scope.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::State;
use super::state::Entrance;
use crate::coroutine::is_resume_without_wake;
use crate::event_loop::{Core, Heard, NO_LOOP, TimerKey};
use crate::task::{Cancelled, Landing};

/// A hold on a scope: its own, which nobody else knows, or one of several.
pub trait Held {
    /// Whether somebody else may have one.
    #[doc(hidden)]
    const SHARED: bool;

    #[doc(hidden)]
    fn state(&self) -> &State;
}

impl Held for State {
    const SHARED: bool = false;

    fn state(&self) -> &State {
        self
    }
}

impl Held for Rc<State> {
    const SHARED: bool = true;

    fn state(&self) -> &State {
        self
    }
}

pin_project! {
    /// A wait in a scope. Made by [`CancelScope::run`](super::CancelScope::run).
    #[must_use = "this does nothing until it is awaited"]
    pub struct Scoped<F, S: Held> {
        // `None` once it is over.
        #[pin]
        future: Option<F>,
        inside: Inside<S>,
    }
}

/// All of it but the future.
struct Inside<S: Held> {
    scope: S,
    landing: Landing,
    timer: Option<TimerKey>,
    /// How often the task had been asked to end when this began.
    cancelling: u32,
    begun: bool,
    /// Its cancellation has been thrown.
    thrown: bool,
    /// What came from outside, and from where, which the shield keeps until the end.
    kept: Option<(Cancelled, Option<usize>)>,
}

impl<F, S: Held> Scoped<F, S> {
    pub(crate) fn new(future: F, scope: S) -> Self {
        let inside = Inside {
            scope,
            landing: Landing::new(),
            timer: None,
            cancelling: 0,
            begun: false,
            thrown: false,
            kept: None,
        };
        Self { future: Some(future), inside }
    }

    /// What it waits for is dropped without having run.
    pub(super) fn never(mut self) -> Self {
        self.future = None;
        self
    }
}

impl<F: Future, S: Held> Future for Scoped<F, S> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.future.is_none() {
            return Poll::Pending;
        }
        let result = loop {
            match this.inside.hear(cx) {
                Hears::Nothing => {}
                // What this is in drops it.
                Hears::Others => return Poll::Pending,
                Hears::Own(cancelled) => break Err(cancelled),
            }
            let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
            match this.inside.poll(cx, |cx| future.poll(cx)) {
                Polled::Ready(value) => break Ok(value),
                Polled::Cancelled(cancelled) => break Err(cancelled),
                Polled::Again => {}
                // A shield in it was left, and there is another wait.
                Polled::Pending if this.inside.landing.take_again() => this.inside.thrown = false,
                Polled::Pending => return Poll::Pending,
            }
        };
        // What is dropped now is not in it any more.
        this.inside.leave(result.is_err());
        this.future.set(None);
        Poll::Ready(result)
    }
}

/// What it is told.
enum Hears {
    Nothing,
    Own(Cancelled),
    Others,
}

/// What a poll gave.
enum Polled<T> {
    Ready(T),
    Pending,
    /// Nobody in it has heard its cancellation.
    Cancelled(Cancelled),
    /// It is to be polled again: it is cancelled now, or something in it has passed on what it was told.
    Again,
}

impl<S: Held> Inside<S> {
    /// Begins a poll.
    fn hear(&mut self, cx: &Context<'_>) -> Hears {
        let state = self.scope.state();
        if S::SHARED {
            state.set_waker(cx.waker());
        }
        let thrown = self.landing.poll_as(cx, state.kind());
        if !self.begun {
            self.begun = true;
            self.cancelling = self.landing.cancelling();
        }
        let Some(thrown) = thrown else { return Hears::Nothing };
        // A plain one is that of a task in it, which has ended itself.
        if state.is_own(&thrown) || self.thrown && thrown.is_plain() {
            if self.landing.cancelling() <= self.cancelling {
                return Hears::Own(state.expire());
            }
            // The task was cancelled as well.
        } else if state.is_shield()
            && let Some(thrower) = Core::thrower()
        {
            Core::note_heard(Heard::Waits);
            self.kept = Some((thrown, thrower));
            return Hears::Nothing;
        }
        if self.landing.forward(&thrown) { Hears::Others } else { Hears::Nothing }
    }

    fn poll<T>(&mut self, cx: &Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Polled<T> {
        let state = self.scope.state();
        // A deadline may have been moved since the timer was set.
        let due = !state.is_cancelled()
            && self.timer.as_ref().is_some_and(|timer| timer.poll_expired(cx.waker()))
            && state.is_due();
        if due && self.landing.has_inside() {
            state.expire();
        }
        if state.is_cancelled() && (state.level || !self.thrown) {
            return self.throw(cx, poll);
        }
        let polled = if state.is_shield() {
            Core::unheard(|| self.landing.within(cx, poll))
        } else {
            self.landing.within(cx, poll)
        };
        match polled {
            Poll::Ready(value) => Polled::Ready(value),
            Poll::Pending if due => {
                // What was done when the time was up has been taken.
                state.expire();
                Polled::Again
            }
            Poll::Pending if self.landing.is_thrown() => Polled::Again,
            Poll::Pending => self.wait(cx),
        }
    }

    /// Throws its cancellation into it.
    fn throw<T>(&mut self, cx: &Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Polled<T> {
        if self.landing.is_thrown_inside() {
            return self.throw_nothing(cx, poll);
        }
        let cancelled = self.scope.state().expire();
        let again = std::mem::replace(&mut self.thrown, true);
        if !self.landing.has_inside() {
            return Polled::Cancelled(cancelled);
        }
        let throwing = self.landing.begin_throw(&cancelled, again);
        let polled = self.landing.within(cx, poll);
        match (polled, throwing.end()) {
            (Poll::Ready(value), _) => Polled::Ready(value),
            (Poll::Pending, Heard::Nobody) => Polled::Cancelled(cancelled),
            (Poll::Pending, _) if self.landing.is_thrown() => Polled::Again,
            (Poll::Pending, heard) => {
                if self.scope.state().level && heard == Heard::Caught {
                    // The next wait is for the next turn.
                    cx.waker().wake_by_ref();
                }
                Polled::Pending
            }
        }
    }

    /// What comes from further out is being told at the same time, and has the last word.
    #[cold]
    fn throw_nothing<T>(
        &mut self,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Polled<T> {
        if self.scope.state().level {
            // At the next wait.
            cx.waker().wake_by_ref();
        } else {
            self.thrown = true;
        }
        match self.landing.within(cx, poll) {
            Poll::Ready(value) => Polled::Ready(value),
            Poll::Pending if self.landing.is_thrown() => Polled::Again,
            Poll::Pending => Polled::Pending,
        }
    }

    /// It waits: from now on for its deadline too.
    fn wait<T>(&mut self, cx: &Context<'_>) -> Polled<T> {
        let state = self.scope.state();
        if !state.has_limit() || state.is_cancelled() {
            self.stop();
            return Polled::Pending;
        }
        let known = &self.timer;
        let due = Core::on_current(|core| {
            let deadline = state.begin(core)?;
            let known = known.as_ref().is_some_and(|timer| timer.deadline(core) == deadline);
            (!known).then(|| (deadline, deadline <= core.time()))
        });
        match due {
            None => assert!(is_resume_without_wake(cx), "a timeout {NO_LOOP}"),
            Some(None) => {}
            Some(Some((_, true))) => {
                state.expire();
                return Polled::Again;
            }
            Some(Some((deadline, false))) => {
                self.stop();
                let waker = cx.waker().clone();
                self.timer = Core::on_current(|core| core.add_waker_timer(deadline, waker));
            }
        }
        Polled::Pending
    }

    fn stop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.cancel();
        }
    }

    /// It is over, with its own cancellation or not.
    fn leave(&mut self, caught: bool) {
        self.stop();
        let state = self.scope.state();
        if S::SHARED {
            state.set_entrance(Entrance::Nowhere);
        }
        state.caught.set(caught);
        // What came from outside goes on there.
        let kept = self.kept.take();
        if let Some((kept, thrower)) = kept.filter(|_| state.is_shield()) {
            self.landing.let_in(&kept, thrower);
        } else if let Some(late) = self.landing.take_thrown().filter(|late| !state.is_own(late)) {
            self.landing.pass_on(&late);
        }
        self.landing.leave();
    }
}

impl<S: Held> Drop for Inside<S> {
    fn drop(&mut self) {
        self.stop();
        if S::SHARED {
            self.scope.state().set_entrance(Entrance::Nowhere);
        }
    }
}

impl<F, S: Held> fmt::Debug for Scoped<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").field("scope", self.inside.scope.state()).finish_non_exhaustive()
    }
}
