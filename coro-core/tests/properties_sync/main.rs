//! What tasks agree with, against models: lists of names, in which everybody is looked for from the front.
//!
//! A model says, after each step, who is woken and in which order, and what each poll gives. Nothing is left to chance but
//! the steps: waits that begin, are polled when they were called and when they were not, and are dropped at any moment.

mod barrier;
mod channel;
mod condition;
mod permits;
mod rw_lock;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use channel::Channel;
use condition::Conditions;
use coro_core::sync::Barrier;
use permits::Permits;
use proptest::collection::vec;
use proptest::prelude::*;
use rw_lock::ReadersAndWriters;

/// A wait, and what it gives as a number.
type Waiting = Pin<Box<dyn Future<Output = i64>>>;

/// A primitive, as the steps use it.
trait Subject {
    type Model: Model;

    /// With some size that it may have.
    fn new(size: usize) -> (Self, Self::Model)
    where
        Self: Sized;

    /// A wait of some kind, for somebody.
    fn wait(&self, who: usize, kind: usize) -> Waiting;

    /// Does something that does not wait.
    fn act(&self, act: usize) -> i64;

    /// What can be seen of it, as numbers.
    fn look(&self) -> Vec<usize>;
}

/// What it should do. Who is woken is noted in `Woken`.
trait Model {
    /// Somebody begins to wait. What it gets, if that is at once.
    fn begin(&mut self, who: usize, kind: usize, woken: &mut Woken) -> Option<i64>;

    /// Somebody who was woken runs. What it gets, if it does not wait on, for something else.
    fn run(&mut self, who: usize, woken: &mut Woken) -> Option<i64>;

    /// Somebody gives up, who was woken and has not run, or waits.
    fn cancel(&mut self, who: usize, called: bool, woken: &mut Woken);

    fn act(&mut self, act: usize, woken: &mut Woken) -> i64;

    fn look(&self) -> Vec<usize>;
}

/// Who was woken in a step, in order.
type Woken = Vec<usize>;

#[derive(Debug, Clone, Copy)]
enum Op {
    Begin(usize),
    /// Polls one that waits.
    Poll(usize),
    Cancel(usize),
    Act(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any::<usize>().prop_map(Op::Begin),
        4 => any::<usize>().prop_map(Op::Poll),
        2 => any::<usize>().prop_map(Op::Cancel),
        3 => any::<usize>().prop_map(Op::Act),
    ]
}

struct Named(usize, Arc<Mutex<Woken>>);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

struct Waiter {
    waiting: Waiting,
    called: bool,
}

/// Does the same to both, and compares them.
fn check<S: Subject>(size: usize, ops: Vec<Op>) {
    let (subject, mut model) = S::new(size);
    let woken: Arc<Mutex<Woken>> = Arc::default();
    let mut waiters = BTreeMap::<usize, Waiter>::new();
    let poll = |who: usize, waiting: &mut Waiting| {
        let waker = Waker::from(Arc::new(Named(who, Arc::clone(&woken))));
        waiting.as_mut().poll(&mut Context::from_waker(&waker))
    };
    for (who, op) in ops.into_iter().enumerate() {
        let mut expected = Woken::new();
        let pick = |number: usize| waiters.keys().nth(number % waiters.len().max(1)).copied();
        match op {
            Op::Begin(kind) => {
                let mut waiting = subject.wait(who, kind);
                let begun = model.begin(who, kind, &mut expected);
                let polled = poll(who, &mut waiting);
                assert_eq!(polled, begun.map_or(Poll::Pending, Poll::Ready), "{who} begins");
                if begun.is_none() {
                    waiters.insert(who, Waiter { waiting, called: false });
                }
            }
            Op::Poll(number) => {
                let Some(who) = pick(number) else { continue };
                let Waiter { waiting, called } = waiters.get_mut(&who).unwrap();
                let given = if std::mem::take(called) { model.run(who, &mut expected) } else { None };
                assert_eq!(poll(who, waiting), given.map_or(Poll::Pending, Poll::Ready), "{who} runs");
                if given.is_some() {
                    waiters.remove(&who);
                }
            }
            Op::Cancel(number) => {
                let Some(who) = pick(number) else { continue };
                let waiter = waiters.remove(&who).unwrap();
                model.cancel(who, waiter.called, &mut expected);
            }
            Op::Act(act) => assert_eq!(subject.act(act), model.act(act, &mut expected), "act {act}"),
        }
        let happened = std::mem::take(&mut *woken.lock().unwrap());
        assert_eq!(happened, expected, "woken by {op:?}");
        for who in happened {
            waiters.get_mut(&who).unwrap().called = true;
        }
        assert_eq!(subject.look(), model.look(), "after {op:?}");
    }
}

fn remove<T: PartialEq>(from: &mut Vec<T>, item: &T) -> bool {
    let at = from.iter().position(|other| other == item);
    at.map(|at| from.remove(at)).is_some()
}

proptest! {
    #[test]
    fn prop_semaphore_matches_its_model(size in 0usize..3, ops in vec(op(), 0..120)) {
        check::<Permits>(size, ops);
    }

    #[test]
    fn prop_rw_lock_matches_its_model(ops in vec(op(), 0..120)) {
        check::<ReadersAndWriters>(0, ops);
    }

    #[test]
    fn prop_condition_matches_its_model(ops in vec(op(), 0..120)) {
        check::<Conditions>(0, ops);
    }

    #[test]
    fn prop_barrier_matches_its_model(size in 0usize..4, ops in vec(op(), 0..120)) {
        check::<Barrier>(size, ops);
    }

    #[test]
    fn prop_memory_channel_matches_its_model(size in 0usize..3, ops in vec(op(), 0..120)) {
        check::<Channel>(size, ops);
    }
}
