//! The laws of what tasks agree with: the lock, the event, the oneshot.

use std::cell::RefCell;
use std::rc::Rc;

use super::setting::{MakeLoop, log, run, turns};
use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::{EventLoop, Loop};
use crate::queue::Queue;
use crate::sync::oneshot::{Closed, TryRecvError, Unsent};
use crate::sync::{Event, Guard, Lock, Receiver, oneshot};
use crate::task::JoinHandle;
use crate::time::yield_now;

/// Locks, tells so, waits for a turn and lets go. The guard lives in the body, across its waits.
fn holder(lock: &Lock<Vec<&'static str>>, trace: &Trace, name: &'static str) -> Plan {
    let guard: Rc<RefCell<Option<Guard<_>>>> = Rc::default();
    let (lock, trace, acquired) = (lock.clone(), trace.clone(), Rc::clone(&guard));
    let locks = plan().wait(move || async move {
        let mut names = lock.lock().await;
        names.push(name);
        trace.log(format!("{name} has it after {}", names.len() - 1));
        acquired.replace(Some(names));
    });
    locks.wait(yield_now).call(move || drop(guard.take()))
}

/// Waits for the event, and tells when it has happened.
fn waiter<F: Flavour>(
    event_loop: &Loop,
    event: &Event,
    trace: &Trace,
    name: &'static str,
) -> JoinHandle<i64> {
    let event = event.clone();
    plan().wait(move || async move { event.wait().await }).call(log(trace, name)).spawn::<F>(event_loop)
}

/// Waits for the value, and tells what came.
fn receiver<F: Flavour>(event_loop: &Loop, receiver: Receiver<i64>, trace: &Trace) -> JoinHandle<i64> {
    let trace = trace.clone();
    plan()
        .wait(move || async move { trace.log(format!("received {:?}", receiver.await)) })
        .spawn::<F>(event_loop)
}

/// Rule 46: what is ready is not waited for, so nobody else runs in between.
pub fn what_is_ready_does_not_suspend<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (lock, event, queue) = (Lock::new(1), Event::new(), Queue::new(1));
    let (sender, receiver) = oneshot();
    event.set();
    sender.send(2).unwrap();
    let main = plan().wait(move || async move {
        let one = *lock.lock().await;
        event.wait().await;
        let two = receiver.await.unwrap();
        queue.put(one + two).await.unwrap();
        assert_eq!(queue.get().await, Ok(3));
        queue.task_done().unwrap();
        queue.join().await;
    });
    let main = main.call(log(&trace, "all done")).wait(yield_now).spawn::<F>(&event_loop);
    plan().call(log(&trace, "another task")).spawn::<F>(&event_loop).detach();
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["all done", "another task"]);
}

/// Rule 30: those who wait first lock first, one at a time.
pub fn a_lock_is_handed_over_first_come_first_served<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), Lock::new(Vec::new()));
    for name in ["a", "b"] {
        holder(&lock, &trace, name).spawn::<F>(&event_loop).detach();
    }
    run::<F>(&event_loop, holder(&lock, &trace, "c")).unwrap();
    trace.expect(&["a has it after 0", "b has it after 1", "c has it after 2"]);
    assert_eq!(*lock.try_lock().unwrap(), ["a", "b", "c"]);
    assert!(!lock.is_locked());
}

/// Rule 30: a released lock is unlocked, but promised to the one that was woken: a newcomer waits behind it.
pub fn a_released_lock_is_promised_to_who_was_woken<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), Lock::new(Vec::new()));
    let held = lock.try_lock().unwrap();
    holder(&lock, &trace, "waiter").spawn::<F>(&event_loop).detach();
    let promised = lock.clone();
    let main = turns(1).call(move || {
        assert!(promised.is_locked());
        drop(held);
        assert!(!promised.is_locked());
        assert!(promised.try_lock().is_err());
    });
    run::<F>(&event_loop, main.then(holder(&lock, &trace, "newcomer"))).unwrap();
    trace.expect(&["waiter has it after 0", "newcomer has it after 1"]);
}

/// Rule 30: a waiter that was woken and cancelled before it ran passes the lock on; the last one leaves it free.
pub fn a_cancelled_woken_waiter_passes_the_lock_on<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), Lock::new(Vec::new()));
    let held = lock.try_lock().unwrap();
    let [first, last] = ["a", "b"].map(|name| holder(&lock, &trace, name).spawn::<F>(&event_loop));
    let (again, free) = (lock.clone(), lock.clone());
    let main = turns(1).call(move || {
        drop(held);
        assert!(first.cancel());
    });
    // Then the one it was passed to has it; it lets go in the turn after.
    let main = main.then(turns(3)).call(move || {
        assert!(last.is_done());
        drop(again.try_lock().unwrap());
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["b has it after 0"]);

    let held = free.try_lock().unwrap();
    let only = holder(&free, &trace, "nobody").spawn::<F>(&event_loop);
    let main = turns(1).call(move || {
        drop(held);
        assert!(only.cancel());
    });
    let main = main.wait(yield_now).call(move || drop(free.try_lock().unwrap()));
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[]);
}

