//! A coroutine, and the laws of its states.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::World;
use super::body::Run;
use crate::conformance::program::syntax::{Answer, Fault, Program};
use crate::coroutine::{Input, Misuse, MisuseKind, Outcome, State, Thrown};

/// What goes in with a resume. `None` begins it, or goes on with what is parked.
pub(super) type In = Option<Input<Option<i64>, Fault>>;

/// What came into a body.
#[derive(Clone)]
pub(super) enum Event<'a> {
    /// With a resume.
    Input(In),
    /// As the answer to an operation of its own.
    Answer(Answer),
    /// When it made a coroutine.
    Made(Rc<Generator<'a>>),
}

/// Why a body stops.
pub(super) enum Stop {
    /// It yields this, and there is no more history.
    Yielded(i64),
    /// It waits, and there is no more history.
    Parked,
    Returned(Option<i64>),
    Raised(Thrown<Fault>),
}

pub(super) fn misuse<T>(kind: MisuseKind) -> Result<T, Stop> {
    Err(Stop::Raised(Thrown::Misuse(kind)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Created,
    Running,
    Parked,
    Suspended,
    Finished,
}

impl Stand {
    pub(super) fn state(self) -> State {
        match self {
            Self::Created => State::Created,
            Self::Running | Self::Parked => State::Running,
            Self::Suspended => State::Suspended,
            Self::Finished => State::Finished,
        }
    }
}

/// A coroutine, as its history.
pub(super) struct Generator<'a> {
    pub(super) program: &'a Program,
    pub(super) depth: usize,
    /// The handle behind which it is, or the nearest one that delegates to it.
    pub(super) me: usize,
    pub(super) stand: Cell<Stand>,
    /// Whether a close has not been answered yet.
    closing: Cell<bool>,
    /// Whether it waits for what it delegates to.
    pub(super) delegates: Cell<bool>,
    pub(super) history: RefCell<Vec<Event<'a>>>,
}

impl<'a> Generator<'a> {
    pub(super) fn new(program: &'a Program, depth: usize, me: usize) -> Self {
        let (stand, closing, delegates) = (Cell::new(Stand::Created), Cell::new(false), Cell::new(false));
        Self { program, depth, me, stand, closing, delegates, history: RefCell::default() }
    }

    pub(super) fn resume(&self, world: &World<'a>, input: In) -> Answer {
        match (self.stand.get(), input) {
            (Stand::Running, input) => Err(Misuse::Running(input)),
            // → Whatever is sent, `None` too: it is `next` that starts.
            (Stand::Created, Some(Input::Send(value))) => {
                world.law("L1 created refuses a value");
                Err(Misuse::NotStarted(value))
            }
            (Stand::Created, Some(Input::Throw(error))) => {
                world.law("L2 throw into created");
                self.stand.set(Stand::Finished);
                Ok(Outcome::Raised(error))
            }
            (Stand::Created, Some(Input::Close)) => {
                world.law("L3 close of created");
                self.stand.set(Stand::Finished);
                Ok(Outcome::Closed)
            }
            (Stand::Created, None) => {
                world.law("L1 next starts");
                self.go_on(world, None)
            }
            (Stand::Finished, None) => {
                world.law("L4 finished for ever");
                Err(Misuse::Finished(None))
            }
            (Stand::Finished, Some(Input::Send(value))) => {
                world.law("L4 finished for ever");
                Err(Misuse::Finished(Some(value)))
            }
            (Stand::Finished, Some(Input::Throw(error))) => {
                world.law("L5 throw into finished");
                Ok(Outcome::Raised(error))
            }
            (Stand::Finished, Some(Input::Close)) => {
                world.law("L5 L10 close of finished");
                Ok(Outcome::Closed)
            }
            (Stand::Suspended, None) => Err(Misuse::NoInput),
            (Stand::Parked, Some(input @ Input::Send(_))) => {
                world.law("L6 parked refuses a value");
                Err(Misuse::Running(Some(input)))
            }
            (stand @ (Stand::Suspended | Stand::Parked), input) => {
                if let Some(law) = landing(stand, &input) {
                    world.law(law);
                }
                self.closing.set(self.closing.get() || input == Some(Input::Close));
                self.go_on(world, input)
            }
        }
    }

    /// Runs the body again, with one more input.
    fn go_on(&self, world: &World<'a>, input: In) -> Answer {
        self.stand.set(Stand::Running);
        self.history.borrow_mut().push(Event::Input(input));
        let (stop, delegates) = Run::again(world, self);
        self.delegates.set(delegates);
        if let Stop::Parked = stop {
            self.stand.set(Stand::Parked);
            return Err(Misuse::WouldPark);
        }
        self.answer(world, stop, self.closing.replace(false))
    }

    fn answer(&self, world: &World<'a>, stop: Stop, closing: bool) -> Answer {
        self.stand.set(if let Stop::Yielded(_) = stop { Stand::Suspended } else { Stand::Finished });
        match (stop, closing) {
            (Stop::Parked, _) => unreachable!("it has no answer"),
            (Stop::Yielded(value), false) => Ok(Outcome::Yielded(value)),
            (Stop::Yielded(value), true) => {
                world.law("L8 a close is answered with a yield");
                Err(Misuse::IgnoredExit(value))
            }
            (Stop::Returned(value), false) => Ok(Outcome::Returned(value)),
            (Stop::Returned(value), true) => {
                world.law("L8 a close is answered with a return");
                Ok(Outcome::Returned(value))
            }
            (Stop::Raised(error), false) => {
                world.law("L11 an error finishes");
                Ok(Outcome::Raised(error))
            }
            (Stop::Raised(Thrown::Exit), true) => {
                world.law("L8 a close lets Exit out");
                Ok(Outcome::Closed)
            }
            (Stop::Raised(error), true) => {
                world.law("L8 a close is answered with an error");
                Ok(Outcome::Raised(error))
            }
        }
    }

    /// The first resume of a delegation.
    pub(super) fn begin(&self, world: &World<'a>, first: Option<i64>, shared: bool) -> Answer {
        match self.stand.get() {
            Stand::Created => {
                world.law("D1 a new sub");
                self.resume(world, None)
            }
            Stand::Suspended => {
                world.law(if first.is_some() { "D8 a started sub gets a value" } else { "D8 a started sub" });
                self.resume(world, Some(Input::Send(first)))
            }
            // A wait that is not over goes on, if nobody else can go on with it.
            Stand::Parked if !shared && !self.closing.get() => {
                world.law("D8 a parked sub");
                self.resume(world, None)
            }
            Stand::Running | Stand::Parked => {
                world.law("D8 a running sub");
                Err(Misuse::Running(None))
            }
            // → There is no `None` in a typed return.
            Stand::Finished => {
                world.law("D8 a finished sub");
                Err(Misuse::Finished(None))
            }
        }
    }
}

/// The law of an error or a close that lands somewhere.
fn landing(stand: Stand, input: &In) -> Option<&'static str> {
    let parked = stand == Stand::Parked;
    Some(match input {
        Some(Input::Throw(Thrown::Exit)) if !parked => "L7 throw(Exit) at a yield",
        Some(Input::Throw(_)) if !parked => "L7 throw at a yield",
        Some(Input::Throw(_)) => "L7 throw at a wait",
        Some(Input::Close) if parked => "L8 close at a wait",
        _ => return None,
    })
}
