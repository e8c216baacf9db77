//! Barriers.

use std::collections::BTreeMap;

use coro_core::sync::Barrier;

use super::{Model, Subject, Waiting, Woken, remove};

pub struct BarriersModel {
    parties: usize,
    broken: bool,
    line: Vec<usize>,
    /// What each that was called will get.
    passed: BTreeMap<usize, i64>,
}

impl Subject for Barrier {
    type Model = BarriersModel;

    fn new(size: usize) -> (Self, BarriersModel) {
        let model = BarriersModel { parties: size + 1, broken: false, line: vec![], passed: BTreeMap::new() };
        (Self::new(size + 1).unwrap(), model)
    }

    fn wait(&self, _: usize, _: usize) -> Waiting {
        let barrier = self.clone();
        Box::pin(async move { barrier.wait().await.map_or(-1, |number| number as i64) })
    }

    fn act(&self, act: usize) -> i64 {
        match act % 10 {
            0 => self.abort(),
            1 | 2 => self.reset(),
            _ => {}
        }
        0
    }

    fn look(&self) -> Vec<usize> {
        let statistics = self.statistics();
        vec![statistics.waiting, usize::from(statistics.broken)]
    }
}

impl Model for BarriersModel {
    fn begin(&mut self, who: usize, _: usize, woken: &mut Woken) -> Option<i64> {
        if self.broken {
            return Some(-1);
        }
        self.line.push(who);
        if self.line.len() < self.parties {
            return None;
        }
        self.line.pop();
        self.passed.extend(self.line.iter().zip(0..).map(|(who, number)| (*who, number)));
        woken.append(&mut self.line);
        Some(self.parties as i64 - 1)
    }

    fn run(&mut self, who: usize, _: &mut Woken) -> Option<i64> {
        self.passed.remove(&who)
    }

    fn cancel(&mut self, who: usize, _: bool, _: &mut Woken) {
        remove(&mut self.line, &who);
        self.passed.remove(&who);
    }

    fn act(&mut self, act: usize, woken: &mut Woken) -> i64 {
        if let breaks @ 0..=2 = act % 10 {
            self.broken = breaks == 0;
            self.passed.extend(self.line.iter().map(|who| (*who, 0)));
            self.passed.values_mut().for_each(|given| *given = -1);
            woken.append(&mut self.line);
        }
        0
    }

    fn look(&self) -> Vec<usize> {
        vec![self.line.len(), usize::from(self.broken)]
    }
}
