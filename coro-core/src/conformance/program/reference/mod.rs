//! A reference interpreter that any reader believes.
//!
//! A coroutine is its history here: to resume it is to run its body again from the start, with all that came into it
//! so far and one input more, until it asks for another. So a body is performed by plain recursion, `yield from` is
//! the expansion in [PEP 380](https://peps.python.org/pep-0380/) as written, and nothing is ever suspended. What comes
//! into a body is what it is resumed with and what its own operations on others give: those are not done again.
//!
//! Departures from CPython are marked **→**.

mod body;
mod delegation;
mod generator;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::law::Laws;
use super::syntax::{Action, Answer, Case, Op, words};
use crate::coroutine::{Input, Misuse};
use generator::{Generator, Stand};

/// What a case does, and which laws say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Everything that can be observed.
    pub trace: Vec<String>,
    /// How often it met each law on its way.
    pub laws: Laws,
    /// Whether CPython knows the like, and survives it.
    pub in_python: bool,
}

/// What `case` does by the book.
pub fn run(case: &Case) -> Expected {
    let world = World { patient: case.patient, in_python: Cell::new(case.patient), ..World::default() };
    for script in &case.scripts {
        world.log("from the start");
        world.shared.borrow_mut().clear();
        world.share(Generator::new(&case.program, 0, 0));
        script.iter().for_each(|&action| world.act(action));
    }
    Expected { trace: world.trace.take(), laws: world.laws.take(), in_python: world.in_python.get() }
}

/// What all the bodies of a run share.
#[derive(Default)]
struct World<'a> {
    patient: bool,
    in_python: Cell<bool>,
    trace: RefCell<Vec<String>>,
    laws: RefCell<Laws>,
    /// What is behind a handle, the root first.
    shared: RefCell<Vec<Rc<Generator<'a>>>>,
}

impl<'a> World<'a> {
    fn law(&self, law: &'static str) {
        *self.laws.borrow_mut().entry(law).or_default() += 1;
    }

    fn log(&self, line: impl Into<String>) {
        self.trace.borrow_mut().push(line.into());
    }

    fn share(&self, generator: Generator<'a>) -> Rc<Generator<'a>> {
        let generator = Rc::new(generator);
        self.shared.borrow_mut().push(Rc::clone(&generator));
        generator
    }

    fn act(&self, action: Action) {
        let whom = self.shared.borrow().get(usize::from(action.on)).cloned();
        match whom {
            None => self.log(format!("{action}nobody")),
            Some(generator) => {
                self.note_outside(action, &generator);
                let _ = self.operate(&generator, action.op, &action.to_string());
            }
        }
    }

    fn note_outside(&self, action: Action, generator: &Generator<'_>) {
        if action.on > 0 && matches!(generator.stand.get(), Stand::Suspended | Stand::Parked) {
            self.law(match action.op {
                Op::Next | Op::Send(_) => "a shared sub is resumed from outside",
                Op::Throw(_) => "a shared sub is thrown at from outside",
                Op::Close => "a shared sub is closed from outside",
            });
        }
    }

    fn operate(&self, generator: &Generator<'a>, op: Op, who: &str) -> Answer {
        let answer = self.resume(generator, op);
        let delegates = generator.delegates.get();
        if delegates {
            self.law("D9 a delegate is visible");
        }
        self.log(format!("{who}{}", words::operation(op, &answer, generator.stand.get().state(), delegates)));
        answer
    }

    fn resume(&self, generator: &Generator<'a>, op: Op) -> Answer {
        let mut answer = generator.resume(
            self,
            match op {
                Op::Next => (generator.stand.get() == Stand::Suspended).then_some(Input::Send(None)),
                Op::Send(value) => Some(Input::Send(value)),
                Op::Throw(kind) => Some(Input::Throw(kind.thrown())),
                Op::Close => Some(Input::Close),
            },
        );
        while self.patient && answer == Err(Misuse::WouldPark) {
            answer = generator.resume(self, None);
        }
        answer
    }
}
