//! The laws of conditions and barriers.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;

use super::setting::{MakeLoop, log, run, turns};
use super::{Flavour, Plan, Trace, plan};
use crate::coroutine::Settle;
use crate::event_loop::Loop;
use crate::sync::barrier::{BrokenBarrier, NoParties};
use crate::sync::condition::{Held, Wait};
use crate::sync::{Barrier, Condition, Lock};
use crate::task::JoinHandle;
use crate::time::yield_now;

/// Waits for one notification, and tells when it has come.
fn waiter<F: Flavour>(
    event_loop: &Loop,
    condition: &Condition<i64>,
    trace: &Trace,
    name: &'static str,
) -> JoinHandle<i64> {
    let (condition, trace) = (condition.clone(), trace.clone());
    let waits = plan().wait(move || async move {
        let held = condition.lock().await.wait().await;
        trace.log(format!("{name} sees {}", *held));
    });
    waits.spawn::<F>(event_loop)
}

/// Changes the value by one, and notifies some.
fn notify(condition: &Condition<i64>, n: usize) {
    let mut held = condition.try_lock().unwrap();
    *held += 1;
    held.notify(n);
}

/// Rule 33: notifications go to those who have waited longest, as many as are wanted; they have the lock then.
pub fn notifications_wake_those_who_waited_first<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, condition) = (make(), Trace::new(), Condition::new(0));
    for name in ["a", "b", "c", "d"] {
        waiter::<F>(&event_loop, &condition, &trace, name).detach();
    }
    let [two, none, many] = [&condition; 3].map(Condition::clone);
    // Each of them locks in turn: until then they wait for the lock, not for a notification.
    let main = turns(4).call(move || {
        assert_eq!((two.statistics().waiting, two.statistics().locked), (4, false));
        notify(&two, 2);
    });
    let main = main.then(turns(3)).call(move || notify(&none, 0)).then(turns(2)).call(log(&trace, "all"));
    let main = main.call(move || notify(&many, 10)).then(turns(3));
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["a sees 1", "b sees 1", "all", "c sees 3", "d sees 3"]);
}

/// Rule 33: to notify everybody wakes who waits by then, and nobody who comes later.
pub fn notify_all_wakes_everybody_who_waited<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, condition) = (make(), Trace::new(), Condition::new(7));
    for name in ["a", "b"] {
        waiter::<F>(&event_loop, &condition, &trace, name).detach();
    }
    let (all, again, late) = (condition.clone(), event_loop.clone(), trace.clone());
    let main = turns(2).call(move || {
        all.try_lock().unwrap().notify_all();
        waiter::<F>(&again, &all, &late, "late").detach();
    });
    run::<F>(&event_loop, main.then(turns(4)).call(log(&trace, "late waits"))).unwrap();
    trace.expect(&["a sees 7", "b sees 7", "late waits"]);
    assert_eq!(condition.statistics().waiting, 1);
}

/// Rule 33: a waiter that was notified and cancelled passes its notification on, before it locks and while it does.
pub fn a_cancelled_notified_waiter_notifies_the_next<F: Flavour>(make: MakeLoop<'_>) {
    for locks in [false, true] {
        let (event_loop, trace, condition) = (make(), Trace::new(), Condition::new(0));
        let first = waiter::<F>(&event_loop, &condition, &trace, "first");
        waiter::<F>(&event_loop, &condition, &trace, "second").detach();
        waiter::<F>(&event_loop, &condition, &trace, "third").detach();
        let held: Rc<RefCell<Option<Held<i64>>>> = Rc::default();
        let (keeps, notified) = (Rc::clone(&held), condition.clone());
        let main = turns(3).call(move || {
            let held = notified.try_lock().unwrap();
            held.notify(1);
            keeps.replace(Some(held));
        });
        let main = main.then(turns(usize::from(locks))).call(move || assert!(first.cancel()));
        let main = main.then(turns(2)).call(move || drop(held.take())).then(turns(3));
        run::<F>(&event_loop, main).unwrap();
        trace.expect(&["second sees 0"]);
        assert_eq!(condition.statistics().waiting, 1);
    }
}

/// Rule 33: who gives up before it was notified costs nobody a notification.
pub fn a_cancelled_waiter_leaves_the_condition<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, condition) = (make(), Trace::new(), Condition::new(0));
    let first = waiter::<F>(&event_loop, &condition, &trace, "first");
    waiter::<F>(&event_loop, &condition, &trace, "second").detach();
    let notified = condition.clone();
    let main = turns(2).call(move || assert!(first.cancel())).wait(yield_now);
    let main = main.call(move || notify(&notified, 1)).then(turns(2));
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["second sees 1"]);
}

