//! What a body does: plain recursion over its statements.

use std::rc::Rc;

use super::World;
use super::generator::{Event, Generator, In, Stand, Stop, misuse};
use crate::conformance::program::syntax::{
    Answer, EXHAUST, Fault, Handler, Op, Program, Statement, Target, words,
};
use crate::coroutine::{Input, MisuseKind, Outcome, Thrown};

/// A body that is run with what came into it.
pub(super) struct Run<'r, 'a> {
    world: &'r World<'a>,
    generator: &'r Generator<'a>,
    /// How much of the history it has seen.
    at: usize,
    kept: Option<Rc<Generator<'a>>>,
    pub(super) delegates: bool,
}

impl<'r, 'a> Run<'r, 'a> {
    /// Runs the body of `generator` from its start. Gives how it stops, and whether it delegates then.
    pub(super) fn again(world: &'r World<'a>, generator: &'r Generator<'a>) -> (Stop, bool) {
        let mut run = Self { world, generator, at: 0, kept: None, delegates: false };
        let ended = run.input(Stop::Parked).and_then(|_| run.block(generator.program));
        (ended.err().unwrap_or(Stop::Returned(None)), run.delegates)
    }

    fn event(&mut self) -> Option<Event<'a>> {
        let event = self.generator.history.borrow().get(self.at).cloned();
        self.at += usize::from(event.is_some());
        event
    }

    /// Whether all this has not happened before.
    fn is_live(&self) -> bool {
        self.at == self.generator.history.borrow().len()
    }

    fn note(&mut self, event: Event<'a>) {
        self.at += 1;
        self.generator.history.borrow_mut().push(event);
    }

    /// What it is resumed with next, if that has come; it stops like this until then.
    pub(super) fn input(&mut self, until: Stop) -> Result<In, Stop> {
        match self.event() {
            None => Err(until),
            Some(Event::Input(input)) => Ok(input),
            Some(_) => unreachable!("it did something else when this happened"),
        }
    }

    /// What an operation of its own gives.
    pub(super) fn ask(&mut self, operation: impl FnOnce(&World<'a>) -> Answer) -> Answer {
        match self.event() {
            Some(Event::Answer(answer)) => answer,
            Some(_) => unreachable!("it did something else when this happened"),
            None => {
                let answer = operation(self.world);
                self.note(Event::Answer(answer.clone()));
                answer
            }
        }
    }

    fn make(&mut self, program: &'a Program, shared: bool) -> Rc<Generator<'a>> {
        match self.event() {
            Some(Event::Made(generator)) => generator,
            Some(_) => unreachable!("it did something else when this happened"),
            None => {
                let depth = self.generator.depth + 1;
                let made = if shared {
                    let me = self.world.shared.borrow().len();
                    self.world.share(Generator::new(program, depth, me))
                } else {
                    Rc::new(Generator::new(program, depth, self.generator.me))
                };
                self.note(Event::Made(Rc::clone(&made)));
                made
            }
        }
    }

    pub(super) fn log(&self, line: impl AsRef<str>) {
        if self.is_live() {
            self.world.log(format!("{}: {}", self.generator.depth, line.as_ref()));
        }
    }

    pub(super) fn law(&self, law: &'static str) {
        if self.is_live() {
            self.world.law(law);
        }
    }

    fn block(&mut self, program: &'a Program) -> Result<(), Stop> {
        program.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &'a Statement) -> Result<(), Stop> {
        match statement {
            Statement::Log(number) => self.log(format!("log {number}")),
            Statement::Yield(number) => {
                let got = match self.input(Stop::Yielded(*number))? {
                    None => unreachable!("it is suspended"),
                    Some(input) => received(input)?,
                };
                self.log(format!("got {}", words::value(got)));
            }
            Statement::Wait(polls) => {
                for _ in 0..*polls {
                    self.law("a wait");
                    if let Some(input) = self.input(Stop::Parked)? {
                        received(input)?;
                    }
                }
            }
            Statement::Return(value) => return Err(Stop::Returned(*value)),
            Statement::Raise(kind) => {
                self.law(if kind.thrown().is_exit() { "raise Exit" } else { "raise" });
                return Err(Stop::Raised(kind.thrown()));
            }
            Statement::Loop(times, body) => {
                for _ in 0..*times {
                    self.block(body)?;
                }
            }
            Statement::Try { body, handlers, finally } => return self.try_(body, handlers, finally.as_ref()),
            Statement::Iterate(end) => {
                self.iterate(*end)?;
                self.log("sub gave None");
            }
            Statement::Delegate { program, before, exhaust, shared, first } => {
                let sub = self.make(program, *shared);
                self.prepare(&sub, before, *exhaust);
                if *shared {
                    self.law("D8 a shared sub");
                    self.kept = Some(Rc::clone(&sub));
                }
                self.delegate(&sub, *first, *shared)?;
            }
            Statement::Again(first) => match self.kept.clone() {
                None => self.log("nothing kept"),
                Some(kept) => {
                    self.law("D8 a shared sub again");
                    self.delegate(&kept, *first, true)?;
                }
            },
            Statement::Reenter { target, op, raise } => self.reenter(*target, *op, *raise)?,
        }
        Ok(())
    }

    fn reenter(&mut self, target: Target, op: Op, raise: bool) -> Result<(), Stop> {
        let (world, me) = (self.world, self.generator);
        let whom = Rc::clone(&world.shared.borrow()[if target == Target::Me { me.me } else { 0 }]);
        if whom.stand.get() == Stand::Running {
            let directly = std::ptr::eq(me, &raw const *whom);
            self.law(if directly { "L6 running, directly" } else { "L6 running, from a delegated frame" });
        } else {
            self.law("a body resumes another that delegates to it");
        }
        match self.ask(|world| world.resume(&whom, op)) {
            Err(refused) if raise => return misuse(refused.kind()),
            answer => self.log(format!("itself {op} -> {}", words::answer(&answer))),
        }
        Ok(())
    }

    fn try_(
        &mut self,
        body: &'a Program,
        handlers: &'a [Handler],
        finally: Option<&'a Program>,
    ) -> Result<(), Stop> {
        let mut result = self.block(body);
        if let Err(Stop::Raised(error)) = &result
            && let Some(handler) = self.handler(handlers, error)
        {
            self.log(format!("caught {}", words::thrown(error)));
            let handled = self.block(&handler.body);
            if !(handler.reraise && handled.is_ok()) {
                result = handled;
            }
        }
        // A body that is suspended has not come to its `finally`.
        if !matches!(result, Err(Stop::Yielded(_) | Stop::Parked))
            && let Some(finally) = finally
        {
            self.block(finally)?;
        }
        result
    }

    fn handler(&self, handlers: &'a [Handler], error: &Thrown<Fault>) -> Option<&'a Handler> {
        if error.is_exit() && handlers.iter().any(|handler| handler.catch.is_ordinary()) {
            self.law("L9 Exit meets ordinary handlers");
        }
        let found = handlers.iter().find(|handler| handler.catch.catches(error))?;
        match error {
            Thrown::Misuse(MisuseKind::IgnoredExit) => {
                self.law("D5 the delegator of a sub that ignores the exit catches that");
            }
            Thrown::Misuse(_) => self.law("a misuse is caught"),
            Thrown::Exit => self.law("Exit is caught"),
            Thrown::Error(_) => self.law("an error is caught"),
        }
        Some(found)
    }

    fn prepare(&mut self, sub: &Generator<'a>, before: &[Op], exhaust: bool) {
        let who = format!("{}: sub ", self.generator.depth);
        for &op in before {
            let _ = self.ask(|world| world.operate(sub, op, &who));
        }
        if exhaust {
            for _ in 0..EXHAUST {
                if !matches!(self.ask(|world| world.operate(sub, Op::Next, &who)), Ok(Outcome::Yielded(_))) {
                    break;
                }
            }
        }
    }
}

fn received(input: Input<Option<i64>, Fault>) -> Result<Option<i64>, Stop> {
    match input {
        Input::Send(value) => Ok(value),
        Input::Throw(error) => Err(Stop::Raised(error)),
        Input::Close => Err(Stop::Raised(Thrown::Exit)),
    }
}
