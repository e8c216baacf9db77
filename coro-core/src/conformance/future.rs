//! The laws of futures: setting, waiting, calling back; and what tasks and futures have in common.

use std::cell::RefCell;
use std::rc::Rc;

use super::setting::{MakeLoop, log, reports, run, secs, turns};
use super::{Flavour, Plan, Script, Trace, plan};
use crate::event_loop::{EventLoop, Loop};
use crate::scope::shield;
use crate::task::{self, AnyFuture, InvalidState, SetResultError, TaskError, ensure_future, from_coroutine};
use crate::time::{sleep, yield_now};

/// Waits for a future, and logs what it gives.
fn awaiting(future: &task::Future<i64>, trace: &Trace, name: &'static str) -> Plan {
    let (future, trace, told) = (future.clone(), trace.clone(), trace.clone());
    let wait = move || async move { trace.log(format!("{name}: {:?}", future.await)) };
    plan().wait(wait).except(move |thrown| {
        told.log(format!("{name}: {thrown}"));
        plan().raise(thrown)
    })
}

/// A callback that logs.
fn called(trace: &Trace, name: &'static str) -> impl FnOnce(&task::Future<i64>) + 'static {
    let trace = trace.clone();
    move |future| trace.log(format!("{name}: {:?}", future.result()))
}

/// Rule 10: nobody is run inline when a result is set; those who wait and who are called come in the order of registration.
pub fn a_result_calls_and_wakes_in_the_order_of_registration<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let future = event_loop.create_future();
    awaiting(&future, &trace, "before").spawn::<F>(&event_loop).detach();
    let (later, between, after) = (future.clone(), trace.clone(), called(&trace, "after"));
    let waits = awaiting(&future, &trace, "waits");
    let inner = event_loop.clone();
    let main = turns(1)
        .call(move || {
            later.add_done_callback(called(&between, "first"));
            waits.spawn::<F>(&inner).detach();
        })
        .wait(yield_now);
    let (setting, again) = (future.clone(), trace.clone());
    let main = main.call(move || {
        let removed = setting.add_done_callback(called(&again, "removed"));
        setting.add_done_callback(after);
        assert!(setting.remove_done_callback(&removed));
        assert!(!setting.remove_done_callback(&removed));
        setting.set_result(7).unwrap();
        assert!(setting.is_done());
        again.log("set");
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["set", "before: Ok(7)", "first: Ok(7)", "waits: Ok(7)", "after: Ok(7)"]);
}

/// Rule 10: a callback that is added to what is done goes through the queue too.
pub fn a_callback_of_a_done_future_is_called_at_the_next_turn<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let future = event_loop.create_future();
    future.set_result(7).unwrap();
    let (first, again) = (called(&trace, "called"), trace.clone());
    let main = plan().call(move || {
        future.add_done_callback(first);
        again.log("added");
        // What is queued is called, though nobody has the future any more.
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["added", "called: Ok(7)"]);
}

/// Rule 11: a result is set once, and looked at when it is there; what was refused comes back.
pub fn a_future_in_the_wrong_state_refuses<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let future = event_loop.create_future::<i64>();
    let main = plan().call(move || {
        assert!(matches!(future.result(), Err(TaskError::InvalidState(InvalidState))));
        assert!(matches!(future.error(), Err(TaskError::InvalidState(InvalidState))));
        future.set_result(7).unwrap();
        assert_eq!(future.set_result(8).unwrap_err().0, 8);
        let refused = future.set_error(TaskError::other("late")).unwrap_err();
        assert_eq!(refused.0.to_string(), "late");
        assert!(!future.cancel());
        assert_eq!((future.result().unwrap(), future.is_cancelled()), (7, false));
        assert!(future.error().unwrap().is_none());
    });
    run::<F>(&event_loop, main).unwrap();
}