/// A wait for a value looks again after each notification, and not at all for a notification if it is as wanted.
pub fn wait_for_looks_again_after_each_notification<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, condition) = (make(), Trace::new(), Condition::new(0));
    let (waiting, looked, seen) = (condition.clone(), trace.clone(), trace.clone());
    let waiter = plan().wait(move || async move {
        let looks = move |value: &i64| {
            looked.log(format!("looks at {value}"));
            *value >= 2
        };
        let held = waiting.lock().await.wait_for(looks).await;
        seen.log(format!("sees {}", *held));
        drop(held.wait_for(|value| *value == 2).await);
    });
    let waiter = waiter.spawn::<F>(&event_loop);
    let (one, two) = (condition.clone(), condition.clone());
    let main = turns(1).call(move || notify(&one, 1)).then(turns(2)).call(move || notify(&two, 1));
    run::<F>(&event_loop, main.wait(move || async move { assert!(waiter.await.is_ok()) })).unwrap();
    trace.expect(&["looks at 0", "looks at 1", "looks at 2", "sees 2"]);
}

/// Two conditions of one lock: a guard goes from one to the other, and to that of no other lock.
pub fn conditions_share_a_lock<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), Lock::new(0));
    let [filled, emptied] = [&lock; 2].map(Condition::with_lock);
    waiter::<F>(&event_loop, &filled, &trace, "filled").detach();
    waiter::<F>(&event_loop, &emptied, &trace, "emptied").detach();
    let main = turns(2).call(move || {
        let held = filled.try_lock().unwrap();
        assert!(lock.is_locked());
        let held = held.at(&emptied).unwrap();
        held.notify_all();
        let refused = held.at(&Condition::new(0)).unwrap_err();
        assert!(refused.to_string().contains("another lock"));
        assert!(lock.is_locked());
        *lock.try_lock().map_or(refused.0, |_| unreachable!("it is held")) = 5;
    });
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
    trace.expect(&["emptied sees 5"]);
}

/// A wait that its body shares with the handler of what is thrown at it, and what it gave in the end.
#[derive(Clone, Default)]
struct Shared {
    wait: Rc<RefCell<Option<Wait<i64>>>>,
    held: Rc<RefCell<Option<Held<i64>>>>,
}

impl Shared {
    /// Awaits it to its end.
    fn wait(&self, plan: Plan) -> Plan {
        let Self { wait, held } = self.clone();
        plan.wait(move || async move {
            let ended = poll_fn(|cx| Pin::new(wait.borrow_mut().as_mut().unwrap()).poll(cx)).await;
            held.replace(Some(ended));
        })
    }

    /// Interrupts it at each throw, as `co.settle` does, and tells so.
    fn settle(self, trace: Trace) -> Plan {
        self.wait(plan()).except(move |thrown| {
            trace.log(thrown);
            self.wait.borrow_mut().as_mut().unwrap().interrupt();
            self.settle(trace)
        })
    }
}

/// Rule 33: a wait that is interrupted has the lock again when it is over, however often it is interrupted.
pub fn an_interrupted_wait_has_the_lock_again<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, condition) = (make(), Trace::new(), Condition::new(0));
    let shared = Shared::default();
    *shared.wait.borrow_mut() = Some(condition.try_lock().unwrap().wait());
    let task = shared.clone().settle(trace.clone()).spawn::<F>(&event_loop);
    waiter::<F>(&event_loop, &condition, &trace, "next").detach();
    let (blocking, notified) = (Rc::new(RefCell::new(None)), condition.clone());
    let blocks = Rc::clone(&blocking);
    // It is notified, and then interrupted twice while somebody else has the lock.
    let main = turns(2).call(move || {
        let held = notified.try_lock().unwrap();
        held.notify(1);
        blocks.replace(Some(held));
    });
    let (task, again) = (Rc::new(task), trace.clone());
    let cancels = Rc::clone(&task);
    let main = main.then(turns(1)).call(move || assert!(cancels.cancel()));
    let cancels = Rc::clone(&task);
    let main = main.then(turns(2)).call(move || assert!(cancels.cancel()));
    let (held, free) = (Rc::clone(&shared.held), condition.clone());
    let main = main.then(turns(2)).call(move || {
        assert!(held.borrow().is_none() && !task.is_done());
        again.log("unlocked");
        drop(blocking.take());
    });
    let main = main.then(turns(2)).call(move || {
        // The notification went on, but this one was there first.
        assert!(free.try_lock().is_err(), "the interrupted one has it");
        drop(shared.held.take().expect("it has it"));
    });
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
    let thrown = "the task was cancelled";
    trace.expect(&[thrown, thrown, "unlocked", "next sees 0"]);
}

/// Rule 33: one who waits for the lock, is cancelled and waits for it again, as it must, is not passed over for ever when
/// the lock is released before it runs.
pub fn an_interrupted_wait_takes_a_lock_that_was_released_meanwhile<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, condition) = (make(), Trace::new(), Condition::new(0));
    let shared = Shared::default();
    *shared.wait.borrow_mut() = Some(condition.try_lock().unwrap().wait());
    let task = shared.clone().settle(trace.clone()).spawn::<F>(&event_loop);
    let (blocking, free) = (Rc::new(RefCell::new(None)), condition.clone());
    let held = Rc::clone(&shared.held);
    let blocks = Rc::clone(&blocking);
    let main = turns(2).call(move || {
        let held = condition.try_lock().unwrap();
        held.notify(1);
        blocks.replace(Some(held));
    });
    // By now it waits for the lock. In one step it is cancelled and the lock is released.
    let main = main.then(turns(2)).call(move || {
        assert!(shared.held.borrow().is_none() && task.cancel());
        drop(blocking.take());
    });
    let main = main.then(turns(2)).call(move || {
        assert!(free.try_lock().is_err(), "it has it");
        trace.expect(&["the task was cancelled"]);
        drop(held.take().expect("it has it"));
        assert!(free.try_lock().is_ok());
    });
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
}

