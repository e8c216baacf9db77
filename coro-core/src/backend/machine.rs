//! The laws of the contract, on top of any engine.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::hint::cold_path;
use core::panic::Location;
use core::task::{Context, Poll, Waker};

use super::chain::{Chain, Closing};
use super::phase::Phase;
use super::running::{Apart, ChainOf, ResumeOf, Running};
use super::{Airlock, FrameInfo, Level, Resume, Step};
#[cfg(feature = "std")]
use super::{FrameTrace, OwnStack};
use crate::coroutine::{Coroutine, Input, InputOf, Misuse, Outcome, Resumed, State, Thrown, answer_now};
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

    /// Which of the three it is, for the counts; `None` for an engine of somebody else's, which is not counted.
    const FLAVOUR: Option<Flavour>;
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
    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<Self::Return, Thrown<Self::Error>>>;

    /// Asks for the memory that the next run will touch, where that is far from this.
    fn fetch(&self) {}

    /// Drops the body, however far it got. It is never run again, and this may be called again.
    fn end(&mut self);

    /// Looks at the calls in which the body is suspended, if it has a stack of its own. The body does not notice.
    #[cfg(feature = "std")]
    fn own_stack(&mut self) -> OwnStack {
        OwnStack::None
    }
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
    pub(super) chain: ChainOf<G>,
    pub(super) root: Level<G>,
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

    /// What runs its body.
    pub fn engine(&self) -> &G {
        self.root.engine()
    }

    /// The same coroutine on another engine, which goes on where this one is.
    pub fn map_engine<H>(self, map: impl FnOnce(G) -> H) -> Machine<H>
    where
        H: Engine<Send = G::Send, Yield = G::Yield, Return = G::Return, Error = G::Error>,
    {
        let Self { chain, root, phase, closing } = self;
        Machine { chain, root: root.map_engine(map), phase, closing }
    }

    /// The root and what it delegates to, from the bottom to the top, while it is suspended.
    pub fn frames(&self) -> Vec<FrameInfo> {
        match self.phase {
            Phase::Suspended | Phase::Delegating | Phase::Parked | Phase::ParkedAbove | Phase::Begun => {
                let chain = self.chain.0.iter();
                let chain = chain.flat_map(|frame| core::iter::once(frame.info()).chain(frame.delegates()));
                let frames = core::iter::once(self.root.info()).chain(chain);
                let parked = self.phase.is_parked();
                frames
                    .map(|frame| if parked { FrameInfo { state: State::Running, ..frame } } else { frame })
                    .collect()
            }
            Phase::Created | Phase::Finished => Vec::new(),
        }
    }

    /// The root, and the frames above it, if there are any.
    pub(super) fn into_frames(self) -> (Level<G>, Option<Box<ChainOf<G>>>) {
        let Self { chain, mut root, .. } = self;
        root.note_awaited();
        (root, (!chain.0.is_empty()).then(|| Box::new(chain)))
    }

    /// Begins to close the innermost level, and then all beneath it.
    fn close(&mut self, root: bool) -> ResumeOf<G> {
        let root = root || self.closing.is_some_and(|closing| closing.root);
        self.closing = Some(Closing { level: self.chain.level(), root });
        Resume::Close
    }

    /// A resume of a coroutine at a `yield` of its own, with a value: by far the most frequent one. What is rare in it is
    /// in functions of their own.
    #[inline(always)]
    fn send(&mut self, wake: Option<&Waker>, value: G::Send) -> Result<G::Yield, Apart<Poll<Resumed<Self>>>> {
        let mut run = Running { machine: self, over: false };
        let sent = match run.machine.root.run_level(wake, Resume::Send(value)) {
            // Nothing is being closed while it is suspended.
            Step::Yielded(value) => Ok(value),
            step => Err(run.go_on_to_answer(wake, step)),
        };
        run.over = true;
        sent
    }

    /// [`send`](Self::send) to the top of the chain.
    #[inline(never)]
    fn send_to_top(&mut self, wake: Option<&Waker>, value: G::Send) -> Apart<Poll<Resumed<Self>>> {
        let mut run = Running { machine: self, over: false };
        let Some(top) = run.machine.chain.0.back_mut() else { unreachable!("it delegates") };
        let answer = match top.run(wake, Resume::Send(value)) {
            Step::Yielded(value) => Apart(Poll::Ready(Ok(Outcome::Yielded(value)))),
            step => run.go_on_to_answer(wake, step),
        };
        run.over = true;
        answer
    }

    /// Every other resume than these. The root is run here and nowhere else in it, so that a body of which nothing is
    /// sent, that of a task, is run in one place, and inlined there.
    #[inline(always)]
    fn drive(&mut self, wake: Option<&Waker>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        if input.is_none() && self.phase == Phase::Parked {
            // A wake-up: what a task gets all the time.
            self.root.put(Resume::Continue);
        } else {
            cold_path();
            if input.is_none() && self.phase == Phase::Begun {
                self.phase = Phase::Parked;
            } else if let Some(Apart(answer)) = self.begin(wake, input) {
                return answer;
            }
        }
        let mut run = Running { machine: self, over: false };
        let answer = loop {
            match run.machine.root.run(wake) {
                // Its phase says so already.
                Step::Parked => break Poll::Pending,
                step => {
                    if let Some(Apart(answer)) = run.go_on(wake, step) {
                        break answer;
                    }
                }
            }
        };
        run.over = true;
        answer
    }

    /// Begins a resume. Gives its answer, or `None` if the root is to be run for that.
    #[inline(never)]
    fn begin(
        &mut self,
        wake: Option<&Waker>,
        input: Option<InputOf<Self>>,
    ) -> Option<Apart<Poll<Resumed<Self>>>> {
        let resume = match self.first(input) {
            Ok(resume) => resume,
            Err(answer) => return Some(Apart(Poll::Ready(answer))),
        };
        let mut run = Running { machine: self, over: false };
        let answer = match run.land(wake, resume) {
            Some(step) => run.go_on(wake, step),
            None => None,
        };
        run.over = true;
        answer
    }

    /// What the top of the chain is resumed with, or what the answer is without that.
    fn first(&mut self, input: Option<InputOf<Self>>) -> Result<ResumeOf<G>, Resumed<Self>> {
        match (self.phase, input) {
            (Phase::Created | Phase::Parked | Phase::ParkedAbove | Phase::Begun, None) => {
                Ok(Resume::Continue)
            }
            (Phase::Created, Some(Input::Send(value))) => Err(Err(Misuse::NotStarted(value))),
            (Phase::Suspended | Phase::Delegating, None) => Err(Err(Misuse::NoInput)),
            (Phase::Suspended | Phase::Delegating, Some(Input::Send(value))) => Ok(Resume::Send(value)),
            (Phase::Parked | Phase::ParkedAbove | Phase::Begun, Some(input @ Input::Send(_))) => {
                Err(Err(Misuse::Running(Some(input))))
            }
            (Phase::Finished, None) => Err(Err(Misuse::Finished(None))),
            (Phase::Finished, Some(Input::Send(value))) => Err(Err(Misuse::Finished(Some(value)))),
            (Phase::Created | Phase::Finished, Some(Input::Throw(error))) => {
                self.finish();
                Err(Ok(Outcome::Raised(error)))
            }
            (Phase::Created | Phase::Finished, Some(Input::Close)) => {
                self.finish();
                Err(Ok(Outcome::Closed))
            }
            (_, Some(Input::Throw(Thrown::Exit))) if !self.chain.0.is_empty() => Ok(self.close(false)),
            (_, Some(Input::Throw(error))) => Ok(Resume::Throw(error)),
            (_, Some(Input::Close)) => Ok(self.close(true)),
        }
    }

    /// [`drive`](Self::drive), where it is rare.
    #[inline(never)]
    fn drive_apart(
        &mut self,
        wake: Option<&Waker>,
        input: Option<InputOf<Self>>,
    ) -> Apart<Poll<Resumed<Self>>> {
        if input.is_none() && self.phase == Phase::Created {
            // Nothing to begin with: as after a wake-up.
            self.phase = Phase::Parked;
        }
        Apart(self.drive(wake, input))
    }

    #[inline(always)]
    pub(super) fn answer(&mut self, phase: Phase, resumed: Resumed<Self>) -> Poll<Resumed<Self>> {
        self.phase = phase;
        Poll::Ready(resumed)
    }

    /// [`answer`](Self::answer) at a `yield`.
    pub(super) fn suspended(&mut self, resumed: Resumed<Self>) -> Poll<Resumed<Self>> {
        self.answer(if self.chain.0.is_empty() { Phase::Suspended } else { Phase::Delegating }, resumed)
    }

    /// The phase at a wait.
    pub(super) fn park(&mut self) {
        self.phase = if self.chain.0.is_empty() { Phase::Parked } else { Phase::ParkedAbove };
    }

    pub(super) fn finish(&mut self) {
        self.phase = Phase::Finished;
        self.closing = None;
        self.chain.clear();
        self.root.note_awaited();
        self.root.end();
    }
}

