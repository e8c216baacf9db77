//! A coroutine of a third party, written by hand: an enum that says where it stands, and `impl Coroutine`. No engine
//! suspends it and no machine of the library keeps the laws for it. It runs the whole suite on itself, and the random
//! programs, like the flavours; only the law of depth is not for it, since what it delegates to it resumes itself.
//!
//! Its body is a [`Script`], whatever that says: that is what the suite asks of it.

use std::mem;
use std::task::{Context, Poll};

use coro_core::Loop;
use coro_core::backend::{Delegation, IntoSub};
use coro_core::conformance::{Do, Flavour, Leaf, Script, Step, Subject};
use coro_core::coroutine::{FrameInfo, InputOf, MisuseKind, Resumed};
use coro_core::native::Native;
use coro_core::prelude::*;

/// A body, and where it stands.
struct ByHand<S, Y, R, E> {
    /// Dropped first: from the top.
    at: At<S, Y, R, E>,
    /// `None` once it has ended.
    script: Option<Script<S, Y, R, E>>,
    /// It was asked to close, and has not ended since.
    closing: bool,
}

enum At<S, Y, R, E> {
    Created,
    Yield,
    Wait(Leaf),
    /// The sub, in a body that does nothing but delegate to it.
    Delegation(Native<S, Y, R, E>),
    /// Also while it runs, so that a panic leaves a finished coroutine.
    Finished,
}

type ResumedOf<S, Y, R, E> = Resumed<ByHand<S, Y, R, E>>;
/// What the body goes on with; or the answer, where there is one without the body.
type Entered<S, Y, R, E> = Result<Step<S, R, E>, Poll<ResumedOf<S, Y, R, E>>>;

impl<S: 'static, Y: 'static, R: 'static, E: 'static> ByHand<S, Y, R, E> {
    fn new(script: Script<S, Y, R, E>) -> Self {
        Self { at: At::Created, script: Some(script), closing: false }
    }

