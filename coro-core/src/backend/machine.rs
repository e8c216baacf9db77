//! The laws of the contract, on top of any engine.

use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll};

use super::chain::{Chain, Closing};
use super::{Airlock, Frame, FrameInfo, Level, Resume, Step};
use crate::coroutine::{Coroutine, Input, InputOf, Misuse, MisuseKind, Outcome, Resumed, State, Thrown};
use crate::stats::Flavour;

/// How far a body got.
#[derive(Debug)]
pub enum Progress<T> {
    /// It switched out; its request, if it made one, is in the airlock.
    Suspended,
    /// It ended.
    Ended(T),
}

/// What a flavour supplies: a body, and the way to run it.
pub trait Engine {
    /// See [`Coroutine::Send`](Coroutine::Send).
    type Send;
    /// See [`Coroutine::Yield`](Coroutine::Yield).
    type Yield;
    /// See [`Coroutine::Return`](Coroutine::Return).
    type Return;
    /// See [`Coroutine::Error`](Coroutine::Error).
    type Error;

    /// For the counts.
    const FLAVOUR: Flavour;
    /// Whether a body that switches out without a request is parked in a future that has our wake. Where it has
    /// not, nobody would ever wake it: [`Misuse::ForeignPending`].
    const WAITS_ON_ANY_FUTURE: bool;

    /// The exchange with the body.
    fn airlock(&self) -> &Airlock<Self::Send, Self::Yield, Self::Error>;

    /// Runs the body until it switches out or ends. Never called again once it has ended or panicked.
    ///
    /// # Panics
    ///
    /// With the body.
    fn run(&mut self, cx: &mut Context<'_>) -> Progress<Result<Self::Return, Thrown<Self::Error>>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Created,
    Parked,
    Suspended,
    /// Also while the body runs, so that a panic leaves a finished coroutine behind. Nobody can see it then: the
    /// machine is borrowed, and [`Shared`](crate::coroutine::Shared) answers for it.
    Finished,
}

/// A coroutine: an engine under the laws of [`Coroutine`], and the chain of what it delegates to.
///
/// ```text
///   poll_resume ──▶ top of the chain (the sub of …)      one resume reaches it directly
///                   …
///                   chain[0] (the sub of the root)
///                   root
/// ```
pub struct Machine<G: Engine> {
    /// Dropped first, and from its top.
    chain: Chain<G::Send, G::Yield, G::Error>,
    root: Level<G>,
    pub(super) phase: Phase,
    pub(super) closing: Option<Closing>,
}

impl<G: Engine> Machine<G> {
    /// A new coroutine, whose body has this name and was given here. Nothing runs yet.
    pub fn new(engine: G, name: &'static str, made_at: &'static Location<'static>) -> Self {
        Self {
            chain: Chain::default(),
            root: Level::new(engine, name, made_at),
            phase: Phase::Created,
            closing: None,
        }
    }

    /// The root and what it delegates to, from the bottom to the top, while it is suspended.
    pub fn frames(&self) -> Vec<FrameInfo> {
        match self.phase {
            Phase::Suspended | Phase::Parked => {
                let chain = self.chain.0.iter().map(|frame| frame.info());
                std::iter::once(self.root.info()).chain(chain).collect()
            }
            Phase::Created | Phase::Finished => Vec::new(),
        }
    }

    /// The root, and the frames above it.
    pub(super) fn into_frames(mut self) -> (Level<G>, VecDeque<FrameOf<G>>) {
        let chain = std::mem::take(&mut self.chain.0);
        (self.root, chain)
    }

    /// Begins to close the innermost level, and then all beneath it.
    fn close(&mut self, cx: &mut Context<'_>, root: bool) -> Poll<Resumed<Self>> {
        let root = root || self.closing.is_some_and(|closing| closing.root);
        self.closing = Some(Closing { level: self.chain.0.len(), root });
        self.drive_seldom(cx, Resume::Close)
    }

    /// Resumes the top of the chain, and goes on until the coroutine as a whole has an answer.
    #[inline(always)]
    fn drive(&mut self, cx: &mut Context<'_>, first: ResumeOf<G>) -> Poll<Resumed<Self>> {
        let parked = self.phase == Phase::Parked;
        self.phase = Phase::Finished;
        let mut run = Running { machine: self, over: false };
        let step = if parked { run.land(cx, first) } else { run.step(cx, first) };
        let answer = match step {
            // By far the most frequent, and short.
            Step::Yielded(value) if run.machine.closing.is_none() => {
                run.machine.answer(Phase::Suspended, Ok(Outcome::Yielded(value)))
            }
            step => run.go_on(cx, step),
        };
        run.over = true;
        answer
    }

