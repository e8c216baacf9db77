//! Bodies of tasks, written as a list of what they do.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;

use super::{Do, Flavour, Leaf, Script, Step};
use crate::coroutine::Thrown;
use crate::event_loop::{EventLoop, Loop};
use crate::task::{JoinHandle, TaskError, from_coroutine};

type OnThrow = Box<dyn FnOnce(Thrown<TaskError>) -> Plan>;

enum Action {
    Call(Box<dyn FnOnce()>),
    Wait(Box<dyn FnOnce() -> Leaf>),
    Then(Box<dyn FnOnce() -> Plan>),
    Raise(Thrown<TaskError>),
}

/// A task that does one thing after the other and returns a number.
#[must_use = "a plan does nothing until it is spawned"]
pub struct Plan {
    actions: VecDeque<Action>,
    result: i64,
    on_throw: Option<OnThrow>,
    held: Vec<Box<dyn std::any::Any>>,
}

/// A task that does nothing and returns 0.
pub fn plan() -> Plan {
    Plan { actions: VecDeque::new(), result: 0, on_throw: None, held: Vec::new() }
}

impl Plan {
    /// Then calls `function`.
    pub fn call(mut self, function: impl FnOnce() + 'static) -> Self {
        self.actions.push_back(Action::Call(Box::new(function)));
        self
    }

    /// Then makes a future and waits for it.
    pub fn wait<F: Future<Output = ()> + 'static>(mut self, make: impl FnOnce() -> F + 'static) -> Self {
        self.actions.push_back(Action::Wait(Box::new(|| Box::pin(make()))));
        self
    }

    /// Then does what `next` does, and returns what it returns.
    pub fn then(mut self, next: Self) -> Self {
        self.actions.extend(next.actions);
        self.held.extend(next.held);
        Self { result: next.result, on_throw: self.on_throw.or(next.on_throw), ..self }
    }

    /// Then does what the plan says that `next` makes.
    pub fn then_with(mut self, next: impl FnOnce() -> Self + 'static) -> Self {
        self.actions.push_back(Action::Then(Box::new(next)));
        self
    }

    /// Then raises `thrown`.
    pub fn raise(mut self, thrown: Thrown<TaskError>) -> Self {
        self.actions.push_back(Action::Raise(thrown));
        self
    }

    /// Returns `result` at the end.
    pub fn returns(mut self, result: i64) -> Self {
        self.result = result;
        self
    }

    /// Goes on with another plan when something is thrown at a wait, instead of letting it out.
    pub fn except(mut self, handler: impl FnOnce(Thrown<TaskError>) -> Self + 'static) -> Self {
        self.on_throw = Some(Box::new(handler));
        self
    }

    /// Holds `value` until the body ends or is dropped.
    pub fn hold(mut self, value: impl Sized + 'static) -> Self {
        self.held.push(Box::new(value));
        self
    }

    /// Spawns it as a task of the flavour.
    #[track_caller]
    pub fn spawn<F: Flavour>(self, event_loop: &Loop) -> JoinHandle<i64> {
        event_loop.spawn(from_coroutine(F::coroutine(self.into_script())))
    }

    pub(super) fn into_script(mut self) -> Script<(), Infallible, i64, TaskError> {
        Script::new(move |step| {
            if let Step::Thrown(thrown) = step {
                match self.on_throw.take() {
                    Some(handler) => {
                        let held = std::mem::take(&mut self.held);
                        self = handler(thrown);
                        self.held.extend(held);
                    }
                    None => return Do::End(Err(thrown)),
                }
            }
            loop {
                match self.actions.pop_front() {
                    Some(Action::Call(function)) => function(),
                    Some(Action::Wait(make)) => return Do::Wait(make()),
                    Some(Action::Then(next)) => {
                        let next = next();
                        self.actions = next.actions;
                        self.result = next.result;
                        self.held.extend(next.held);
                        self.on_throw = next.on_throw.or(self.on_throw.take());
                    }
                    Some(Action::Raise(thrown)) => return Do::End(Err(thrown)),
                    None => return Do::ret(self.result),
                }
            }
        })
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("actions", &self.actions.len()).finish_non_exhaustive()
    }
}