/// One who gives up in the middle of the line is gone at once; the others keep their places.
pub fn a_cancelled_waiter_leaves_the_line_of_a_lock<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), Lock::new(Vec::new()));
    let held = lock.try_lock().unwrap();
    let names = ["first", "middle", "last"];
    let [first, middle, last] = names.map(|name| holder(&lock, &trace, name).spawn::<F>(&event_loop));
    first.detach();
    let main = turns(1).call(move || assert!(middle.cancel())).wait(yield_now).call(move || drop(held));
    let main = main.wait(move || async move { assert!(last.await.is_ok()) });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["first has it after 0", "last has it after 1"]);
}

/// A task that is cancelled while it holds a lock lets go of it.
pub fn a_cancelled_holder_releases_its_lock<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), Lock::new(Vec::new()));
    let first = holder(&lock, &trace, "first").spawn::<F>(&event_loop);
    holder(&lock, &trace, "second").spawn::<F>(&event_loop).detach();
    let main = plan().call(move || assert!(first.cancel()));
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
    trace.expect(&["first has it after 0", "second has it after 1"]);
}

/// Rule 32: set and clear in one step wake everybody who was waiting, and nobody who comes later.
pub fn set_and_clear_wake_everybody_who_waited<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, event) = (make(), Trace::new(), Event::new());
    for name in ["a", "b", "c"] {
        waiter::<F>(&event_loop, &event, &trace, name).detach();
    }
    let (flash, again, late) = (event.clone(), event_loop.clone(), trace.clone());
    let main = turns(1).call(move || {
        flash.set();
        flash.clear();
        assert!(!flash.is_set());
        waiter::<F>(&again, &flash, &late, "late").detach();
    });
    let main = main.then(turns(2)).call(log(&trace, "again")).call(move || event.set());
    run::<F>(&event_loop, main.then(turns(1))).unwrap();
    trace.expect(&["a", "b", "c", "again", "late"]);
}

/// A wait that is given up leaves the others in their places, and a set event keeps nobody.
pub fn a_cancelled_waiter_leaves_the_event<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, event) = (make(), Trace::new(), Event::new());
    let names = ["a", "b", "c"];
    let [first, middle, last] = names.map(|name| waiter::<F>(&event_loop, &event, &trace, name));
    first.detach();
    last.detach();
    let set = event.clone();
    let main = turns(1).call(move || assert!(middle.cancel())).wait(yield_now).call(move || set.set());
    let main = main.wait(yield_now).wait(move || async move { event.wait().await });
    run::<F>(&event_loop, main.call(log(&trace, "at once"))).unwrap();
    trace.expect(&["a", "c", "at once"]);
}

/// A oneshot hands its value over; a sender that is dropped instead says that none will come.
pub fn a_oneshot_gives_its_value_or_says_that_none_comes<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let ((sends, sent), (drops, dropped)) = (oneshot(), oneshot());
    for end in [sent, dropped] {
        receiver::<F>(&event_loop, end, &trace).detach();
    }
    let main = turns(1).call(move || sends.send(7).unwrap()).wait(yield_now).call(move || drop(drops));
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["received Ok(7)", "received Err(Closed)"]);
}

/// A value that nobody will receive comes back; one that was sent before the end was closed can still be had.
pub fn an_unsent_value_comes_back<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (gone, end) = oneshot();
    let cancelled = receiver::<F>(&event_loop, end, &trace);
    let main = turns(1).call(move || assert!(cancelled.cancel())).wait(yield_now).call(move || {
        assert!(gone.is_closed());
        assert_eq!(gone.send(7), Err(Unsent(7)));
        let (late, mut end) = oneshot();
        assert_eq!(end.try_recv(), Err(TryRecvError::Empty));
        end.close();
        assert_eq!(end.try_recv(), Err(Closed.into()));
        assert_eq!(late.send(8), Err(Unsent(8)));
        let (early, mut end) = oneshot();
        early.send(9).unwrap();
        end.close();
        assert_eq!(end.try_recv(), Ok(9));
        assert_eq!(end.try_recv(), Err(Closed.into()));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[]);
}

/// A sender can wait until nobody wants its value any more.
pub fn a_sender_waits_for_its_receiver_to_close<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let ((closes, mut closed), (drops, dropped)) = (oneshot::<i64>(), oneshot::<i64>());
    for (mut sender, event) in [(closes, "closed"), (drops, "dropped")] {
        let waits = plan().wait(move || async move { sender.closed().await });
        waits.call(log(&trace, event)).spawn::<F>(&event_loop).detach();
    }
    let main = turns(1).call(move || closed.close()).wait(yield_now).call(move || drop(dropped));
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["closed", "dropped"]);
}
