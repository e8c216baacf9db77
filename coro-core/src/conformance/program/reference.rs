//! A reference interpreter that any reader believes.
//!
//! A coroutine is its history here: to resume it is to run its body again from the start, with the inputs so far and
//! one more, until it asks for another. So a body is performed by plain recursion, `yield from` is the expansion in
//! [PEP 380](https://peps.python.org/pep-0380/) as written, and nothing is ever suspended. It is slow, and gives up
//! ([`run`] is `None`) on programs that take too long.
//!
//! Departures from CPython are marked **→**.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::sub::{In, Numbers, Sub};
use super::syntax::{Answer, Case, EXHAUST, Fault, Handler, Op, Program, Statement, words};
use crate::coroutine::{Input, Misuse, MisuseKind, Outcome, State, Thrown};

/// What a case does, and which laws say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Everything that can be observed.
    pub trace: Vec<String>,
    /// The laws that it met on its way.
    pub laws: BTreeSet<&'static str>,
}

/// How many statements are performed at most, over and over.
const FUEL: usize = 20_000;

/// What `case` does by the book; nothing if that takes too long.
pub fn run(case: &Case) -> Option<Expected> {
    let book = Book { laws: RefCell::default(), fuel: Cell::new(FUEL) };
    let mut root = Generator::new(&book, &case.program, 0);
    let mut trace = Vec::new();
    for &op in &case.script {
        let _ = root.operate(op, "", &mut trace);
    }
    (book.fuel.get() > 0).then(|| Expected { trace, laws: book.laws.take() })
}

/// What all the bodies of a run share.
struct Book {
    laws: RefCell<BTreeSet<&'static str>>,
    fuel: Cell<usize>,
}

impl Book {
    fn law(&self, law: &'static str) {
        self.laws.borrow_mut().insert(law);
    }
}

/// Why a body stops.
enum Stop {
    /// It has yielded this, and there is no more history.
    Yielded(i64),
    Returned(Option<i64>),
    Raised(Thrown<Fault>),
}

fn misuse<T>(kind: MisuseKind) -> Result<T, Stop> {
    Err(Stop::Raised(Thrown::Misuse(kind)))
}

/// A coroutine, as its history.
struct Generator<'a> {
    book: &'a Book,
    program: &'a Program,
    depth: usize,
    state: State,
    /// Whether it waits for what it delegates to.
    delegates: bool,
    history: Vec<In>,
    /// How many lines of its trace have been told.
    told: usize,
}

impl<'a> Generator<'a> {
    fn new(book: &'a Book, program: &'a Program, depth: usize) -> Self {
        let (state, history) = (State::Created, Vec::new());
        Self { book, program, depth, state, delegates: false, history, told: 0 }
    }

    fn operate(&mut self, op: Op, who: &str, trace: &mut Vec<String>) -> Answer {
        let input = match op {
            Op::Next => None,
            Op::Send(value) => Some(Input::Send(value)),
            Op::Throw(kind) => Some(Input::Throw(kind.thrown())),
            Op::Close => Some(Input::Close),
        };
        let answer = self.resume(input, trace);
        let line = words::operation(op, &answer, self.state, self.delegates);
        trace.push(format!("{who}{line}"));
        answer
    }

    /// Runs the body again, with one more input.
    fn replay(&mut self, input: In, trace: &mut Vec<String>) -> Answer {
        let closing = matches!(input, Some(Input::Close));
        self.history.push(input);
        let history = self.history.clone().into_iter();
        let (book, depth) = (self.book, self.depth);
        let mut run = Run { book, depth, history, trace: Vec::new(), kept: None, delegates: false };
        // The start.
        run.history.next();
        let stop = run.block(self.program).err().unwrap_or(Stop::Returned(None));
        // Out of fuel, a run breaks off before it has told what it told last time; the case is given up then.
        trace.extend_from_slice(run.trace.get(self.told..).unwrap_or_default());
        self.told = run.trace.len();
        self.delegates = run.delegates && matches!(stop, Stop::Yielded(_));
        self.state = if matches!(stop, Stop::Yielded(_)) { State::Suspended } else { State::Finished };
        match stop {
            Stop::Yielded(value) if closing => {
                book.law("L8 a close is answered with a yield");
                Err(Misuse::IgnoredExit(value))
            }
            Stop::Yielded(value) => Ok(Outcome::Yielded(value)),
            Stop::Returned(value) => {
                if closing {
                    book.law("L8 a close is answered with a return");
                }
                Ok(Outcome::Returned(value))
            }
            Stop::Raised(Thrown::Exit) if closing => {
                book.law("L8 a close lets Exit out");
                Ok(Outcome::Closed)
            }
            Stop::Raised(error) => {
                book.law(if closing {
                    "L8 a close is answered with an error"
                } else {
                    "L11 an error finishes"
                });
                Ok(Outcome::Raised(error))
            }
        }
    }
}

