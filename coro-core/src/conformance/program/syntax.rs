//! Programs, and the scripts that drive them.

use std::fmt;

use crate::coroutine::{Input, Misuse, Outcome, State, Thrown};

/// An ordinary error of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One kind.
    A,
    /// Another kind.
    B,
}

/// What a program raises, and what is thrown into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An ordinary error.
    Fault(Fault),
    /// The request to end.
    Exit,
}

impl Kind {
    /// The same, as a body sees it.
    pub fn thrown(self) -> Thrown<Fault> {
        match self {
            Self::Fault(fault) => Thrown::Error(fault),
            Self::Exit => Thrown::Exit,
        }
    }
}

/// What a handler catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Catch {
    /// This kind of ordinary error.
    Fault(Fault),
    /// Every ordinary error.
    Ordinary,
    /// The request to end.
    Exit,
    /// A misuse of a coroutine.
    Misuse,
    /// Everything.
    Any,
}

impl Catch {
    /// Whether it is for ordinary errors only.
    pub fn is_ordinary(self) -> bool {
        matches!(self, Self::Fault(_) | Self::Ordinary)
    }

    /// Whether it catches `thrown`.
    pub fn catches(self, thrown: &Thrown<Fault>) -> bool {
        match (self, thrown) {
            (Self::Fault(fault), Thrown::Error(error)) => fault == *error,
            (Self::Ordinary, Thrown::Error(_))
            | (Self::Exit, Thrown::Exit)
            | (Self::Misuse, Thrown::Misuse(_))
            | (Self::Any, _) => true,
            _ => false,
        }
    }
}

/// One operation on a coroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `next()`.
    Next,
    /// `send(value)`; `None` is Python's `None`.
    Send(Option<i64>),
    /// `throw(error)`.
    Throw(Kind),
    /// `close()`.
    Close,
}

/// Whom a body that resumes itself calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The coroutine of this body, or the nearest one that delegates to it and can be reached.
    Me,
    /// The outermost one.
    Root,
}

/// `except`: what it catches, what it does, and whether it raises the same again at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// What it catches.
    pub catch: Catch,
    /// What it does then.
    pub body: Program,
    /// Whether it ends with a bare `raise`.
    pub reraise: bool,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Write a number to the trace.
    Log(i64),
    /// Yield a number, and write what was received.
    Yield(i64),
    /// Wait for something that happens at the so manieth poll after the first.
    Wait(u8),
    /// Return.
    Return(Option<i64>),
    /// Raise.
    Raise(Kind),
    /// Make a coroutine, do some operations with it, and delegate to it; write what it returned.
    Delegate {
        /// Its body.
        program: Program,
        /// What is done with it first: nothing for a new one, a `next` for a started one.
        before: Vec<Op>,
        /// Whether it is exhausted then.
        exhaust: bool,
        /// Whether it stays behind a handle, which the body keeps.
        shared: bool,
        /// What it goes on with if it is suspended at a `yield` then.
        first: Option<i64>,
    },
    /// Delegate again to the coroutine that was last made behind a handle, which goes on with this.
    Again(Option<i64>),
    /// Delegate to an iterator over the numbers below this one.
    Iterate(i64),
    /// `try`.
    Try {
        /// What is tried.
        body: Program,
        /// Handlers, the first that fits is taken.
        handlers: Vec<Handler>,
        /// What is done in any case.
        finally: Option<Program>,
    },
    /// Do it so many times.
    Loop(u8, Program),
    /// Resume a coroutine that is most often running; write what that gives.
    Reenter {
        /// Whom.
        target: Target,
        /// How.
        op: Op,
        /// Whether a refusal is raised, not only written.
        raise: bool,
    },
}

/// The body of a coroutine: statements. Its end returns `None`.
pub type Program = Vec<Statement>;

/// What is done from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// With whom: 0 is the outermost coroutine, the others are those behind handles in the order in which they were
    /// made.
    pub on: u8,
    /// What.
    pub op: Op,
}

/// A program, and what is done with it from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Whether whoever resumes a coroutine goes on with it while it is parked, until there is an answer. If not, a
    /// `next` goes on with what is parked, and everything else may meet it there.
    pub patient: bool,
    /// The body of the outermost coroutine.
    pub program: Program,
    /// What is done with it, from the start each time.
    pub scripts: Vec<Vec<Action>>,
}

/// How many times `next` is called to exhaust a coroutine, at most.
pub const EXHAUST: usize = 12;

/// What a resume of a program gives; if it is parked, [`Misuse::WouldPark`].
pub type Answer = Result<Outcome<i64, Option<i64>, Fault>, Misuse<Option<i64>, i64, Fault>>;

/// The words of a trace.
pub(super) mod words {
    use super::{Answer, Fault, Input, Misuse, Op, Outcome, State, Thrown};

    pub fn value(value: Option<i64>) -> String {
        value.map_or_else(|| "None".to_string(), |value| value.to_string())
    }

    pub fn thrown(thrown: &Thrown<Fault>) -> String {
        match thrown {
            Thrown::Error(fault) => format!("{fault:?}"),
            Thrown::Exit => "Exit".to_string(),
            Thrown::Misuse(kind) => format!("{kind:?}"),
        }
    }

    fn input(input: &Option<Input<Option<i64>, Fault>>) -> String {
        match input {
            None => "next".to_string(),
            Some(Input::Send(sent)) => format!("send({})", value(*sent)),
            Some(Input::Throw(error)) => format!("throw({})", thrown(error)),
            Some(Input::Close) => "close".to_string(),
        }
    }

    pub fn answer(answer: &Answer) -> String {
        match answer {
            Ok(Outcome::Yielded(number)) => format!("yielded {number}"),
            Ok(Outcome::Returned(returned)) => format!("returned {}", value(*returned)),
            Ok(Outcome::Raised(error)) => format!("raised {}", thrown(error)),
            Ok(Outcome::Closed) => "closed".to_string(),
            Err(Misuse::NotStarted(back)) => format!("refused NotStarted, back: {}", value(*back)),
            Err(Misuse::Running(back)) => format!("refused Running, back: {}", input(back)),
            Err(Misuse::Finished(back)) => format!("refused Finished, back: {}", value(back.flatten())),
            Err(Misuse::IgnoredExit(number)) => format!("refused IgnoredExit, back: {number}"),
            Err(Misuse::WouldPark) => "parked".to_string(),
            Err(other) => format!("refused {:?}", other.kind()),
        }
    }

    /// An operation on a coroutine, and how that stands after it.
    pub fn operation(op: Op, given: &Answer, state: State, delegates: bool) -> String {
        let delegates = if delegates { " delegating" } else { "" };
        format!("{op} -> {} [{state:?}{delegates}]", answer(given))
    }
}

impl fmt::Display for Action {
    /// The beginning of its line in a trace: with whom, if that is not the outermost one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.on > 0 { write!(f, "#{} ", self.on) } else { Ok(()) }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => f.write_str("next"),
            Self::Send(value) => write!(f, "send({})", words::value(*value)),
            Self::Throw(kind) => write!(f, "throw({})", words::thrown(&kind.thrown())),
            Self::Close => f.write_str("close"),
        }
    }
}