    #[inline(never)]
    fn drive_seldom(&mut self, cx: &mut Context<'_>, first: ResumeOf<G>) -> Poll<Resumed<Self>> {
        self.drive(cx, first)
    }

    /// Every other resume than that of a suspended coroutine with a value.
    #[inline(never)]
    fn poll_resume_seldom(
        &mut self,
        cx: &mut Context<'_>,
        input: Option<InputOf<Self>>,
    ) -> Poll<Resumed<Self>> {
        match (self.phase, input) {
            (Phase::Created | Phase::Parked, None) => self.drive_seldom(cx, Resume::Continue),
            (Phase::Created, Some(Input::Send(value))) => Poll::Ready(Err(Misuse::NotStarted(value))),
            (Phase::Suspended, None) => Poll::Ready(Err(Misuse::NoInput)),
            (Phase::Suspended, Some(Input::Send(value))) => self.drive_seldom(cx, Resume::Send(value)),
            (Phase::Parked, Some(input @ Input::Send(_))) => Poll::Ready(Err(Misuse::Running(Some(input)))),
            (Phase::Suspended | Phase::Parked, Some(Input::Throw(Thrown::Exit)))
                if !self.chain.0.is_empty() =>
            {
                self.close(cx, false)
            }
            (Phase::Suspended | Phase::Parked, Some(Input::Throw(error))) => {
                self.drive_seldom(cx, Resume::Throw(error))
            }
            (Phase::Suspended | Phase::Parked, Some(Input::Close)) => self.close(cx, true),
            (Phase::Finished, None) => Poll::Ready(Err(Misuse::Finished(None))),
            (Phase::Finished, Some(Input::Send(value))) => Poll::Ready(Err(Misuse::Finished(Some(value)))),
            (Phase::Created | Phase::Finished, Some(Input::Throw(error))) => {
                self.finish();
                Poll::Ready(Ok(Outcome::Raised(error)))
            }
            (Phase::Created | Phase::Finished, Some(Input::Close)) => {
                self.finish();
                Poll::Ready(Ok(Outcome::Closed))
            }
        }
    }

    #[inline]
    fn answer(&mut self, phase: Phase, resumed: Resumed<Self>) -> Poll<Resumed<Self>> {
        self.phase = phase;
        Poll::Ready(resumed)
    }

    fn finish(&mut self) {
        self.phase = Phase::Finished;
        self.closing = None;
        self.chain.clear();
        self.root.engine = None;
    }
}

/// A resume in progress. If the body panics, the frames are dropped from the top, and the coroutine is finished.
struct Running<'a, G: Engine> {
    machine: &'a mut Machine<G>,
    over: bool,
}

impl<G: Engine> Drop for Running<'_, G> {
    fn drop(&mut self) {
        if !self.over {
            self.machine.finish();
        }
    }
}

type FrameOf<G> = Box<dyn Frame<<G as Engine>::Send, <G as Engine>::Yield, <G as Engine>::Error>>;
type ResumeOf<G> = Resume<<G as Engine>::Send, <G as Engine>::Error>;
type StepOf<G> = Step<<G as Engine>::Yield, <G as Engine>::Error>;