/// Waits at the barrier, and tells what came of it.
fn party<F: Flavour>(
    event_loop: &Loop,
    barrier: &Barrier,
    trace: &Trace,
    name: &'static str,
) -> JoinHandle<i64> {
    let (barrier, trace) = (barrier.clone(), trace.clone());
    let waits = plan().wait(move || async move { trace.log(format!("{name} {:?}", barrier.wait().await)) });
    waits.spawn::<F>(event_loop)
}

/// Rule 35: the last one to arrive opens the barrier; the numbers are those of arriving, each time.
pub fn a_barrier_opens_when_all_have_arrived_and_numbers_them<F: Flavour>(make: MakeLoop<'_>) {
    assert!(matches!(Barrier::new(0), Err(NoParties)));
    let (event_loop, trace, barrier) = (make(), Trace::new(), Barrier::new(3).unwrap());
    for name in ["a", "b", "c", "d", "e"] {
        party::<F>(&event_loop, &barrier, &trace, name).detach();
    }
    let full = barrier.clone();
    let main = turns(1).call(move || assert_eq!(full.statistics().waiting, 2)).wait(yield_now);
    let (last, log) = (barrier.clone(), trace.clone());
    let main = main.wait(move || async move { log.log(format!("main {:?}", last.wait().await)) });
    run::<F>(&event_loop, main.then(turns(1))).unwrap();
    trace.expect(&["c Ok(2)", "a Ok(0)", "b Ok(1)", "main Ok(2)", "d Ok(0)", "e Ok(1)"]);
    assert_eq!(barrier.statistics().waiting, 0);
}

/// Rule 35: who is cancelled while the barrier fills has not arrived, and leaves no gap in the numbers.
pub fn a_cancel_while_a_barrier_fills_is_no_arrival<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, barrier) = (make(), Trace::new(), Barrier::new(3).unwrap());
    let first = party::<F>(&event_loop, &barrier, &trace, "first");
    party::<F>(&event_loop, &barrier, &trace, "second").detach();
    let (fills, again, log) = (barrier.clone(), event_loop.clone(), trace.clone());
    let main = turns(1).call(move || assert!(first.cancel())).wait(yield_now).call(move || {
        assert_eq!(fills.statistics().waiting, 1);
        for name in ["third", "fourth"] {
            party::<F>(&again, &fills, &log, name).detach();
        }
    });
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
    trace.expect(&["fourth Ok(2)", "second Ok(0)", "third Ok(1)"]);
}

/// Rule 35: an aborted barrier is broken for all, for those who wait, those about to pass, and those who come, until it is
/// reset.
pub fn an_aborted_barrier_is_broken_for_all<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, barrier) = (make(), Trace::new(), Barrier::new(2).unwrap());
    party::<F>(&event_loop, &barrier, &trace, "waits").detach();
    let broken = barrier.clone();
    let main = turns(1).call(move || broken.abort()).wait(yield_now);
    let (comes, log) = (barrier.clone(), trace.clone());
    let main = main.wait(move || async move {
        assert!(comes.is_broken());
        assert_eq!(comes.wait().await, Err(BrokenBarrier));
        log.log("reset");
        comes.reset();
        assert!(!comes.is_broken());
    });
    let (again, log, event_loop_again) = (barrier.clone(), trace.clone(), event_loop.clone());
    let main = main.call(move || {
        party::<F>(&event_loop_again, &again, &log, "was to pass").detach();
    });
    let main = main.wait(yield_now).wait(move || async move {
        assert_eq!(barrier.wait().await, Ok(1));
        barrier.abort();
    });
    run::<F>(&event_loop, main.then(turns(1))).unwrap();
    trace.expect(&["waits Err(BrokenBarrier)", "reset", "was to pass Err(BrokenBarrier)"]);
}

/// Rule 35: a reset tells those who wait, and lets others fill the barrier.
pub fn a_reset_barrier_begins_anew<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, barrier) = (make(), Trace::new(), Barrier::new(2).unwrap());
    party::<F>(&event_loop, &barrier, &trace, "before").detach();
    let (resets, again, log) = (barrier.clone(), event_loop.clone(), trace.clone());
    let main = turns(1).call(move || {
        resets.reset();
        for name in ["one", "two"] {
            party::<F>(&again, &resets, &log, name).detach();
        }
    });
    run::<F>(&event_loop, main.then(turns(2))).unwrap();
    trace.expect(&["before Err(BrokenBarrier)", "two Ok(1)", "one Ok(0)"]);
}