impl Sub for Generator<'_> {
    fn resume(&mut self, input: In, trace: &mut Vec<String>) -> Answer {
        match (self.state, input) {
            // → Whatever is sent, `None` too: it is `next` that starts.
            (State::Created, Some(Input::Send(value))) => {
                self.book.law("L1 created refuses a value");
                Err(Misuse::NotStarted(value))
            }
            (State::Created, Some(Input::Throw(error))) => {
                self.book.law("L2 throw into created");
                self.state = State::Finished;
                Ok(Outcome::Raised(error))
            }
            (State::Created, Some(Input::Close)) => {
                self.book.law("L3 close of created");
                self.state = State::Finished;
                Ok(Outcome::Closed)
            }
            (State::Finished, None) => {
                self.book.law("L4 finished for ever");
                Err(Misuse::Finished(Some(None)))
            }
            (State::Finished, Some(Input::Send(value))) => {
                self.book.law("L4 finished for ever");
                Err(Misuse::Finished(Some(value)))
            }
            (State::Finished, Some(Input::Throw(error))) => {
                self.book.law("L5 throw into finished");
                Ok(Outcome::Raised(error))
            }
            (State::Finished, Some(Input::Close)) => {
                self.book.law("L5 close of finished");
                Ok(Outcome::Closed)
            }
            (State::Suspended, Some(Input::Throw(error))) => {
                self.book.law("L7 throw at a yield");
                self.replay(Some(Input::Throw(error)), trace)
            }
            (State::Created | State::Suspended, input) => self.replay(input, trace),
            (State::Running, _) => unreachable!("a body that resumes itself is not run"),
        }
    }
}

/// A body that is run with the inputs it had.
struct Run<'a> {
    book: &'a Book,
    depth: usize,
    history: std::vec::IntoIter<In>,
    trace: Vec<String>,
    kept: Option<Generator<'a>>,
    delegates: bool,
}

impl<'a> Run<'a> {
    fn log(&mut self, line: impl AsRef<str>) {
        self.trace.push(format!("{}: {}", self.depth, line.as_ref()));
    }

    fn block(&mut self, program: &'a Program) -> Result<(), Stop> {
        program.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &'a Statement) -> Result<(), Stop> {
        match self.book.fuel.get() {
            0 => return Err(Stop::Returned(None)),
            fuel => self.book.fuel.set(fuel - 1),
        }
        match statement {
            Statement::Log(number) => self.log(format!("log {number}")),
            Statement::Yield(number) => {
                let got = self.yield_(*number)?;
                self.log(format!("got {}", words::value(got)));
            }
            Statement::Return(value) => return Err(Stop::Returned(*value)),
            Statement::Raise(kind) => return Err(Stop::Raised(kind.thrown())),
            Statement::Loop(times, body) => {
                for _ in 0..*times {
                    self.block(body)?;
                }
            }
            Statement::Try { body, handlers, finally } => return self.try_(body, handlers, finally.as_ref()),
            Statement::Iterate(end) => self.delegate(&mut Numbers(0..*end), "D7 an iterator")?,
            Statement::Delegate { program, before, exhaust, shared } => {
                let mut sub = Generator::new(self.book, program, self.depth + 1);
                self.prepare(&mut sub, before, *exhaust);
                let result = self.delegate_to(&mut sub);
                if *shared {
                    self.book.law("D8 a shared sub");
                    self.kept = Some(sub);
                }
                return result;
            }
            Statement::Again => match self.kept.take() {
                None => self.log("nothing kept"),
                Some(mut kept) => {
                    let result = self.delegate_to(&mut kept);
                    self.kept = Some(kept);
                    return result;
                }
            },
            Statement::Reenter { target: _, op, raise } => {
                self.book.law("L6 running refuses everything");
                if *raise {
                    return misuse(MisuseKind::Running);
                }
                // A `next` of what has started sends nothing.
                let back = if *op == Op::Next { Op::Send(None) } else { *op };
                self.log(format!("itself {op} -> refused Running, back: {back}"));
            }
        }
        Ok(())
    }

    /// `yield number`: what came in next, if it has come.
    fn yield_(&mut self, number: i64) -> Result<Option<i64>, Stop> {
        match self.history.next() {
            None => Err(Stop::Yielded(number)),
            Some(None) => Ok(None),
            Some(Some(Input::Send(value))) => Ok(value),
            Some(Some(Input::Throw(error))) => Err(Stop::Raised(error)),
            Some(Some(Input::Close)) => Err(Stop::Raised(Thrown::Exit)),
        }
    }

