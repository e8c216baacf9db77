//! Permits of a semaphore.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use coro_core::sync::Semaphore;
use coro_core::sync::semaphore::Permit;

use super::{Model, Subject, Waiting, Woken, remove};

pub struct Permits {
    semaphore: Semaphore,
    held: Rc<RefCell<VecDeque<Permit>>>,
}

#[derive(Default)]
pub struct PermitsModel {
    free: usize,
    held: usize,
    line: Vec<usize>,
    promised: usize,
}

impl PermitsModel {
    fn call(&mut self, woken: &mut Woken) {
        while self.free > 0 && !self.line.is_empty() {
            self.free -= 1;
            self.promised += 1;
            woken.push(self.line.remove(0));
        }
    }

    fn take(&mut self) -> bool {
        let takes = self.free > 0 && self.line.is_empty() && self.promised == 0;
        self.free -= usize::from(takes);
        self.held += usize::from(takes);
        takes
    }
}

impl Subject for Permits {
    type Model = PermitsModel;

    fn new(size: usize) -> (Self, PermitsModel) {
        let subject = Self { semaphore: Semaphore::new(size), held: Rc::default() };
        (subject, PermitsModel { free: size, ..PermitsModel::default() })
    }

    fn wait(&self, _: usize, _: usize) -> Waiting {
        let (acquire, held) = (self.semaphore.acquire(), Rc::clone(&self.held));
        Box::pin(async move {
            let permit = acquire.await;
            held.borrow_mut().push_back(permit);
            0
        })
    }

    fn act(&self, act: usize) -> i64 {
        match act % 4 {
            0 => i64::from(self.semaphore.release().is_ok()),
            1 => {
                let permit = self.semaphore.try_acquire();
                let taken = permit.is_ok();
                self.held.borrow_mut().extend(permit);
                i64::from(taken)
            }
            _ => {
                let permit = self.held.borrow_mut().pop_front();
                i64::from(permit.is_some())
            }
        }
    }

    fn look(&self) -> Vec<usize> {
        let statistics = self.semaphore.statistics();
        let locked = usize::from(self.semaphore.is_locked());
        vec![statistics.value, statistics.held, statistics.waiting, locked]
    }
}

impl Model for PermitsModel {
    fn begin(&mut self, who: usize, _: usize, _: &mut Woken) -> Option<i64> {
        let takes = self.take();
        if !takes {
            self.line.push(who);
        }
        takes.then_some(0)
    }

    fn run(&mut self, _: usize, woken: &mut Woken) -> Option<i64> {
        self.promised -= 1;
        self.held += 1;
        self.call(woken);
        Some(0)
    }

    fn cancel(&mut self, who: usize, called: bool, woken: &mut Woken) {
        if called {
            self.promised -= 1;
            self.free += 1;
            self.call(woken);
        } else {
            remove(&mut self.line, &who);
        }
    }

    fn act(&mut self, act: usize, woken: &mut Woken) -> i64 {
        let done = match act % 4 {
            0 => true,
            1 => return i64::from(self.take()),
            _ => self.held > 0,
        };
        if done {
            self.held -= usize::from(act % 4 > 1);
            self.free += 1;
            self.call(woken);
        }
        i64::from(done)
    }

    fn look(&self) -> Vec<usize> {
        let waiting = self.line.len() + self.promised;
        vec![self.free, self.held, waiting, usize::from(self.free == 0 || waiting > 0)]
    }
}
