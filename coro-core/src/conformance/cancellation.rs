//! The laws of cancellation: asking, counting, withdrawing, and who is served in the place of the cancelled.

use std::cell::RefCell;
use std::rc::Rc;

use super::setting::{MakeLoop, log, run, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::{EventLoop, Loop};
use crate::sync::{Event, Lock};
use crate::task::{self, Canceller, JoinHandle, TaskError};
use crate::time::{sleep, yield_now};
use crate::{Queue, Thrown};

/// Logs what is thrown, and lets it out.
fn telling(trace: &Trace, name: &'static str) -> impl FnOnce(Thrown<TaskError>) -> Plan + 'static {
    let trace = trace.clone();
    move |thrown| {
        trace.log(format!("{name}: {thrown}"));
        plan().raise(thrown)
    }
}

/// Waits for a task, whose result is its own: as an `await` of Python's does it.
fn awaiting(awaited: JoinHandle<i64>, trace: &Trace, name: &'static str) -> Plan {
    let (result, again) = (Rc::new(RefCell::new(None)), trace.clone());
    let given = Rc::clone(&result);
    plan()
        .wait(move || async move {
            let result = awaited.await;
            again.log(format!("{name} got {result:?}"));
            given.replace(Some(result));
        })
        .then_with(move || match result.take() {
            Some(Ok(value)) => plan().returns(value),
            Some(Err(error)) => plan().raise(error.into()),
            None => plan(),
        })
        .except(telling(trace, name))
}

/// One turn later.
fn turn() -> Plan {
    plan().wait(yield_now)
}

/// Rule 17: the wait of a cancelled task is over at once: a lock that is released in the same step goes to the next.
pub fn a_cancelled_waiter_is_passed_over_by_a_lock<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock) = (make(), Trace::new(), Lock::new(()));
    let held = lock.try_lock().unwrap();
    let waiter = |name| {
        let (lock, trace) = (lock.clone(), trace.clone());
        let told = telling(&trace, name);
        let locked = move || async move {
            let _guard = lock.lock().await;
            trace.log(format!("{name} has it"));
        };
        plan().wait(locked).except(told).spawn::<F>(&event_loop)
    };
    let (first, second, free) = (waiter("first"), waiter("second"), lock.clone());
    let main = turn().call(move || {
        assert!(first.cancel());
        drop(held);
        // Promised to the second.
        assert!(lock.try_lock().is_err());
    });
    let main = main.wait(yield_now).call(log(&trace, "next turn")).wait(move || async move {
        second.await.unwrap();
        assert!(!free.is_locked());
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["first: the task was cancelled", "second has it", "next turn"]);
}

/// Rule 17: nor does it hold up a queue; and if only cancelled ones wait, the lock is free and the item stays.
pub fn cancelled_waiters_are_as_none<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, lock, queue) = (make(), Trace::new(), Lock::new(()), Queue::new(0));
    let held = lock.try_lock().unwrap();
    let getter = |name| {
        let (queue, trace) = (queue.clone(), trace.clone());
        let told = telling(&trace, name);
        let got = move || async move { trace.log(format!("{name} got {}", queue.get().await.unwrap())) };
        plan().wait(got).except(told).spawn::<F>(&event_loop)
    };
    let (first, second) = (getter("first"), getter("second"));
    second.detach();
    let (waits, items) = (lock.clone(), queue.clone());
    let waits = plan().wait(move || async move { drop(waits.lock().await) }).spawn::<F>(&event_loop);
    let main = turn().call(move || {
        first.cancel();
        items.put_nowait(1).unwrap();
        waits.cancel();
        drop(held);
        drop(lock.try_lock().unwrap());
    });
    run::<F>(&event_loop, main.wait(yield_now).call(log(&trace, "next turn"))).unwrap();
    trace.expect(&["first: the task was cancelled", "second got 1", "next turn"]);
    assert!(queue.is_empty());
}

/// Rule 17: a future of somebody else's is dropped when the cancellation is delivered, and not before.
pub fn a_foreign_future_is_dropped_at_the_delivery<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let held = trace.on_drop("dropped");
    let waits = plan().wait(move || async move {
        let _held = held;
        std::future::pending().await
    });
    let waits = waits.except(telling(&trace, "waits")).spawn::<F>(&event_loop);
    let again = trace.clone();
    let main = turn().call(move || {
        assert!(waits.cancel());
        again.log("asked");
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["asked", "dropped", "waits: the task was cancelled"]);
}