    fn try_(
        &mut self,
        body: &'a Program,
        handlers: &'a [Handler],
        finally: Option<&'a Program>,
    ) -> Result<(), Stop> {
        let mut result = self.block(body);
        if let Err(Stop::Raised(error)) = &result {
            if error.is_exit() && !handlers.is_empty() {
                self.book.law("L9 Exit meets handlers");
            }
            if let Some(handler) = handlers.iter().find(|handler| handler.catch.catches(error)) {
                self.log(format!("caught {}", words::thrown(error)));
                if matches!(error, Thrown::Misuse(MisuseKind::IgnoredExit)) {
                    self.book.law("D5 the delegator of a sub that ignores the exit catches that");
                }
                let handled = self.block(&handler.body);
                if !(handler.reraise && handled.is_ok()) {
                    result = handled;
                }
            }
        }
        // A body that is suspended has not come to its `finally`.
        if !matches!(result, Err(Stop::Yielded(_)))
            && let Some(finally) = finally
        {
            self.block(finally)?;
        }
        result
    }

    fn prepare(&mut self, sub: &mut Generator<'a>, before: &[Op], exhaust: bool) {
        let who = format!("{}: sub ", self.depth);
        for &op in before {
            let _ = sub.operate(op, &who, &mut self.trace);
        }
        if exhaust {
            for _ in 0..EXHAUST {
                if !matches!(sub.operate(Op::Next, &who, &mut self.trace), Ok(Outcome::Yielded(_))) {
                    break;
                }
            }
        }
    }

    fn delegate_to(&mut self, sub: &mut Generator<'a>) -> Result<(), Stop> {
        let law = match sub.state {
            State::Suspended => "D8 a started sub",
            // → There is no `None` in a typed return.
            State::Finished => "D8 a finished sub",
            _ => "D1 a new sub",
        };
        self.delegate(sub, law)
    }

    fn delegate(&mut self, sub: &mut dyn Sub, law: &'static str) -> Result<(), Stop> {
        self.book.law(law);
        let value = self.yield_from(sub)?;
        self.log(format!("sub gave {}", words::value(value)));
        Ok(())
    }

    /// `yield from sub`, as PEP 380 expands it.
    fn yield_from(&mut self, sub: &mut dyn Sub) -> Result<Option<i64>, Stop> {
        let mut answer = sub.resume(None, &mut self.trace);
        loop {
            let value = match answer {
                Ok(Outcome::Yielded(value)) => value,
                Ok(Outcome::Returned(value)) => {
                    self.book.law("D2 the value of the sub");
                    return Ok(value);
                }
                Ok(Outcome::Raised(error)) => {
                    self.book.law("D3 the error of the sub");
                    return Err(Stop::Raised(error));
                }
                Ok(Outcome::Closed) => unreachable!("it was not closed"),
                Err(refused) => return misuse(refused.kind()),
            };
            self.delegates = true;
            let got = self.yield_(value);
            if matches!(got, Err(Stop::Yielded(_))) {
                return got;
            }
            self.delegates = false;
            answer = match got {
                Ok(None) => sub.resume(Some(Input::Send(None)), &mut self.trace),
                Ok(sent) => {
                    self.book.law("D1 a value goes to the sub");
                    sub.resume(Some(Input::Send(sent)), &mut self.trace)
                }
                Err(Stop::Raised(Thrown::Exit)) => return self.exit_from(sub),
                Err(Stop::Raised(error)) => {
                    self.book.law("D4 a throw goes to the sub");
                    sub.resume(Some(Input::Throw(error)), &mut self.trace)
                }
                Err(stop) => return Err(stop),
            };
        }
    }

    /// Exit has appeared at a `yield from`: the sub is closed first.
    fn exit_from(&mut self, sub: &mut dyn Sub) -> Result<Option<i64>, Stop> {
        match sub.resume(Some(Input::Close), &mut self.trace) {
            // The value is discarded, and the exit goes on. → It has no identity.
            Ok(Outcome::Returned(_)) => {
                self.book.law("D5 an exit discards the value of the sub");
                Err(Stop::Raised(Thrown::Exit))
            }
            Ok(Outcome::Closed) => {
                self.book.law("D5 an exit closes the sub");
                Err(Stop::Raised(Thrown::Exit))
            }
            Ok(Outcome::Raised(error)) => {
                self.book.law("D5 an error replaces the exit");
                Err(Stop::Raised(error))
            }
            Err(refused) => {
                self.book.law("D5 the sub ignores the exit");
                misuse(refused.kind())
            }
            Ok(Outcome::Yielded(_)) => unreachable!("that is to ignore the exit"),
        }
    }
}