    /// From an input to where the body takes it up, if it does.
    fn enter(&mut self, cx: &mut Context<'_>, input: Option<Input<S, E>>) -> Entered<S, Y, R, E> {
        let refuse = |misuse| Err(Poll::Ready(Err(misuse)));
        match (mem::replace(&mut self.at, At::Finished), input) {
            (At::Created, None) => Ok(Step::Begin),
            (At::Created, Some(Input::Send(value))) => {
                self.at = At::Created;
                refuse(Misuse::NotStarted(value))
            }
            (At::Created | At::Finished, Some(Input::Throw(thrown))) => {
                Err(Poll::Ready(Ok(Outcome::Raised(thrown))))
            }
            (At::Created | At::Finished, Some(Input::Close)) => Err(Poll::Ready(Ok(Outcome::Closed))),
            (At::Finished, None) => refuse(Misuse::Finished(None)),
            (At::Finished, Some(Input::Send(value))) => refuse(Misuse::Finished(Some(value))),
            (At::Yield, None) => {
                self.at = At::Yield;
                refuse(Misuse::NoInput)
            }
            (At::Yield, Some(Input::Send(value))) => Ok(Step::Sent(value)),
            (At::Wait(future), Some(input @ Input::Send(_))) => {
                self.at = At::Wait(future);
                refuse(Misuse::Running(Some(input)))
            }
            (At::Wait(future), None) => self.wait(cx, future),
            (At::Yield | At::Wait(_), Some(Input::Throw(thrown))) => Ok(Step::Thrown(thrown)),
            (At::Yield | At::Wait(_), Some(Input::Close)) => {
                self.closing = true;
                Ok(Step::Thrown(Thrown::Exit))
            }
            (At::Delegation(sub), Some(Input::Close)) => {
                self.closing = true;
                // Thrown, so that it comes back as an error once the sub has ended.
                self.delegate(cx, sub, Some(Input::Throw(Thrown::Exit)))
            }
            (At::Delegation(sub), input) => self.delegate(cx, sub, input),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>, mut future: Leaf) -> Entered<S, Y, R, E> {
        match future.as_mut().poll(cx) {
            Poll::Ready(()) => Ok(Step::Woken),
            Poll::Pending => {
                self.at = At::Wait(future);
                Err(Poll::Pending)
            }
        }
    }

    fn delegate(
        &mut self,
        cx: &mut Context<'_>,
        mut sub: Native<S, Y, R, E>,
        input: Option<Input<S, E>>,
    ) -> Entered<S, Y, R, E> {
        let answer = match sub.poll_resume(cx, input) {
            Poll::Ready(Ok(Outcome::Returned(value))) => return Ok(Step::Ended(value)),
            Poll::Ready(Ok(Outcome::Raised(thrown))) => return Ok(Step::Thrown(thrown)),
            Poll::Ready(Ok(Outcome::Yielded(value))) => Poll::Ready(self.yielded(value)),
            answer => answer,
        };
        self.at = At::Delegation(sub);
        Err(answer)
    }

    fn yielded(&mut self, value: Y) -> ResumedOf<S, Y, R, E> {
        if mem::take(&mut self.closing) {
            Err(Misuse::IgnoredExit(value))
        } else {
            Ok(Outcome::Yielded(value))
        }
    }

    fn ended(&mut self, result: Result<R, Thrown<E>>) -> ResumedOf<S, Y, R, E> {
        Ok(match result {
            Ok(value) => Outcome::Returned(value),
            Err(Thrown::Exit) if self.closing => Outcome::Closed,
            Err(thrown) => Outcome::Raised(thrown),
        })
    }
}

impl<S: 'static, Y: 'static, R: 'static, E: 'static> Coroutine for ByHand<S, Y, R, E> {
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    fn state(&self) -> State {
        match &self.at {
            At::Created => State::Created,
            At::Yield => State::Suspended,
            At::Wait(_) => State::Running,
            At::Delegation(sub) => sub.state(),
            At::Finished => State::Finished,
        }
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        match &self.at {
            At::Delegation(sub) => sub.delegates(),
            _ => Vec::new(),
        }
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        // If anything panics, the body is dropped on the way out.
        let script = self.script.take();
        let mut step = match self.enter(cx, input) {
            Ok(step) => step,
            Err(answer) => {
                self.script = script.filter(|_| self.state() != State::Finished);
                return answer;
            }
        };
        let Some(mut script) = script else { return Poll::Ready(Err(Misuse::Finished(None))) };
        let answer = loop {
            let entered = match script.next(step) {
                Do::End(result) => return Poll::Ready(self.ended(result)),
                Do::Yield(value) => {
                    self.at = At::Yield;
                    break Poll::Ready(self.yielded(value));
                }
                Do::Wait(future) => self.wait(cx, future),
                Do::Delegate(sub, first) => self.delegate(cx, delegation(sub, first), None),
            };
            step = match entered {
                Ok(step) => step,
                Err(answer) => break answer,
            };
        };
        self.script = Some(script);
        answer
    }
}

/// A coroutine that does nothing but delegate: whoever is written by hand lets it keep the laws of delegation.
fn delegation<S: 'static, Y: 'static, R: 'static, E: 'static>(
    sub: impl IntoSub<S, Y, E, Return = R> + 'static,
    first: Option<S>,
) -> Native<S, Y, R, E> {
    Native::new(async move |co| match first {
        None => co.yield_from(sub).await,
        Some(first) => co.yield_from_started(sub, first).await,
    })
}

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoSub<S, Y, E> for ByHand<S, Y, R, E> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        if self.closing && self.state() == State::Running {
            // Somebody waits for the answer to a close.
            return Err(MisuseKind::Running);
        }
        Delegation::of(self, first)
    }
}

// The suite: from here on, it is what every third party writes.

impl Flavour for ByHand<(), (), (), ()> {
    const TELLS_NEVER_AWAITED: bool = false;

    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(ByHand::new(script))
    }
}

type Ours = ByHand<(), (), (), ()>;

mod contract {
    coro_core::nesting_coroutine_conformance!(super::Ours);
}

mod simulated {
    coro_core::event_loop_conformance!(super::Ours, super::Loop::simulated);
}

mod programs {
    coro_core::program_conformance!(super::Ours);
}
