//! The queues against a model: lists of names, in which everybody is looked for from the front.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use coro_core::queue::{
    BaseQueue, Fifo, Get, GetNowaitError, Join, Lifo, Put, PutNowaitError, QueueShutDown, Smallest, Store,
    TooManyTaskDone,
};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Op {
    PutNowait,
    GetNowait,
    TaskDone,
    /// Begins to wait, unless it is ready.
    Put,
    Get,
    Join,
    /// Polls one that waits, with a new waker, or the one it has.
    Poll(usize, bool),
    /// Drops it.
    Cancel(usize),
    Shutdown,
    ShutdownNow,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => Just(Op::PutNowait),
        2 => Just(Op::GetNowait),
        2 => Just(Op::TaskDone),
        3 => Just(Op::Put),
        3 => Just(Op::Get),
        1 => Just(Op::Join),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(who, renew)| Op::Poll(who, renew)),
        3 => any::<usize>().prop_map(Op::Cancel),
        1 => prop_oneof![3 => Just(Op::TaskDone), 1 => Just(Op::Shutdown), 1 => Just(Op::ShutdownNow)],
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Put(u32),
    Get,
    Join,
}

/// Somebody's number, and how many wakers it has had.
type Name = (usize, usize);

/// What the queue should do. Who is in `lines` waits, who is in `called` has been woken and has not been polled.
struct Model {
    bound: usize,
    items: Vec<u32>,
    /// Takes the next one out.
    next: fn(&mut Vec<u32>) -> u32,
    shut_down: bool,
    unfinished: usize,
    getters: Vec<usize>,
    putters: Vec<usize>,
    joiners: Vec<usize>,
    called: Vec<usize>,
    wakers: BTreeMap<usize, usize>,
    woken: Vec<Name>,
}

/// What a wait gives that found the queue shut down.
const SHUT_DOWN: u32 = u32::MAX;

fn oldest(items: &mut Vec<u32>) -> u32 {
    items.remove(0)
}

fn newest(items: &mut Vec<u32>) -> u32 {
    items.remove(items.len() - 1)
}

fn smallest(items: &mut Vec<u32>) -> u32 {
    let (at, _) = items.iter().enumerate().min_by_key(|(_, item)| **item).unwrap();
    items.remove(at)
}

impl Model {
    fn new(bound: usize, next: fn(&mut Vec<u32>) -> u32) -> Self {
        let (getters, putters, joiners, called) = (vec![], vec![], vec![], vec![]);
        Self {
            bound,
            items: vec![],
            next,
            shut_down: false,
            unfinished: 0,
            getters,
            putters,
            joiners,
            called,
            wakers: BTreeMap::new(),
            woken: vec![],
        }
    }

    fn is_full(&self) -> bool {
        self.bound > 0 && self.items.len() >= self.bound
    }

    fn line(&mut self, wait: Wait) -> &mut Vec<usize> {
        match wait {
            Wait::Put(_) => &mut self.putters,
            Wait::Get => &mut self.getters,
            Wait::Join => &mut self.joiners,
        }
    }

    fn call_first(&mut self, wait: Wait) {
        let line = self.line(wait);
        if !line.is_empty() {
            let who = line.remove(0);
            self.called.push(who);
            self.woken.push((who, self.wakers[&who]));
        }
    }

    fn put(&mut self, item: u32) -> bool {
        if self.shut_down || self.is_full() {
            return false;
        }
        self.items.push(item);
        self.unfinished += 1;
        self.call_first(Wait::Get);
        true
    }

    fn get(&mut self) -> Option<u32> {
        if self.items.is_empty() {
            return self.shut_down.then_some(SHUT_DOWN);
        }
        let item = (self.next)(&mut self.items);
        self.call_first(Wait::Put(0));
        Some(item)
    }

    fn shut_down(&mut self, at_once: bool) -> Vec<u32> {
        self.shut_down = true;
        let mut items = vec![];
        while at_once && !self.items.is_empty() {
            items.push((self.next)(&mut self.items));
            self.unfinished -= usize::from(self.unfinished > 0);
        }
        for wait in [Wait::Join, Wait::Get, Wait::Put(0)] {
            while !self.line(wait).is_empty() && (wait != Wait::Join || (at_once && self.unfinished == 0)) {
                self.call_first(wait);
            }
        }
        items
    }

