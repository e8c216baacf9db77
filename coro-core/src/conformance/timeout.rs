//! The laws of timeouts: around a future, and around a part of a body.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use super::setting::{MakeLoop, log, run, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::Thrown;
use crate::event_loop::{EventLoop, Loop, RunError};
use crate::native::catch;
use crate::scope::{EnteredScope, Timeout, TimeoutError, timeout, timeout_at, wait_for};
use crate::task::{JoinHandle, TaskError};
use crate::time::{now, sleep, yield_now};

/// Some timeouts in each other, the outermost first, around what a body does. Tells which of them was over, and what was
/// let out.
fn limited(timeouts: Vec<(&'static str, Timeout)>, body: Plan, trace: &Trace) -> Plan {
    let entered: Rc<RefCell<Vec<(&'static str, EnteredScope)>>> = Rc::default();
    let (entering, leaving, trace) = (Rc::clone(&entered), Rc::clone(&entered), trace.clone());
    let leave = move |entered: &RefCell<Vec<_>>, mut result: Result<(), Thrown<TaskError>>| {
        while let Some((name, scope)) = { entered.borrow_mut().pop() } {
            let scope: EnteredScope = scope;
            result = scope.exit_timeout(result).map(|inside| {
                if inside.is_err() {
                    trace.log(format!("{name} is over"));
                }
            });
        }
        match result {
            Ok(()) => plan(),
            Err(thrown) => {
                trace.log(format!("let out: {thrown}"));
                plan().raise(thrown)
            }
        }
    };
    let caught = leave.clone();
    plan()
        .call(move || {
            for (name, timeout) in timeouts {
                let scope = EnteredScope::timeout(&timeout);
                entering.borrow_mut().push((name, scope));
            }
        })
        .then(body)
        .then_with(move || leave(&leaving, Ok(())))
        .except(move |thrown| caught(&entered, Err(thrown)))
}

/// Cancels the task after so many seconds, and tells how it ends.
pub(super) fn cancelled_after<F: Flavour>(
    event_loop: &Loop,
    seconds: u64,
    body: Plan,
) -> Result<i64, TaskError> {
    let mut task = body.spawn::<F>(event_loop);
    let asking = task.canceller();
    let main = plan().wait(move || sleep(secs(seconds))).call(move || assert!(asking.cancel()));
    run::<F>(event_loop, main.wait(|| sleep(secs(100)))).unwrap();
    assert_eq!(event_loop.pending_timers(), 0);
    task.try_result().unwrap()
}

/// A task that waits for a minute; cancelled, it takes a second to clean up, and then does this.
fn cleaned<F: Flavour>(
    event_loop: &Loop,
    trace: &Trace,
    then: fn(Thrown<TaskError>) -> Plan,
) -> JoinHandle<i64> {
    let trace = trace.clone();
    let task = plan().wait(|| sleep(secs(60))).except(move |thrown| {
        plan().wait(|| sleep(secs(1))).call(log(&trace, "cleaned up")).then_with(move || then(thrown))
    });
    task.spawn::<F>(event_loop)
}

/// Rules 5, 24: a timeout is over at its time, and leaves no timer, whether it was over or not.
pub fn a_timeout_is_over_at_its_time_and_leaves_nothing<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let around = plan().wait(move || async move {
        let held = again.on_drop("dropped");
        let waits = async move {
            sleep(secs(60)).await;
            drop(held);
        };
        assert_eq!(timeout(secs(1), waits).await, Err(TimeoutError));
        again.log(now());
        assert_eq!(timeout(secs(9), sleep(secs(1))).await, Ok(()));
        assert_eq!(timeout_at(now() + secs(1), pending::<()>()).await, Err(TimeoutError));
        assert_eq!(timeout(secs(9), async { 7 }).await, Ok(7));
        again.log(now());
    });
    run::<F>(&event_loop, around).unwrap();
    assert_eq!(event_loop.pending_timers(), 0);
    let limits = vec![("outer", secs(9).into()), ("inner", secs(1).into())];
    let body = limited(limits, plan().wait(|| sleep(secs(60))), &trace);
    run::<F>(&event_loop, body.call(log(&trace, "not reached"))).unwrap();
    run::<F>(&event_loop, limited(vec![("unused", secs(9).into())], plan().wait(|| sleep(secs(1))), &trace))
        .unwrap();
    assert_eq!(event_loop.pending_timers(), 0);
    trace.expect(&["dropped", "1.000000000", "3.000000000", "inner is over"]);
    assert_eq!(event_loop.time().as_secs_f64(), 5.0);
}

/// Rule 6: `timeout(0)` fires before a `sleep(0)` inside it returns, and lets what does not wait end.
pub fn a_timeout_of_zero_is_over_at_the_first_wait<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let around = plan().wait(|| async {
        assert_eq!(timeout(Duration::ZERO, yield_now()).await, Err(TimeoutError));
        assert_eq!(timeout(Duration::ZERO, async { 7 }).await, Ok(7));
    });
    run::<F>(&event_loop, around).unwrap();
    let waits = plan().call(log(&trace, "begun")).wait(yield_now).call(log(&trace, "went on"));
    run::<F>(&event_loop, limited(vec![("zero", Duration::ZERO.into())], waits, &trace)).unwrap();
    let ends = plan().call(log(&trace, "ended"));
    run::<F>(&event_loop, limited(vec![("zero", Duration::ZERO.into())], ends, &trace).wait(yield_now))
        .unwrap();
    trace.expect(&["begun", "zero is over", "ended"]);
}