/// Rules 10, 11: the result of a cancelled future is the cancellation, for all who wait; nobody of them is run inline.
pub fn a_cancelled_future_cancels_those_who_wait<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let future = event_loop.create_future();
    for name in ["first", "second"] {
        awaiting(&future, &trace, name).spawn::<F>(&event_loop).detach();
    }
    let again = trace.clone();
    future.add_done_callback(move |future| again.log(format!("called: {}", future.is_cancelled())));
    let again = trace.clone();
    let main = turns(1).call(move || {
        assert!(future.cancel_with("no more"));
        again.log("cancelled");
        assert!(future.is_cancelled() && !future.cancel());
        assert!(future.result().unwrap_err().is_cancelled());
        assert!(future.error().unwrap_err().is_cancelled());
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    let told = ["called: true", "first: Err(Cancelled(\"no more\"))", "second: Err(Cancelled(\"no more\"))"];
    trace.expect(&[&["cancelled"], &told[..]].concat());
}

/// Rule 17: the cancellation of a task that waits for a future is one of the future, for all who wait for it.
pub fn a_cancelled_waiter_cancels_the_future<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let future = event_loop.create_future();
    let asked = awaiting(&future, &trace, "asked").spawn::<F>(&event_loop);
    awaiting(&future, &trace, "other").spawn::<F>(&event_loop).detach();
    let cancelled = future.clone();
    let main = turns(1).call(move || assert!(asked.cancel_with("enough"))).wait(yield_now);
    let main = main.call(move || assert!(cancelled.is_cancelled())).wait(yield_now);
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["asked: the task was cancelled: enough", "other: Err(Cancelled(\"enough\"))"]);
}

/// Rule 22: but not through a shield; and a wait that is only dropped leaves the future alone.
pub fn a_shield_keeps_a_cancellation_from_a_future<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let future = event_loop.create_future();
    let shielded = future.clone();
    let asked = plan().wait(move || async move { drop(shield(shielded).await) });
    let asked = asked.spawn::<F>(&event_loop);
    let dropped = future.clone();
    let gives_up = plan().wait(move || async move {
        let mut waits = Box::pin(dropped);
        std::future::poll_fn(|cx| {
            assert!(waits.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    });
    gives_up.spawn::<F>(&event_loop).detach();
    awaiting(&future, &trace, "other").spawn::<F>(&event_loop).detach();
    let result = Rc::new(RefCell::new(Some(asked)));
    let asked = Rc::clone(&result);
    let main = turns(1).call(move || assert!(asked.borrow().as_ref().unwrap().cancel())).wait(yield_now);
    let main = main.call(move || future.set_result(7).unwrap()).wait(yield_now);
    run::<F>(&event_loop, main).unwrap();
    assert!(result.take().unwrap().is_cancelled());
    trace.expect(&["other: Ok(7)"]);
}

/// Rule 14: an error that nobody has looked at is reported, once; a cancellation is not, nor one that was read.
pub fn an_error_of_a_future_that_nobody_read_is_reported<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    let [unread, read, cancelled] = [(); 3].map(|()| event_loop.create_future::<i64>());
    let main = plan().call(move || {
        unread.set_error(TaskError::other("unread")).unwrap();
        read.set_error(TaskError::other("read")).unwrap();
        assert_eq!(read.result().unwrap_err().to_string(), "read");
        assert_eq!(read.error().unwrap().unwrap().to_string(), "read");
        cancelled.cancel();
    });
    run::<F>(&event_loop, main).unwrap();
    reported.expect(&["never read: unread"]);
}

/// Rule 15: a future of another loop is an error inside the task.
pub fn awaiting_a_future_of_another_loop_is_an_error<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, other, trace) = (make(), make(), Trace::new());
    let main = awaiting(&other.create_future(), &trace, "here");
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["here: Err(ForeignLoop)"]);
}

