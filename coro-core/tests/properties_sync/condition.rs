//! Conditions, and their lock.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use coro_core::sync::Condition;
use coro_core::sync::condition::Held;

use super::{Model, Subject, Waiting, Woken, remove};

pub struct Conditions {
    condition: Condition<u32>,
    held: Rc<Cell<Option<Held<u32>>>>,
}

/// Where somebody is that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// It waits to be notified.
    Line,
    /// It waits for the lock; the notification that brought it there is its to pass on.
    Lock { notified: bool },
}

#[derive(Default)]
pub struct ConditionsModel {
    held: bool,
    promised: bool,
    line: Vec<usize>,
    lock_line: Vec<usize>,
    at: BTreeMap<usize, Option<At>>,
}

impl ConditionsModel {
    /// Takes the lock, or waits for it.
    fn lock(&mut self, who: usize, notified: bool) -> Option<i64> {
        if self.held || self.promised {
            self.lock_line.push(who);
            self.at.insert(who, Some(At::Lock { notified }));
            return None;
        }
        self.held = true;
        Some(0)
    }

    fn unlock(&mut self, woken: &mut Woken) {
        (self.held, self.promised) = (false, !self.lock_line.is_empty());
        if self.promised {
            woken.push(self.lock_line.remove(0));
        }
    }

    fn notify(&mut self, n: usize, woken: &mut Woken) {
        woken.extend(self.line.drain(..n.min(self.line.len())));
    }
}

impl Subject for Conditions {
    type Model = ConditionsModel;

    fn new(_: usize) -> (Self, ConditionsModel) {
        (Self { condition: Condition::new(0), held: Rc::default() }, ConditionsModel::default())
    }

    fn wait(&self, _: usize, kind: usize) -> Waiting {
        let (condition, slot) = (self.condition.clone(), Rc::clone(&self.held));
        Box::pin(async move {
            let held = match slot.take() {
                Some(held) if !kind.is_multiple_of(4) => held.wait().await,
                held => {
                    slot.set(held);
                    condition.lock().await
                }
            };
            slot.set(Some(held));
            0
        })
    }

    fn act(&self, act: usize) -> i64 {
        let held = self.held.take();
        let has_it = held.is_some();
        match (act % 5, held) {
            (0, Some(held)) => drop(held),
            (notified, Some(held)) => {
                match notified {
                    4 => held.notify_all(),
                    n => held.notify(n),
                }
                self.held.set(Some(held));
            }
            (_, None) => {}
        }
        i64::from(has_it)
    }

    fn look(&self) -> Vec<usize> {
        let statistics = self.condition.statistics();
        vec![statistics.waiting, usize::from(statistics.locked)]
    }
}

impl Model for ConditionsModel {
    fn begin(&mut self, who: usize, kind: usize, woken: &mut Woken) -> Option<i64> {
        if !self.held || kind.is_multiple_of(4) {
            return self.lock(who, false);
        }
        self.line.push(who);
        self.at.insert(who, Some(At::Line));
        self.unlock(woken);
        None
    }

    fn run(&mut self, who: usize, _: &mut Woken) -> Option<i64> {
        match self.at.insert(who, None)? {
            Some(At::Line) => self.lock(who, true),
            _ => {
                (self.held, self.promised) = (true, false);
                Some(0)
            }
        }
    }

    fn cancel(&mut self, who: usize, called: bool, woken: &mut Woken) {
        match self.at.remove(&who).flatten() {
            Some(At::Line) => {
                remove(&mut self.line, &who);
                self.notify(usize::from(called), woken);
            }
            Some(At::Lock { notified }) => {
                remove(&mut self.lock_line, &who);
                self.notify(usize::from(notified), woken);
                if called {
                    self.unlock(woken);
                }
            }
            None => unreachable!("it waits"),
        }
    }

    fn act(&mut self, act: usize, woken: &mut Woken) -> i64 {
        let has_it = self.held;
        match act % 5 {
            _ if !has_it => {}
            0 => self.unlock(woken),
            4 => self.notify(usize::MAX, woken),
            n => self.notify(n, woken),
        }
        i64::from(has_it)
    }

    fn look(&self) -> Vec<usize> {
        vec![self.line.len(), usize::from(self.held)]
    }
}