/// Rule 23: without time, `wait_for` does not begin what it is given.
pub fn wait_for_without_time_begins_nothing<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let main = plan().wait(move || async move {
        let begins = async { again.log("begun") };
        assert_eq!(wait_for(Duration::ZERO, begins).await, Err(TimeoutError));
        assert_eq!(wait_for(secs(1), async { 7 }).await, Ok(7));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[]);
}

/// Rule 23: a task that is waited for too long is cancelled, its cleanup is waited for, and a result that it gives then is
/// given.
pub fn a_timeout_waits_for_the_cleanup_of_a_task<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let lets_out = cleaned::<F>(&event_loop, &trace, |thrown| plan().raise(thrown));
    let [swallows, other] = [(); 2].map(|()| cleaned::<F>(&event_loop, &trace, |_| plan().returns(7)));
    let again = trace.clone();
    let main = plan().wait(move || async move {
        assert_eq!(wait_for(secs(1), lets_out).await.map(|result| result.ok()), Err(TimeoutError));
        again.log(now());
        assert_eq!(wait_for(secs(1), swallows).await.map(|result| result.ok()), Ok(Some(7)));
        again.log(now());
        assert_eq!(timeout(secs(1), other).await.map(|result| result.ok()), Ok(Some(7)));
        again.log(now());
    });
    run::<F>(&event_loop, main).unwrap();
    let times = ["2.000000000", "4.000000000", "6.000000000"];
    trace.expect(&times.map(|time| ["cleaned up", time]).concat());
}

/// Rule 23: a cancellation from outside wins over a result that has come in the same step.
pub fn a_cancellation_from_outside_wins_over_a_result<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let quick = plan().wait(yield_now).returns(7).spawn::<F>(&event_loop);
    let again = trace.clone();
    let waits =
        plan().wait(move || async move { again.log(format!("{:?}", wait_for(secs(9), quick).await)) });
    let waits = waits.spawn::<F>(&event_loop);
    let asking = waits.canceller();
    // Between the end of the one and the next step of the other.
    let main = plan().wait(yield_now).call(move || assert!(asking.cancel())).wait(yield_now);
    run::<F>(&event_loop, main).unwrap();
    assert!(waits.is_cancelled());
    trace.expect(&[]);
}

/// Rule 24: a timeout makes an error of its own time only: a cancellation of the task goes through it, also when both come.
pub fn a_cancellation_of_the_task_passes_a_timeout<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let around = plan()
        .wait(move || async move { again.log(format!("{:?}", timeout(secs(9), pending::<()>()).await)) });
    assert!(cancelled_after::<F>(&event_loop, 1, around).unwrap_err().is_cancelled());
    let body = limited(vec![("timeout", secs(9).into())], plan().wait(pending), &trace);
    assert!(cancelled_after::<F>(&event_loop, 1, body).unwrap_err().is_cancelled());
    // In the same turn.
    let body = limited(vec![("timeout", secs(1).into())], plan().wait(pending), &trace);
    assert!(cancelled_after::<F>(&event_loop, 1, body).unwrap_err().is_cancelled());
    let let_out = "let out: the task was cancelled";
    trace.expect(&[let_out, let_out]);
}

/// Rule 24: what else comes out of a timeout when the time is up is no error of its own time.
pub fn a_timeout_lets_other_errors_out<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let around = plan().wait(|| async {
        let body = async {
            assert!(catch(pending::<()>()).await.is_err());
            Err::<(), _>("broken")
        };
        assert_eq!(timeout(secs(1), body).await, Ok(Err("broken")));
    });
    run::<F>(&event_loop, around).unwrap();
    let (limit, entered) = (Timeout::after(secs(1)), Rc::new(Cell::new(None)));
    let (own, entering, told) = (limit.clone(), Rc::clone(&entered), trace.clone());
    let part = plan().call(move || entering.set(Some(EnteredScope::timeout(&own)))).wait(pending);
    let part = part.except(move |thrown: Thrown<TaskError>| {
        told.log(thrown);
        let broken = entered.take().unwrap().exit_timeout::<()>(Err(TaskError::other("broken").into()));
        plan().raise(broken.unwrap_err())
    });
    let error = run::<F>(&event_loop, part).unwrap_err();
    assert!(matches!(&error, RunError::Task(TaskError::Other(_))), "{error:?}");
    trace.expect(&["the task was cancelled: the time is up"]);
    assert!(limit.expired());
}