/// Rule 10, for tasks: those who are called when one has ended, in the order of registration, and not inline.
pub fn the_end_of_a_task_calls_in_the_order_of_registration<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let called = |name: &'static str| {
        let trace = trace.clone();
        move |task: &AnyFuture| trace.log(format!("{name}: {}, {}", task.is_done(), task.is_cancelled()))
    };
    let task = plan().wait(std::future::pending).spawn::<F>(&event_loop);
    task.add_done_callback(called("first"));
    let removed = task.add_done_callback(called("removed"));
    task.erased().add_done_callback(called("second"));
    assert!(task.remove_done_callback(&removed) && !task.remove_done_callback(&removed));
    let (late, again) = (called("late"), trace.clone());
    let (inner, ready) = (event_loop.clone(), log(&trace, "what was ready"));
    let main = turns(1).call(move || {
        assert!(task.cancel());
        inner.call_soon(ready);
    });
    let main = main.then(turns(2)).then_with({
        let trace = trace.clone();
        move || plan().call(log(&trace, "next turn"))
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["what was ready", "first: true, true", "second: true, true", "next turn"]);
    let done = plan().spawn::<F>(&event_loop);
    let main = turns(1).call(move || {
        assert!(done.is_done());
        done.add_done_callback(late);
        again.log("added");
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["added", "late: true, false"]);
}

/// Rule 16: an erased task refuses a result; an erased future takes one, of its type.
pub fn a_result_cannot_be_set_on_a_task<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let task = plan().returns(7).spawn::<F>(&event_loop);
    let erased = task.erased();
    match erased.set_result(8_i64) {
        Err(SetResultError::Task(value)) => assert_eq!(value.downcast_ref(), Some(&8_i64)),
        other => panic!("{other:?}"),
    }
    let future = event_loop.create_future::<i64>();
    let wrong = future.erased().set_result("8").unwrap_err();
    assert!(matches!(wrong, SetResultError::WrongType(_)), "{wrong:?}");
    future.erased().set_result(8_i64).unwrap();
    assert!(matches!(future.erased().set_result(9_i64), Err(SetResultError::Done(_))));
    assert_eq!(future.result().unwrap(), 8);
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 7);
    assert!(erased.is_done() && !erased.cancel());
}

/// Rule 16: `ensure_future` makes a task of a coroutine, and gives a task and a future back as they are.
pub fn ensure_future_keeps_identity<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let main = plan().wait(move || async move {
        let script: Script<_, _, _, _> = plan().returns(7).into_script();
        let task = ensure_future(from_coroutine(F::coroutine(script)));
        let erased = task.erased();
        let same = ensure_future(task);
        assert!(same.erased() == erased && inner.all_tasks().len() == 2);
        let future = inner.create_future::<i64>();
        let erased = future.erased();
        assert!(ensure_future(future).erased() == erased && erased != same.erased());
        again.log(format!("{:?}", same.await));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["Ok(7)"]);
}

/// Rule 12: an eager task runs to its first wait inside of the spawn, as the current task, and later goes on as any other.
pub fn an_eager_task_runs_to_its_first_wait_at_once<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let spawn = move |inner: &Loop, plan: Plan| {
        let task = from_coroutine(F::coroutine(plan.into_script()));
        task::Builder::new().name("child").eager(true).spawn_on(inner, task)
    };
    let main = plan().call(move || {
        let who = |inner: &Loop| inner.current_task().unwrap().name.to_string();
        let (child, log) = (inner.clone(), again.clone());
        let waits = plan().call(move || log.log(format!("{} begins", who(&child)))).wait(yield_now);
        let (child, log) = (inner.clone(), again.clone());
        let waits = waits.call(move || log.log(format!("{} goes on", who(&child))));
        let task = spawn(&inner, waits);
        again.log(format!("{} has spawned", who(&inner)));
        assert!(!task.is_done());
        task.detach();
        // One that ends at once has, and nobody hears of a cancellation that is not for it.
        let mut over = spawn(&inner, plan().returns(7));
        assert_eq!(over.try_result().unwrap().unwrap(), 7);
    });
    let main = from_coroutine(F::coroutine(main.wait(yield_now).into_script()));
    let main = event_loop.spawn(main).named("main");
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["child begins", "main has spawned", "child goes on"]);
    // Where no loop runs, it waits for its turn.
    let task = task::Builder::new()
        .eager(true)
        .spawn_on(&event_loop, from_coroutine(F::coroutine(plan().call(log(&trace, "later")).into_script())));
    trace.expect(&[]);
    event_loop.run_until_complete(task).unwrap();
    trace.expect(&["later"]);
}

/// A future that a timer sets, as the tutorials do it.
pub fn a_timer_sets_a_future<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let future = event_loop.create_future();
    let setting = future.clone();
    let set = plan().wait(|| sleep(secs(2))).call(move || setting.set_result(666).unwrap());
    set.spawn::<F>(&event_loop).detach();
    run::<F>(&event_loop, awaiting(&future, &trace, "main")).unwrap();
    trace.expect(&["main: Ok(666)"]);
    assert_eq!(event_loop.time().as_secs_f64(), 2.0);
}
