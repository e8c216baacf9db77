//! The laws of the contract, on top of any engine.

use std::fmt;
use std::task::{Context, Poll};

use super::{Airlock, Request};
use crate::coroutine::{Coroutine, Input, InputOf, Misuse, Outcome, Resumed, State, Thrown};
use crate::stats::{self, Counts, Flavour};

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
enum Phase {
    Created,
    Parked,
    Suspended,
    /// Also while the body runs, so that a panic leaves a finished coroutine behind. Nobody can see it then: the
    /// machine is borrowed, and [`Shared`](crate::coroutine::Shared) answers for it.
    Finished,
}

/// A coroutine: an engine under the laws of [`Coroutine`].
pub struct Machine<G: Engine> {
    engine: Option<G>,
    phase: Phase,
    /// A close was delivered, and the body has neither ended nor yielded since.
    closing: bool,
    counts: Counts,
}

impl<G: Engine> Machine<G> {
    /// A new coroutine. Nothing runs yet.
    pub fn new(engine: G) -> Self {
        Self { engine: Some(engine), phase: Phase::Created, closing: false, counts: Counts::default() }
    }

    /// Throws into the body where it is suspended, or ends it there if nothing in it can receive the error.
    fn deliver(&mut self, cx: &mut Context<'_>, error: Thrown<G::Error>) -> Poll<Resumed<Self>> {
        let lands = self.engine.as_ref().is_some_and(|engine| engine.airlock().has_landing());
        if lands { self.run(cx, Some(Err(error))) } else { Poll::Ready(Ok(self.ended(Err(error)))) }
    }

    fn run(
        &mut self,
        cx: &mut Context<'_>,
        answer: Option<Result<G::Send, Thrown<G::Error>>>,
    ) -> Poll<Resumed<Self>> {
        self.phase = Phase::Finished;
        // Taken out, so that a panic drops it on its way.
        let Some(mut engine) = self.engine.take() else {
            return Poll::Ready(Err(Misuse::Finished(None)));
        };
        if let Some(answer) = answer {
            engine.airlock().put(answer);
        }
        engine.airlock().begin_run();
        self.counts.resumes += 1;
        match engine.run(cx) {
            Progress::Ended(result) => {
                drop(engine);
                Poll::Ready(Ok(self.ended(result)))
            }
            Progress::Suspended => {
                let request = engine.airlock().take_request();
                self.engine = Some(engine);
                self.suspended(request)
            }
        }
    }

    fn suspended(&mut self, request: Option<Request<G::Yield>>) -> Poll<Resumed<Self>> {
        match request {
            Some(Request::Yield(value)) => {
                self.phase = Phase::Suspended;
                self.counts.yields += 1;
                Poll::Ready(if std::mem::take(&mut self.closing) {
                    Err(Misuse::IgnoredExit(value))
                } else {
                    Ok(Outcome::Yielded(value))
                })
            }
            None if !G::WAITS_ON_ANY_FUTURE => {
                self.phase = Phase::Parked;
                Poll::Ready(Err(Misuse::ForeignPending))
            }
            Some(Request::Park) | None => {
                self.phase = Phase::Parked;
                self.counts.parks += 1;
                Poll::Pending
            }
        }
    }

    fn ended(
        &mut self,
        result: Result<G::Return, Thrown<G::Error>>,
    ) -> Outcome<G::Yield, G::Return, G::Error> {
        let closing = std::mem::take(&mut self.closing);
        self.finish();
        match result {
            Ok(value) => Outcome::Returned(value),
            Err(Thrown::Exit) if closing => Outcome::Closed,
            Err(error) => Outcome::Raised(error),
        }
    }

    /// Drops what is left of the body. Its destructors see a coroutine that is already finished.
    fn finish(&mut self) {
        self.phase = Phase::Finished;
        drop(self.engine.take());
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
            Phase::Parked => State::Running,
            Phase::Suspended => State::Suspended,
            Phase::Finished => State::Finished,
        }
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        match (self.phase, input) {
            (Phase::Created | Phase::Parked, None) => self.run(cx, None),
            (Phase::Created, Some(Input::Send(value))) => Poll::Ready(Err(Misuse::NotStarted(value))),
            (Phase::Suspended, None) => Poll::Ready(Err(Misuse::NoInput)),
            (Phase::Suspended, Some(Input::Send(value))) => self.run(cx, Some(Ok(value))),
            (Phase::Parked, Some(input @ Input::Send(_))) => Poll::Ready(Err(Misuse::Running(Some(input)))),
            (Phase::Suspended | Phase::Parked, Some(Input::Throw(error))) => self.deliver(cx, error),
            (Phase::Suspended | Phase::Parked, Some(Input::Close)) => {
                self.closing = true;
                self.deliver(cx, Thrown::Exit)
            }
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
}

impl<G: Engine> fmt::Debug for Machine<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine")
            .field("flavour", &G::FLAVOUR)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl<G: Engine> Drop for Machine<G> {
    fn drop(&mut self) {
        stats::record(G::FLAVOUR, &self.counts);
    }
}
