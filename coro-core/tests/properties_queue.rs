//! The queue against a model: lists of names, in which everybody is looked for from the front.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use coro_core::Queue;
use coro_core::queue::{Get, Join, Put, QueueEmpty, QueueFull, TooManyTaskDone};
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
#[derive(Default)]
struct Model {
    bound: usize,
    items: VecDeque<u32>,
    unfinished: usize,
    getters: Vec<usize>,
    putters: Vec<usize>,
    joiners: Vec<usize>,
    called: Vec<usize>,
    wakers: BTreeMap<usize, usize>,
    woken: Vec<Name>,
}

impl Model {
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
        if self.is_full() {
            return false;
        }
        self.items.push_back(item);
        self.unfinished += 1;
        self.call_first(Wait::Get);
        true
    }

    fn get(&mut self) -> Option<u32> {
        let item = self.items.pop_front()?;
        self.call_first(Wait::Put(0));
        Some(item)
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
    fn assert_valid(&self, waits: &BTreeMap<usize, Waiter>) {
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

enum Waiting {
    Put(Put<u32>),
    Get(Get<u32>),
    Join(Join<u32>),
}

struct Waiter {
    wait: Wait,
    waiting: Waiting,
    waker: usize,
}

struct Named(Name, Arc<Mutex<Vec<Name>>>);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// The queue and who waits at it, beside the model.
struct Subject {
    queue: Queue<u32>,
    waits: BTreeMap<usize, Waiter>,
    woken: Arc<Mutex<Vec<Name>>>,
    wakers: RefCell<BTreeMap<Name, Waker>>,
    model: Model,
}

impl Subject {
    fn new(bound: usize) -> Self {
        Self {
            queue: Queue::new(bound),
            waits: BTreeMap::new(),
            woken: Arc::default(),
            wakers: RefCell::default(),
            model: Model { bound, ..Model::default() },
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
            Waiting::Put(put) => Pin::new(put).poll(&mut cx).map(|()| 0),
            Waiting::Get(get) => Pin::new(get).poll(&mut cx),
            Waiting::Join(join) => Pin::new(join).poll(&mut cx).map(|()| 0),
        };
        let expected = self.model.poll(who, wait, waker);
        assert_eq!(polled, expected.map_or(Poll::Pending, Poll::Ready), "{wait:?} of {who}");
        if expected.is_some() {
            self.waits.remove(&who);
        }
    }

    fn perform(&mut self, number: usize, op: Op) {
        let pick = |who: usize, waits: &BTreeMap<usize, Waiter>| {
            (!waits.is_empty()).then(|| *waits.keys().nth(who % waits.len()).unwrap())
        };
        let item = number as u32;
        match op {
            Op::PutNowait => {
                let expected = if self.model.put(item) { Ok(()) } else { Err(QueueFull(item)) };
                assert_eq!(self.queue.put_nowait(item), expected);
            }
            Op::GetNowait => assert_eq!(self.queue.get_nowait(), self.model.get().ok_or(QueueEmpty)),
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
        assert_eq!(*self.woken.lock().unwrap(), self.model.woken);
        self.model.assert_valid(&self.waits);
    }
}

proptest! {
    /// The same items, the same who waits, and the same wakes in the same order, after each step.
    #[test]
    fn prop_queue_matches_its_model(bound in 0usize..4, ops in vec(op(), 0..120)) {
        let mut subject = Subject::new(bound);
        for (number, op) in ops.into_iter().enumerate() {
            subject.perform(number, op);
            subject.assert_valid();
        }
    }
}
