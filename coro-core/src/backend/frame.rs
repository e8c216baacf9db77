//! The frames of a chain of delegations.
//!
//! A coroutine that delegates (`yield from`) is suspended until its sub ends; every resume goes to the sub. The
//! frames of such a chain lie side by side in the [`Machine`](super::Machine) at its bottom, which resumes only the
//! one at the top: a resume costs the same at any depth.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::task::Waker;

#[cfg(feature = "std")]
use super::FrameTrace;
use super::chain::Chain;
use super::{Engine, Progress, Request};
use crate::coroutine::{State, Thrown};
use crate::event_loop::never_awaited;
use crate::stats::{self, Counts, Flavour};

/// What a frame is resumed with.
#[derive(Debug)]
pub enum Resume<S, E> {
    /// Nothing: begin, or go on after a wake-up or the end of a sub.
    Continue,
    /// A value for the `yield` at which it is suspended.
    Send(S),
    /// An error.
    Throw(Thrown<E>),
    /// The request to end.
    Close,
}

/// How far a frame got.
#[derive(Debug)]
pub enum Step<Y, E> {
    /// To a `yield`.
    Yielded(Y),
    /// To a wait.
    Parked,
    /// To a future that is not of its engine.
    Foreign,
    /// To a delegation; the sub is in the frame.
    Delegated,
    /// To its end; the value is in the frame.
    Returned,
    /// To its end.
    Raised(Thrown<E>),
}

/// A frame, whatever its engine and whatever it returns.
pub trait Frame<S, Y, E> {
    /// Runs it to its next suspension. Never called again once it has ended.
    ///
    /// # Panics
    ///
    /// With the body.
    fn run(&mut self, wake: Option<&Waker>, resume: Resume<S, E>) -> Step<Y, E>;

    /// Whether an error thrown at where it is suspended can be received there.
    fn has_landing(&self) -> bool;

    /// The sub that it delegates to, once.
    fn take_sub(&mut self) -> Option<Sub<S, Y, E>>;

    /// Gives it the sub that it delegated to, which has returned.
    fn hand_back(&mut self, sub: Box<dyn Frame<S, Y, E>>);

    /// What it looks like.
    fn info(&self) -> FrameInfo;

    /// What it delegates to by itself, out of sight of the chain: nothing, unless it is a coroutine behind a handle
    /// or one written by hand.
    fn delegates(&self) -> Vec<FrameInfo> {
        Vec::new()
    }

    /// Both of these, with what is on their stacks, if they have any of their own.
    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<FrameTrace> {
        core::iter::once(self.info()).chain(self.delegates()).map(FrameTrace::logical).collect()
    }

    /// For the delegator, which knows what type it is and takes the result out.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// A frame on the heap.
pub type BoxedFrame<S, Y, E> = Box<dyn Frame<S, Y, E>>;

/// What a frame of a chain looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameInfo {
    /// The engine that suspends it; `None` for another one's, a coroutine written by hand or an iterator.
    pub flavour: Option<Flavour>,
    /// The type of its body, as the compiler names it.
    pub name: &'static str,
    /// Where it was made, if that is known.
    pub made_at: Option<&'static Location<'static>>,
    /// Where it stands: suspended, at a `yield` of its own or by what it delegates to; or running, if that is parked.
    pub state: State,
}

/// A coroutine on its way to take a delegator's place: its own frame, and the chain that it was delegating to.
pub struct Sub<S, Y, E> {
    /// Apart from its own frame, because most subs have none: then no memory is taken for a list, and little is moved.
    /// Dropped before it.
    pub(super) above: Option<Box<Chain<S, Y, E>>>,
    pub(super) frame: BoxedFrame<S, Y, E>,
    /// What it goes on with, if it is suspended at a `yield`.
    pub(super) first: Option<S>,
}

impl<S, Y, E> fmt::Debug for Sub<S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let above = self.above.iter().flat_map(|chain| &chain.0);
        let frames = core::iter::once(&self.frame).chain(above);
        f.debug_list().entries(frames.map(|frame| frame.info())).finish()
    }
}

/// A body under its engine: a frame, and what it returned.
pub struct Level<G: Engine> {
    engine: G,
    returned: Option<G::Return>,
    tally: Tally<G>,
}

impl<G: Engine> Level<G> {
    pub(super) fn new(engine: G, name: &'static str, made_at: &'static Location<'static>) -> Self {
        let tally = Tally { counts: Counts::default(), name, made_at, awaited: false, of: PhantomData };
        Self { engine, returned: None, tally }
    }

    pub(super) fn engine(&self) -> &G {
        &self.engine
    }

    pub(super) fn map_engine<H: Engine<Return = G::Return>>(self, map: impl FnOnce(G) -> H) -> Level<H> {
        let Self { engine, returned, mut tally } = self;
        let (name, made_at) = (tally.name, tally.made_at);
        let awaited = core::mem::replace(&mut tally.awaited, true);
        let counts = core::mem::take(&mut tally.counts);
        Level {
            engine: map(engine),
            returned,
            tally: Tally { counts, name, made_at, awaited, of: PhantomData },
        }
    }