impl<G: Engine> Coroutine for Machine<G> {
    type Send = G::Send;
    type Yield = G::Yield;
    type Return = G::Return;
    type Error = G::Error;

    fn state(&self) -> State {
        match self.phase {
            Phase::Created => State::Created,
            Phase::Parked | Phase::ParkedAbove | Phase::Begun => State::Running,
            Phase::Suspended | Phase::Delegating => State::Suspended,
            Phase::Finished => State::Finished,
        }
    }

    fn info(&self) -> FrameInfo {
        FrameInfo { state: self.state(), ..self.root.info() }
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        let mut frames = self.frames();
        frames.drain(..frames.len().min(1));
        frames
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<FrameTrace> {
        let state = self.state();
        if state == State::Finished {
            return Vec::new();
        }
        let mut frames = self.root.backtrace();
        frames.extend(self.chain.0.iter_mut().flat_map(|frame| frame.backtrace()));
        if state != State::Suspended {
            frames.iter_mut().for_each(|frame| frame.info.state = state);
        }
        frames
    }

    #[inline(always)]
    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        match input {
            // By far the most frequent: tried first, without a detour through memory.
            Some(Input::Send(value)) if self.phase == Phase::Suspended => {
                match self.send(Some(cx.waker()), value) {
                    Ok(value) => Poll::Ready(Ok(Outcome::Yielded(value))),
                    Err(Apart(answer)) => answer,
                }
            }
            Some(Input::Send(value)) if self.phase == Phase::Delegating => {
                let Apart(answer) = self.send_to_top(Some(cx.waker()), value);
                answer
            }
            input => self.drive(Some(cx.waker()), input),
        }
    }

    fn fetch(&self) {
        self.root.engine().fetch();
    }

    fn begin_resume(&mut self, cx: &mut Context<'_>, input: InputOf<Self>) -> Option<Poll<Resumed<Self>>> {
        let answer = self.begin(Some(cx.waker()), Some(input));
        if answer.is_none() {
            self.phase = Phase::Begun;
        }
        answer.map(|Apart(answer)| answer)
    }

    fn start(&mut self) -> Resumed<Self> {
        let Apart(answer) = self.drive_apart(None, None);
        answer_now(answer)
    }

    #[inline(always)]
    fn resume(&mut self, input: InputOf<Self>) -> Resumed<Self> {
        match input {
            Input::Send(value) if self.phase == Phase::Suspended => match self.send(None, value) {
                Ok(value) => Ok(Outcome::Yielded(value)),
                Err(Apart(answer)) => answer_now(answer),
            },
            Input::Send(value) if self.phase == Phase::Delegating => {
                let Apart(answer) = self.send_to_top(None, value);
                answer_now(answer)
            }
            input => {
                let Apart(answer) = self.drive_apart(None, Some(input));
                answer_now(answer)
            }
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