    fn task_done(&mut self) -> bool {
        if self.unfinished == 0 {
            return false;
        }
        self.unfinished -= 1;
        while self.unfinished == 0 && !self.joiners.is_empty() {
            self.call_first(Wait::Join);
        }
        true
    }

    /// `None` if it waits, else the item that it got, or 0.
    fn poll(&mut self, who: usize, wait: Wait, waker: usize) -> Option<u32> {
        self.wakers.insert(who, waker);
        if self.line(wait).contains(&who) {
            return None;
        }
        let called = self.called.contains(&who);
        self.called.retain(|other| *other != who);
        let result = match wait {
            Wait::Put(_) if self.shut_down => Some(SHUT_DOWN),
            Wait::Put(item) => self.put(item).then_some(0),
            Wait::Get => self.get(),
            Wait::Join => (called || self.unfinished == 0).then_some(0),
        };
        if result.is_none() {
            self.line(wait).push(who);
        }
        result
    }

    fn cancel(&mut self, who: usize, wait: Wait) {
        self.line(wait).retain(|other| *other != who);
        let called = self.called.contains(&who);
        self.called.retain(|other| *other != who);
        let passes_on = match wait {
            Wait::Put(_) => !self.is_full(),
            Wait::Get => !self.items.is_empty(),
            Wait::Join => false,
        };
        if called && passes_on {
            self.call_first(wait);
        }
    }

    /// Nobody sleeps beside what it waits for, unless somebody who was woken will look at it first.
    fn assert_valid<S: Store>(&self, waits: &BTreeMap<usize, Waiter<S>>) {
        let on_its_way = |of: fn(&Wait) -> bool| self.called.iter().any(|who| of(&waits[who].wait));
        assert!(
            self.items.is_empty() || self.getters.is_empty() || on_its_way(|wait| *wait == Wait::Get),
            "a getter sleeps"
        );
        assert!(
            self.is_full() || self.putters.is_empty() || on_its_way(|wait| matches!(wait, Wait::Put(_))),
            "a putter sleeps"
        );
        assert!(self.unfinished > 0 || self.joiners.is_empty(), "a joiner sleeps");
    }
}

enum Waiting<S: Store> {
    Put(Put<S>),
    Get(Get<S>),
    Join(Join<S>),
}

struct Waiter<S: Store> {
    wait: Wait,
    waiting: Waiting<S>,
    waker: usize,
}

struct Named(Name, Arc<Mutex<Vec<Name>>>);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// The queue and who waits at it, beside the model.
struct Subject<S: Store> {
    queue: BaseQueue<S>,
    waits: BTreeMap<usize, Waiter<S>>,
    woken: Arc<Mutex<Vec<Name>>>,
    wakers: RefCell<BTreeMap<Name, Waker>>,
    model: Model,
}

impl<S: Store<Item = u32>> Subject<S> {
    fn new(bound: usize, next: fn(&mut Vec<u32>) -> u32) -> Self {
        Self {
            queue: BaseQueue::new(bound),
            waits: BTreeMap::new(),
            woken: Arc::default(),
            wakers: RefCell::default(),
            model: Model::new(bound, next),
        }
    }

    fn waker(&self, name: Name) -> Waker {
        let make = || Waker::from(Arc::new(Named(name, Arc::clone(&self.woken))));
        self.wakers.borrow_mut().entry(name).or_insert_with(make).clone()
    }

    fn begin(&mut self, who: usize, wait: Wait) {
        let waiting = match wait {
            Wait::Put(item) => Waiting::Put(self.queue.put(item)),
            Wait::Get => Waiting::Get(self.queue.get()),
            Wait::Join => Waiting::Join(self.queue.join()),
        };
        self.waits.insert(who, Waiter { wait, waiting, waker: 0 });
        self.poll(who, false);
    }

