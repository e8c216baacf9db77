//! Readers and writers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use coro_core::sync::RwLock;
use coro_core::sync::rw_lock::{ReadGuard, WriteGuard};

use super::{Model, Subject, Waiting, Woken};

enum Use {
    Read(ReadGuard<u32>),
    Write(WriteGuard<u32>),
}

pub struct ReadersAndWriters {
    lock: RwLock<u32>,
    uses: Rc<RefCell<VecDeque<Use>>>,
}

/// Who writes is true.
#[derive(Default)]
pub struct ReadersAndWritersModel {
    /// Those who hold it, in order.
    uses: Vec<bool>,
    /// Those that have been promised to.
    promised: Vec<(usize, bool)>,
    line: Vec<(usize, bool)>,
}

impl ReadersAndWritersModel {
    fn users(&self) -> impl Iterator<Item = bool> + '_ {
        self.uses.iter().copied().chain(self.promised.iter().map(|(_, writes)| *writes))
    }

    fn allows(&self, writes: bool) -> bool {
        if writes { self.users().next().is_none() } else { self.users().all(|writes| !writes) }
    }

    fn take(&mut self, writes: bool) -> bool {
        let takes = self.line.is_empty() && self.allows(writes);
        if takes {
            self.uses.push(writes);
        }
        takes
    }

    fn call(&mut self, woken: &mut Woken) {
        while self.line.first().is_some_and(|(_, writes)| self.allows(*writes)) {
            let first = self.line.remove(0);
            woken.push(first.0);
            self.promised.push(first);
        }
    }
}

impl Subject for ReadersAndWriters {
    type Model = ReadersAndWritersModel;

    fn new(_: usize) -> (Self, ReadersAndWritersModel) {
        (Self { lock: RwLock::new(0), uses: Rc::default() }, ReadersAndWritersModel::default())
    }

    fn wait(&self, _: usize, kind: usize) -> Waiting {
        let (lock, uses) = (self.lock.clone(), Rc::clone(&self.uses));
        Box::pin(async move {
            let held = if kind.is_multiple_of(2) {
                Use::Write(lock.write().await)
            } else {
                Use::Read(lock.read().await)
            };
            uses.borrow_mut().push_back(held);
            0
        })
    }

    fn act(&self, act: usize) -> i64 {
        let first = || self.uses.borrow_mut().pop_front();
        let taken = match act % 5 {
            0 => self.lock.try_read().ok().map(Use::Read),
            1 => self.lock.try_write().ok().map(Use::Write),
            2 => match first() {
                Some(Use::Write(mut writer)) => {
                    *writer += 1;
                    Some(Use::Read(writer.downgrade()))
                }
                Some(Use::Read(reader)) => {
                    assert!(self.lock.try_read().map_or(*reader, |other| *other) == *reader);
                    Some(Use::Read(reader))
                }
                None => None,
            },
            _ => return i64::from(first().is_some()),
        };
        let done = taken.is_some();
        self.uses.borrow_mut().extend(taken);
        i64::from(done)
    }

    fn look(&self) -> Vec<usize> {
        let statistics = self.lock.statistics();
        vec![statistics.readers, usize::from(statistics.writer), statistics.waiting]
    }
}

impl Model for ReadersAndWritersModel {
    fn begin(&mut self, who: usize, kind: usize, _: &mut Woken) -> Option<i64> {
        let writes = kind.is_multiple_of(2);
        let takes = self.take(writes);
        if !takes {
            self.line.push((who, writes));
        }
        takes.then_some(0)
    }

    fn run(&mut self, who: usize, _: &mut Woken) -> Option<i64> {
        let at = self.promised.iter().position(|(other, _)| *other == who)?;
        let (_, writes) = self.promised.remove(at);
        self.uses.push(writes);
        Some(0)
    }

    fn cancel(&mut self, who: usize, _: bool, woken: &mut Woken) {
        self.line.retain(|(other, _)| *other != who);
        self.promised.retain(|(other, _)| *other != who);
        self.call(woken);
    }

    fn act(&mut self, act: usize, woken: &mut Woken) -> i64 {
        let done = match act % 5 {
            writes @ (0 | 1) => return i64::from(self.take(writes == 1)),
            _ if self.uses.is_empty() => false,
            2 => {
                self.uses.remove(0);
                self.uses.push(false);
                true
            }
            _ => {
                self.uses.remove(0);
                true
            }
        };
        self.call(woken);
        i64::from(done)
    }

    fn look(&self) -> Vec<usize> {
        let readers = self.users().filter(|writes| !writes).count();
        vec![readers, self.users().filter(|writes| *writes).count(), self.line.len()]
    }
}