/// Rule 17: a wait that is over for a cancellation is not taken up again when that is withdrawn; rule 20: what has not cut
/// off a wait is withdrawn with the last request.
pub fn uncancel_withdraws_what_has_cut_off_no_wait<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let waits = plan().wait(|| sleep(secs(60))).except(telling(&trace, "waits")).spawn::<F>(&event_loop);
    let ready = turn().wait(yield_now).call(log(&trace, "ready runs on")).spawn::<F>(&event_loop);
    let new = Rc::new(RefCell::new(None));
    let (waiting, again, inner, made) =
        (waits.canceller(), trace.clone(), event_loop.clone(), Rc::clone(&new));
    let main = turn().call(move || {
        let new = plan().call(log(&again, "new runs")).spawn::<F>(&inner);
        for task in [waiting, ready.canceller(), new.canceller()] {
            assert!(task.cancel() && task.cancel());
            assert_eq!((task.cancelling(), task.uncancel(), task.uncancel(), task.uncancel()), (2, 1, 0, 0));
        }
        made.replace(Some(new));
        ready.detach();
    });
    run::<F>(&event_loop, main.wait(yield_now).wait(yield_now)).unwrap();
    trace.expect(&["ready runs on", "new runs", "waits: the task was cancelled"]);
    assert!(waits.is_cancelled() && !new.take().unwrap().is_cancelled());
}

/// Rule 20: a task may go on as if nothing had happened. The request still counts, and is not delivered again.
pub fn a_swallowed_cancellation_is_not_delivered_again<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (caught, counts) = (trace.clone(), trace.clone());
    let task = plan().wait(|| sleep(secs(60))).except(move |thrown| {
        caught.log(thrown);
        let goes_on = plan().wait(|| sleep(secs(1))).wait(yield_now);
        goes_on.call(move || counts.log(task::current().unwrap().cancelling())).returns(7)
    });
    let task = task.spawn::<F>(&event_loop);
    let asking = task.canceller();
    let main = turn().call(move || {
        assert!(asking.cancel_with("stop it"));
        assert!(!asking.is_done());
    });
    run::<F>(&event_loop, main).unwrap();
    assert!(!task.is_cancelled());
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 7);
    trace.expect(&["the task was cancelled: stop it", "1"]);
}

/// Rule 17: a task is cancelled once it has ended so, and not while it only was asked to.
pub fn a_task_is_cancelled_when_it_has_ended<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let cleans_up = trace.clone();
    let task = plan().wait(std::future::pending).except(move |thrown| {
        plan().wait(|| sleep(secs(1))).call(log(&cleans_up, "cleaned up")).raise(thrown)
    });
    let mut task = task.spawn::<F>(&event_loop);
    let main = turn().call(log(&trace, "asked")).spawn::<F>(&event_loop);
    event_loop.run_until_complete(main).unwrap();
    task.cancel();
    assert!(!task.is_cancelled());
    run::<F>(&event_loop, plan().wait(|| sleep(secs(2)))).unwrap();
    trace.expect(&["asked", "cleaned up"]);
    assert!(task.is_cancelled() && task.is_done());
    assert!(!task.cancel());
    assert!(task.try_result().unwrap().unwrap_err().is_cancelled());
}

/// Rule 21: a second request interrupts the cleanup that the first one has begun.
pub fn a_second_cancellation_interrupts_the_cleanup<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (first, second) = (trace.clone(), telling(&trace, "cleanup"));
    let task = plan().wait(std::future::pending).except(move |thrown| {
        first.log(thrown);
        plan().wait(|| sleep(secs(60))).call(log(&first, "cleaned up")).except(second)
    });
    let task = task.spawn::<F>(&event_loop);
    let asking = task.canceller();
    let again = asking.clone();
    let main = turn().call(move || assert!(asking.cancel())).wait(|| sleep(secs(1)));
    let main = main.call(move || {
        assert!(again.cancel());
        assert_eq!(again.cancelling(), 2);
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["the task was cancelled", "cleanup: the task was cancelled"]);
    assert!(task.is_cancelled());
}

/// A task that waits for a minute, and is cleaned up for a second; and a chain of tasks that await it.
fn chain<F: Flavour>(event_loop: &Loop, trace: &Trace, inner: Plan) -> (JoinHandle<i64>, Canceller) {
    let middle = awaiting(inner.spawn::<F>(event_loop), trace, "middle").spawn::<F>(event_loop);
    let outer = awaiting(middle, trace, "outer").spawn::<F>(event_loop);
    let asking = outer.canceller();
    (outer, asking)
}