    fn poll(&mut self, who: usize, renew: bool) {
        let waiter = self.waits.get_mut(&who).unwrap();
        waiter.waker += usize::from(renew);
        let (wait, waker) = (waiter.wait, waiter.waker);
        let named = self.waker((who, waker));
        let mut cx = Context::from_waker(&named);
        let polled = match &mut self.waits.get_mut(&who).unwrap().waiting {
            Waiting::Put(put) => Pin::new(put).poll(&mut cx).map(|put| put.map_or(SHUT_DOWN, |()| 0)),
            Waiting::Get(get) => Pin::new(get).poll(&mut cx).map(|got| got.unwrap_or(SHUT_DOWN)),
            Waiting::Join(join) => Pin::new(join).poll(&mut cx).map(|()| 0),
        };
        let expected = self.model.poll(who, wait, waker);
        assert_eq!(polled, expected.map_or(Poll::Pending, Poll::Ready), "{wait:?} of {who}");
        if expected.is_some() {
            self.waits.remove(&who);
        }
    }

    fn perform(&mut self, number: usize, op: Op) {
        let pick = |who: usize, waits: &BTreeMap<usize, Waiter<S>>| {
            (!waits.is_empty()).then(|| *waits.keys().nth(who % waits.len()).unwrap())
        };
        let item = number as u32;
        match op {
            Op::PutNowait => {
                let expected = match self.model.put(item) {
                    true => Ok(()),
                    false if self.model.shut_down => Err(PutNowaitError::QueueShutDown(item)),
                    false => Err(PutNowaitError::QueueFull(item)),
                };
                assert_eq!(self.queue.put_nowait(item), expected);
            }
            Op::GetNowait => {
                let expected = match self.model.get() {
                    Some(SHUT_DOWN) => Err(QueueShutDown.into()),
                    got => got.ok_or(GetNowaitError::QueueEmpty),
                };
                assert_eq!(self.queue.get_nowait(), expected);
            }
            Op::Shutdown => {
                self.model.shut_down(false);
                self.queue.shutdown();
            }
            Op::ShutdownNow => assert_eq!(self.queue.shutdown_now(), self.model.shut_down(true)),
            Op::TaskDone => {
                let expected = if self.model.task_done() { Ok(()) } else { Err(TooManyTaskDone) };
                assert_eq!(self.queue.task_done(), expected);
            }
            Op::Put => self.begin(number, Wait::Put(item)),
            Op::Get => self.begin(number, Wait::Get),
            Op::Join => self.begin(number, Wait::Join),
            Op::Poll(who, renew) => {
                if let Some(who) = pick(who, &self.waits) {
                    self.poll(who, renew);
                }
            }
            Op::Cancel(who) => {
                if let Some(who) = pick(who, &self.waits) {
                    let waiter = self.waits.remove(&who).unwrap();
                    self.model.cancel(who, waiter.wait);
                }
            }
        }
    }

    fn assert_valid(&self) {
        assert_eq!(self.queue.len(), self.model.items.len());
        assert_eq!(self.queue.is_full(), self.model.is_full());
        let statistics = self.queue.statistics();
        let waiting = [&self.model.getters, &self.model.putters, &self.model.joiners].map(Vec::len);
        assert_eq!([statistics.getting, statistics.putting, statistics.joining], waiting);
        assert_eq!(
            (statistics.unfinished, statistics.shut_down),
            (self.model.unfinished, self.model.shut_down)
        );
        assert_eq!(*self.woken.lock().unwrap(), self.model.woken);
        self.model.assert_valid(&self.waits);
    }
}

/// The same items, the same who waits, and the same wakes in the same order, after each step.
fn check<S: Store<Item = u32>>(bound: usize, next: fn(&mut Vec<u32>) -> u32, ops: Vec<Op>) {
    let mut subject = Subject::<S>::new(bound, next);
    for (number, op) in ops.into_iter().enumerate() {
        subject.perform(number, op);
        subject.assert_valid();
    }
}

proptest! {
    #[test]
    fn prop_queue_matches_its_model(bound in 0usize..4, ops in vec(op(), 0..120)) {
        check::<Fifo<_>>(bound, oldest, ops);
    }

    #[test]
    fn prop_lifo_queue_matches_its_model(bound in 0usize..4, ops in vec(op(), 0..120)) {
        check::<Lifo<_>>(bound, newest, ops);
    }

    #[test]
    fn prop_priority_queue_matches_its_model(bound in 0usize..4, ops in vec(op(), 0..120)) {
        check::<Smallest<_>>(bound, smallest, ops);
    }
}