    /// Somebody has seen to it, though it may never be run.
    pub(super) fn note_awaited(&mut self) {
        self.tally.awaited = true;
    }

    /// What the body returned, once.
    pub(super) fn take_returned(&mut self) -> Option<G::Return> {
        self.returned.take()
    }

    /// Both of what follows.
    #[inline(always)]
    pub(super) fn run_level(
        &mut self,
        wake: Option<&Waker>,
        resume: Resume<G::Send, G::Error>,
    ) -> Step<G::Yield, G::Error> {
        self.put(resume);
        self.run(wake)
    }

    /// Leaves what the body is resumed with.
    #[inline(always)]
    pub(super) fn put(&self, resume: Resume<G::Send, G::Error>) {
        self.engine.airlock().put(resume);
    }

    /// Runs the body, with what was left for it.
    #[inline(always)]
    pub(super) fn run(&mut self, wake: Option<&Waker>) -> Step<G::Yield, G::Error> {
        match self.engine.run(wake) {
            Progress::Suspended => self.suspended(),
            Progress::Ended(result) => {
                self.tally.counts.resumes += 1;
                self.end();
                match result {
                    Ok(value) => {
                        self.returned = Some(value);
                        Step::Returned
                    }
                    Err(error) => Step::Raised(error),
                }
            }
        }
    }

    /// Releases the body and what was left for it.
    pub(super) fn end(&mut self) {
        self.engine.end();
        self.engine.airlock().clear();
    }

    pub(super) fn has_landing(&self) -> bool {
        self.engine.airlock().has_landing()
    }

    pub(super) fn take_sub(&self) -> Option<Sub<G::Send, G::Yield, G::Error>> {
        self.engine.airlock().take_sub()
    }

    pub(super) fn hand_back(&mut self, sub: Box<dyn Frame<G::Send, G::Yield, G::Error>>) {
        self.engine.airlock().hand_back(sub);
    }

    pub(super) fn info(&self) -> FrameInfo {
        let (name, made_at) = (self.tally.name, Some(self.tally.made_at));
        FrameInfo { flavour: G::FLAVOUR, name, made_at, state: State::Suspended }
    }

    #[cfg(feature = "std")]
    pub(super) fn backtrace(&mut self) -> Vec<FrameTrace> {
        let stack = self.engine.own_stack();
        alloc::vec![FrameTrace::with_stack(self.info(), stack)]
    }

    #[inline(always)]
    fn suspended(&mut self) -> Step<G::Yield, G::Error> {
        let (count, step) = match self.engine.airlock().take_request() {
            Some(Request::Yield(value)) => (&mut self.tally.counts.yields, Step::Yielded(value)),
            Some(Request::Delegate) => (&mut self.tally.counts.resumes, Step::Delegated),
            None if !G::WAITS_ON_ANY_FUTURE => (&mut self.tally.counts.resumes, Step::Foreign),
            Some(Request::Park) | None => (&mut self.tally.counts.parks, Step::Parked),
        };
        *count += 1;
        step
    }
}

impl<G> Frame<G::Send, G::Yield, G::Error> for Level<G>
where
    G: Engine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static,
{
    fn run(&mut self, wake: Option<&Waker>, resume: Resume<G::Send, G::Error>) -> Step<G::Yield, G::Error> {
        self.run_level(wake, resume)
    }

    fn take_sub(&mut self) -> Option<Sub<G::Send, G::Yield, G::Error>> {
        Self::take_sub(self)
    }

    fn has_landing(&self) -> bool {
        self.has_landing()
    }

    fn hand_back(&mut self, sub: Box<dyn Frame<G::Send, G::Yield, G::Error>>) {
        self.hand_back(sub);
    }

    fn info(&self) -> FrameInfo {
        self.info()
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<FrameTrace> {
        self.backtrace()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl<G: Engine> fmt::Debug for Level<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(f)
    }
}

/// How often a body was run. Told to the statistics at the end, or to whoever looks for a mistake if it never was.
struct Tally<G: Engine> {
    /// The runs that end with a yield or a park are added to the resumes only at the end: they are the most frequent ones.
    counts: Counts,
    name: &'static str,
    made_at: &'static Location<'static>,
    /// It was closed or thrown at, delegated to, or is counted elsewhere.
    awaited: bool,
    of: PhantomData<fn() -> G>,
}

impl<G: Engine> Drop for Tally<G> {
    fn drop(&mut self) {
        self.counts.resumes += self.counts.yields + self.counts.parks;
        if self.counts.resumes == 0 && !self.awaited {
            let (flavour, name, made_at) = (G::FLAVOUR, self.name, Some(self.made_at));
            never_awaited(FrameInfo { flavour, name, made_at, state: State::Created });
        }
        if let Some(flavour) = G::FLAVOUR {
            stats::record(flavour, &self.counts);
        }
    }
}