/// Rule 22: the cancellation of one who waits for a task goes to that task, and comes back when it has ended.
pub fn a_cancelled_waiter_cancels_the_task_it_awaits<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let cleaning = trace.clone();
    let inner = plan().wait(|| sleep(secs(60))).except(move |thrown| {
        cleaning.log(format!("inner: {thrown}"));
        plan().wait(|| sleep(secs(1))).call(log(&cleaning, "inner cleaned up")).raise(thrown)
    });
    let (outer, asking) = chain::<F>(&event_loop, &trace, inner);
    let main = plan().wait(|| sleep(secs(1))).call(move || {
        assert!(asking.cancel_with("enough"));
        assert_eq!(asking.cancelling(), 1);
    });
    run::<F>(&event_loop, main).unwrap();
    let result = event_loop.run_until_complete(outer);
    assert_eq!(result.unwrap_err().to_string(), "the task was cancelled: enough");
    trace.expect(&[
        "inner: the task was cancelled: enough",
        "inner cleaned up",
        "middle: the task was cancelled: enough",
        "outer: the task was cancelled: enough",
    ]);
    assert_eq!(event_loop.time().as_secs_f64(), 2.0);
}

/// Rule 22: an awaited task that swallows the cancellation gives its result, and those who wait go on with it.
pub fn an_awaited_task_may_swallow_the_cancellation_of_its_waiter<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let inner = plan().wait(|| sleep(secs(60))).except(|_| plan().wait(|| sleep(secs(1))).returns(7));
    let (outer, asking) = chain::<F>(&event_loop, &trace, inner);
    let main = plan().wait(|| sleep(secs(1))).call(move || assert!(asking.cancel()));
    run::<F>(&event_loop, main).unwrap();
    assert_eq!(outer.cancelling(), 1);
    assert_eq!(event_loop.run_until_complete(outer).unwrap(), 7);
    trace.expect(&["middle got Ok(7)", "outer got Ok(7)"]);
}

/// Rule 22: a wait that was given up is none: its handle may be kept, and the task is left alone.
pub fn a_wait_that_was_given_up_cancels_nobody<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace, event) = (make(), Trace::new(), Event::new());
    let waited = event.clone();
    let inner = plan().wait(move || async move { waited.wait().await }).call(log(&trace, "inner ends"));
    let inner = Rc::new(RefCell::new(inner.spawn::<F>(&event_loop)));
    let kept = Rc::clone(&inner);
    let outer = plan()
        .wait(move || {
            std::future::poll_fn(move |cx| {
                assert!(std::pin::Pin::new(&mut *inner.borrow_mut()).poll(cx).is_pending());
                std::task::Poll::Ready(())
            })
        })
        .wait(|| sleep(secs(60)))
        .except(telling(&trace, "outer"));
    let outer = outer.spawn::<F>(&event_loop);
    let main = turn().call(move || assert!(outer.cancel())).wait(yield_now).wait(yield_now);
    run::<F>(&event_loop, main.call(move || event.set()).wait(yield_now)).unwrap();
    trace.expect(&["outer: the task was cancelled", "inner ends"]);
    assert_eq!(kept.borrow().cancelling(), 0);
}

/// Tasks that wait for each other in a circle, which nothing else could end, end with a cancellation.
pub fn a_circle_of_waiting_tasks_can_be_cancelled<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let handles: Rc<RefCell<Vec<JoinHandle<i64>>>> = Rc::default();
    let member = |name| {
        let (handles, trace, told) = (Rc::clone(&handles), trace.clone(), telling(&trace, name));
        let waits = move || async move {
            let next = handles.borrow_mut().pop().unwrap();
            trace.log(format!("{name} got {:?}", next.await));
        };
        plan().wait(waits).except(told).spawn::<F>(&event_loop)
    };
    let [first, second, third] = ["first", "second", "third"].map(member);
    let asking = first.canceller();
    // The last one is taken first.
    handles.borrow_mut().extend([first, third, second]);
    run::<F>(&event_loop, turn().call(move || assert!(asking.cancel())).wait(|| sleep(secs(1)))).unwrap();
    trace.expect(&[
        "first: the task was cancelled",
        "third: the task was cancelled",
        "second: the task was cancelled",
    ]);
}