/// Rule 24: a timeout compares the counter with what it was when it began: it works in the cleanup of a task that was cancelled.
pub fn a_cleanup_may_have_a_timeout<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let task = plan().wait(pending).except(move |_| {
        let around = again.clone();
        let cleanup = plan().wait(move || async move {
            assert_eq!(timeout(secs(1), pending::<()>()).await, Err(TimeoutError));
            let awaited = plan().wait(pending).spawn::<F>(&inner);
            assert!(timeout(secs(1), awaited).await.is_err());
            around.log(format!("cancelling: {}", crate::task::current().unwrap().cancelling()));
        });
        cleanup.then(limited(vec![("part", secs(1).into())], plan().wait(pending), &again))
    });
    // Swallowed, it has a result.
    assert!(cancelled_after::<F>(&event_loop, 1, task).is_ok());
    trace.expect(&["cancelling: 1", "part is over"]);
}

/// Rule 24: of timeouts in each other that end at once, only the outermost one is over.
pub fn of_equal_deadlines_only_the_outermost_is_over<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let around = plan().wait(move || async move {
        let inner = async {
            let inner = timeout(secs(1), pending::<()>()).await;
            again.log(format!("inner: {inner:?}"));
        };
        assert_eq!(timeout(secs(1), inner).await, Err(TimeoutError));
    });
    run::<F>(&event_loop, around).unwrap();
    let limits = vec![("outer", secs(1).into()), ("inner", secs(1).into())];
    run::<F>(&event_loop, limited(limits, plan().wait(pending), &trace)).unwrap();
    trace.expect(&["outer is over"]);
}

/// Rule 24: a timeout can be given another end while it runs.
pub fn a_timeout_can_be_rescheduled<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let body = |limit: &Timeout| {
        let (later, sooner) = (limit.clone(), limit.clone());
        let body = plan().call(move || later.reschedule(Some(now() + secs(9)))).wait(|| sleep(secs(2)));
        body.call(move || sooner.reschedule(Some(now() + secs(1)))).wait(|| sleep(secs(60)))
    };
    let limit = Timeout::after(secs(1));
    run::<F>(&event_loop, limited(vec![("rescheduled", limit.clone())], body(&limit), &trace)).unwrap();
    assert!(limit.expired());
    let (limit, started) = (Timeout::after(secs(1)), event_loop.time());
    let again = limit.clone();
    let around = plan().wait(move || async move {
        let inner = again.clone();
        let body = async move {
            inner.reschedule(Some(now() + secs(9)));
            sleep(secs(2)).await;
            inner.reschedule(None);
            sleep(secs(20)).await;
            inner.reschedule(Some(now() + secs(1)));
            sleep(secs(60)).await;
        };
        assert_eq!(again.run(body).await, Err(TimeoutError));
    });
    run::<F>(&event_loop, around).unwrap();
    assert_eq!(event_loop.time() - started, secs(23));
    assert_eq!(event_loop.pending_timers(), 0);
    trace.expect(&["rescheduled is over"]);
}

/// Rule 24: when a timeout is over and the task is cancelled at once, whoever can hear it is told of the cancellation, once.
pub fn two_cancellations_at_once_are_heard_as_one<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let waits = plan().wait(move || async move {
        let work = async {
            let told = catch(pending::<()>()).await.unwrap_err();
            again.log(told);
            sleep(secs(1)).await;
            again.log("cleaned up");
        };
        assert_eq!(timeout(secs(1), work).await, Ok(()));
    });
    let main = plan().wait(|| sleep(secs(1)));
    let slot = Rc::new(Cell::new(None));
    let asking = Rc::clone(&slot);
    let main = main.call(move || {
        let task: crate::task::Canceller = asking.take().unwrap();
        assert!(task.cancel_with("enough"));
    });
    // Its timer is the first of both.
    let main = main.wait(|| sleep(secs(5))).spawn::<F>(&event_loop);
    let task = waits.spawn::<F>(&event_loop);
    slot.set(Some(task.canceller()));
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["the task was cancelled: enough", "cleaned up"]);
    assert_eq!((task.is_done(), task.is_cancelled(), task.cancelling()), (true, false, 1));
}
