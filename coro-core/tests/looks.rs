//! When a loop looks at its driver while work is ready.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use coro_core::driver::{Completed, Completion, Driver, Notify, Operation, Simulated, Slot, Socket, Wait};
use coro_core::time::{Time, yield_now};
use coro_core::{EventLoop, Loop};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Look,
    Timer(usize),
}

type Log = Rc<RefCell<Vec<Event>>>;

/// A simulated driver that says when it is looked at, and how much may run between two looks.
#[derive(Debug)]
struct Watched {
    inner: Simulated,
    log: Log,
    patience: u32,
}

impl Driver for Watched {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        self.inner.submit(slot, operation)
    }

    fn cancel(&mut self, slot: Slot) {
        self.inner.cancel(slot);
    }

    fn close(&mut self, socket: Socket) {
        self.inner.close(socket);
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.log.borrow_mut().push(Event::Look);
        self.inner.wait(wait, completions)
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        self.inner.notifier()
    }

    fn block_for(&mut self, duration: Duration) {
        self.inner.block_for(duration);
    }

    fn patience(&self) -> u32 {
        self.patience
    }
}

fn watched(patience: u32) -> (Loop, Log) {
    let log = Log::default();
    (Loop::with_driver(Watched { inner: Simulated::new(), log: Rc::clone(&log), patience }), log)
}

/// How many looks a run of a thousand yields takes, and how many turns.
fn looks_and_turns(patience: u32) -> (u64, u64) {
    let (event_loop, log) = watched(patience);
    event_loop
        .run(async {
            for _ in 0..1_000 {
                yield_now().await;
            }
        })
        .unwrap();
    let looks = log.borrow().len() as u64;
    (looks, event_loop.metrics().turns)
}

/// Exact, so that a run can be replayed.
#[test]
fn a_driver_without_patience_is_looked_at_every_turn() {
    let (looks, turns) = looks_and_turns(1);
    assert!(turns > 1_000);
    assert_eq!(looks, turns);
}

#[test]
fn a_driver_with_patience_is_looked_at_after_as_many_as_it_allows() {
    let (looks, turns) = looks_and_turns(100);
    assert!(turns > 1_000);
    // One for each hundred, and those at the beginning and at the end.
    assert!((1_000 / 100..1_000 / 100 + 5).contains(&looks), "{looks}");
}

#[test]
fn late_timers_go_off_in_order_and_in_parts_with_looks_between() {
    let (event_loop, log) = watched(128);
    for number in 0..3_000 {
        let log = Rc::clone(&log);
        event_loop.call_at(Time::ZERO, move || log.borrow_mut().push(Event::Timer(number)));
    }
    event_loop.run(yield_now()).unwrap();
    let log = log.borrow();
    let timers: Vec<_> = log.iter().filter(|event| **event != Event::Look).copied().collect();
    assert_eq!(timers, (0..3_000).map(Event::Timer).collect::<Vec<_>>());
    let parts: Vec<_> = log.split(|event| *event == Event::Look).map(<[Event]>::len).collect();
    assert_eq!(parts.iter().max(), Some(&1_024));
}