impl<G: Engine> Running<'_, G> {
    /// Goes on from `step` until there is an answer.
    #[inline(never)]
    fn go_on(&mut self, cx: &mut Context<'_>, mut step: StepOf<G>) -> Poll<Resumed<Machine<G>>> {
        loop {
            let resume = match step {
                Step::Parked => {
                    self.machine.phase = Phase::Parked;
                    return Poll::Pending;
                }
                Step::Foreign => return self.machine.answer(Phase::Parked, Err(Misuse::ForeignPending)),
                Step::Yielded(value) => match self.machine.closing {
                    None => return self.machine.answer(Phase::Suspended, Ok(Outcome::Yielded(value))),
                    Some(Closing { level: 0, .. }) => {
                        self.machine.closing = None;
                        return self.machine.answer(Phase::Suspended, Err(Misuse::IgnoredExit(value)));
                    }
                    Some(closing) => self.abandon(closing),
                },
                Step::Delegated => {
                    let sub = match self.machine.chain.0.back_mut() {
                        None => self.machine.root.take_sub(),
                        Some(top) => top.take_sub(),
                    };
                    let Some(sub) = sub else {
                        return self.machine.answer(Phase::Parked, Err(Misuse::ForeignPending));
                    };
                    self.machine.chain.extend(sub)
                }
                Step::Returned => match self.returned() {
                    Ok(resume) => resume,
                    Err(outcome) => return self.machine.answer(Phase::Finished, Ok(outcome)),
                },
                Step::Raised(error) => match self.raised(error) {
                    Ok(resume) => resume,
                    Err(outcome) => return self.machine.answer(Phase::Finished, Ok(outcome)),
                },
            };
            step = self.step(cx, resume);
        }
    }

    #[inline(always)]
    fn step(&mut self, cx: &mut Context<'_>, resume: ResumeOf<G>) -> StepOf<G> {
        match self.machine.chain.0.back_mut() {
            None => self.machine.root.run_level(cx, resume),
            Some(top) => top.run(cx, resume),
        }
    }

    /// Resumes a body that is parked. An error that nothing in it can receive ends it where it waits.
    fn land(&mut self, cx: &mut Context<'_>, resume: ResumeOf<G>) -> StepOf<G> {
        let top = self.machine.chain.0.back();
        let lands = top.map_or_else(|| self.machine.root.has_landing(), |top| top.has_landing());
        match resume {
            Resume::Throw(error) if !lands => Step::Raised(error),
            Resume::Close if !lands => Step::Raised(Thrown::Exit),
            resume => self.step(cx, resume),
        }
    }

    /// The level that is being closed has yielded: it is dropped, with all above it, and its delegator told.
    fn abandon(&mut self, closing: Closing) -> ResumeOf<G> {
        while self.machine.chain.0.len() >= closing.level {
            drop(self.machine.chain.0.pop_back());
        }
        self.machine.closing = closing.down();
        Resume::Throw(Thrown::Misuse(MisuseKind::IgnoredExit))
    }

    /// The close of the level that has just ended, if it was being closed, now that it is gone.
    fn closed(&mut self, level: usize) -> bool {
        match self.machine.closing {
            Some(closing) if closing.level == level => {
                self.machine.closing = closing.down();
                true
            }
            _ => false,
        }
    }

    /// The top has returned. A value that was given on a close is dropped, and the close goes on beneath.
    fn returned(&mut self) -> Result<ResumeOf<G>, OutcomeOf<G>> {
        let level = self.machine.chain.0.len();
        let Some(ended) = self.machine.chain.0.pop_back() else {
            let value = self.machine.root.take_returned();
            self.machine.closing = None;
            return Err(value.map_or(Outcome::Closed, Outcome::Returned));
        };
        if self.closed(level) {
            drop(ended);
            return Ok(Resume::Close);
        }
        match self.machine.chain.0.back_mut() {
            None => self.machine.root.hand_back(ended),
            Some(delegator) => delegator.hand_back(ended),
        }
        Ok(Resume::Continue)
    }

    /// The top has raised.
    fn raised(&mut self, error: Thrown<G::Error>) -> Result<ResumeOf<G>, OutcomeOf<G>> {
        let level = self.machine.chain.0.len();
        let Some(ended) = self.machine.chain.0.pop_back() else {
            let closing = self.machine.closing.is_some();
            self.machine.finish();
            return Err(match error {
                Thrown::Exit if closing => Outcome::Closed,
                error => Outcome::Raised(error),
            });
        };
        drop(ended);
        let closed = self.closed(level);
        Ok(if closed && error.is_exit() { Resume::Close } else { Resume::Throw(error) })
    }
}

type OutcomeOf<G> = Outcome<<G as Engine>::Yield, <G as Engine>::Return, <G as Engine>::Error>;

impl<G: Engine> Coroutine for Machine<G> {
    type Send = G::Send;
    type Yield = G::Yield;
    type Return = G::Return;
    type Error = G::Error;

    fn state(&self) -> State {
        match self.phase {
            Phase::Created => State::Created,
            Phase::Parked => State::Running,
            Phase::Suspended => State::Suspended,
            Phase::Finished => State::Finished,
        }
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.frames().split_off(1.min(self.frames().len()))
    }

    #[inline]
    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        match input {
            // By far the most frequent: tried first, without a detour through memory.
            Some(Input::Send(value)) if self.phase == Phase::Suspended => self.drive(cx, Resume::Send(value)),
            input => self.poll_resume_seldom(cx, input),
        }
    }
}

impl<G: Engine> fmt::Debug for Machine<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine")
            .field("state", &self.state())
            .field("frames", &self.frames())
            .finish_non_exhaustive()
    }
}
