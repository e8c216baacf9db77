//! The laws of values that are read by many, and of those that are made once.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use super::setting::{MakeLoop, log, run, turns};
use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::Loop;
use crate::sync::once_cell::SetError;
use crate::sync::{OnceCell, RwLock};
use crate::task::JoinHandle;
use crate::time::yield_now;

/// Reads, or writes one more, tells so, waits for a turn and lets go. The guard lives in the body, across its waits.
fn user(lock: &RwLock<i64>, trace: &Trace, name: &'static str, writes: bool) -> Plan {
    let guard: Rc<RefCell<Option<Box<dyn std::any::Any>>>> = Rc::default();
    let (lock, trace, acquired) = (lock.clone(), trace.clone(), Rc::clone(&guard));
    let uses = plan().wait(move || async move {
        let (guard, value): (Box<dyn std::any::Any>, i64) = if writes {
            let mut value = lock.write().await;
            *value += 1;
            let now = *value;
            (Box::new(value), now)
        } else {
            let value = lock.read().await;
            let now = *value;
            (Box::new(value), now)
        };
        trace.log(format!("{name} {value}"));
        acquired.replace(Some(guard));
    });
    uses.wait(yield_now).call(move || drop(guard.take()))
}

/// Readers share, writers do not, and nobody overtakes: not a reader a writer that waits, either.
pub fn readers_share_and_nobody_overtakes<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), RwLock::new(0));
    for (name, writes) in
        [("r1", false), ("r2", false), ("w1", true), ("r3", false), ("r4", false), ("w2", true)]
    {
        user(&lock, &trace, name, writes).spawn::<F>(&event_loop).detach();
    }
    let (looked, told) = (lock.clone(), trace.clone());
    let main = plan().call(move || {
        told.log("a turn");
        let statistics = looked.statistics();
        assert_eq!((statistics.readers, statistics.writer, statistics.waiting), (2, false, 4));
        assert!(looked.try_read().is_err(), "a writer waits");
    });
    run::<F>(&event_loop, main.then(turns(8))).unwrap();
    trace.expect(&["r1 0", "r2 0", "a turn", "w1 1", "r3 1", "r4 1", "w2 2"]);
    assert_eq!(*lock.try_write().unwrap(), 2);
}

/// A writer that gives up lets the readers behind it go; one that was promised the lock passes it on.
pub fn a_cancelled_writer_lets_the_readers_behind_it_go<F: Flavour>(make: MakeLoop<'_>) {
    // It has been promised the lock, or is about to be, or the one who reads goes on.
    for (released, kept) in [(true, false), (false, false), (false, true)] {
        let (event_loop, trace, lock) = (make(), Trace::new(), RwLock::new(0));
        let held = Rc::new(RefCell::new(Some(lock.try_read().unwrap())));
        let reading = Rc::clone(&held);
        let writer = user(&lock, &trace, "writer", true).spawn::<F>(&event_loop);
        for name in ["r1", "r2"] {
            user(&lock, &trace, name, false).spawn::<F>(&event_loop).detach();
        }
        let main = turns(1).call(move || {
            if released {
                drop(reading.take());
            }
            assert!(writer.cancel());
            if !kept {
                drop(reading.take());
            }
        });
        run::<F>(&event_loop, main.then(turns(4))).unwrap();
        trace.expect(&["r1 0", "r2 0"]);
        drop(held.take());
        drop(lock.try_write().unwrap());
    }
}

/// A writer that goes over to reading lets readers in, and no writer before that.
pub fn a_writer_may_go_over_to_reading<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), RwLock::new(0));
    let mut held = lock.try_write().unwrap();
    for (name, writes) in [("reader", false), ("writer", true)] {
        user(&lock, &trace, name, writes).spawn::<F>(&event_loop).detach();
    }
    let main = turns(1).call(move || {
        *held = 5;
        drop(held.downgrade());
    });
    run::<F>(&event_loop, main.then(turns(3))).unwrap();
    trace.expect(&["reader 5", "writer 6"]);
}

/// Needs the value, and tells what it is; makes it with a wait, if it is its turn.
fn needs<F: Flavour>(
    event_loop: &Loop,
    cell: &OnceCell<&'static str>,
    trace: &Trace,
    name: &'static str,
) -> JoinHandle<i64> {
    let (cell, trace) = (cell.clone(), trace.clone());
    let needs = plan().wait(move || async move {
        let making = trace.clone();
        let make = || async move {
            making.log(format!("{name} makes it"));
            yield_now().await;
            name
        };
        let value = *cell.get_or_init(make).await;
        trace.log(format!("{name} has {value}"));
    });
    needs.spawn::<F>(event_loop)
}

/// The first one that needs the value makes it, the others wait for that.
pub fn a_value_is_made_once<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, cell) = (make(), Trace::new(), OnceCell::new());
    for name in ["a", "b", "c"] {
        needs::<F>(&event_loop, &cell, &trace, name).detach();
    }
    let early = cell.clone();
    let main = plan().call(move || {
        assert_eq!(early.get(), None);
        assert_eq!(early.set("too early"), Err(SetError::BeingMade("too early")));
    });
    run::<F>(&event_loop, main.then(turns(3))).unwrap();
    trace.expect(&["a makes it", "a has a", "b has a", "c has a"]);
    assert_eq!(cell.set("too late"), Err(SetError::AlreadySet("too late")));
    assert_eq!(OnceCell::new().set("in time"), Ok(()));
}

/// Who is cancelled while it makes the value passes the turn on, and so does who was woken for it; an error does, too.
pub fn a_maker_that_gives_up_passes_the_turn_on<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, cell) = (make(), Trace::new(), OnceCell::new());
    let (fails, told) = (cell.clone(), trace.clone());
    let failing = plan().wait(move || async move {
        let made = fails.get_or_try_init(|| async {
            yield_now().await;
            Err("it fails")
        });
        told.log(made.await.unwrap_err());
    });
    failing.spawn::<F>(&event_loop).detach();
    let [first, second] = ["first", "second"].map(|name| needs::<F>(&event_loop, &cell, &trace, name));
    needs::<F>(&event_loop, &cell, &trace, "third").detach();
    let stuck = cell.clone();
    let main = turns(1).call(move || {
        // It was woken, and has not run; the second one after it is to be woken and cancelled as well.
        assert!(first.cancel() && second.cancel());
    });
    run::<F>(&event_loop, main.then(turns(4)).call(log(&trace, "over"))).unwrap();
    trace.expect(&["it fails", "third makes it", "third has third", "over"]);
    assert_eq!(stuck.get(), Some(&"third"));

    // And who waits in its maker for ever.
    let cell = OnceCell::new();
    let making = cell.clone();
    let maker = plan().wait(move || async move { _ = making.get_or_init(pending).await });
    let maker = maker.spawn::<F>(&event_loop);
    needs::<F>(&event_loop, &cell, &trace, "next").detach();
    run::<F>(&event_loop, turns(1).call(move || assert!(maker.cancel())).then(turns(3))).unwrap();
    trace.expect(&["next makes it", "next has next"]);
}
