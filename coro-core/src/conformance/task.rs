//! The laws of tasks: beginning, ending, cancellation, waiting for several.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::setting::{MakeLoop, log, reports, run, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::event_loop::{EventLoop, Loop, RunError};
use crate::task::{TaskError, as_completed, gather};
use crate::time::{sleep, yield_now};

/// Rule 12: spawning runs nothing.
pub fn spawn_never_runs_the_body_inline<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let main = plan().call(move || {
        plan().call(log(&again, "child")).spawn::<F>(&inner).detach();
        again.log("spawned");
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["spawned", "child"]);
}

/// Rule 13: the loop owns its tasks; a dropped handle detaches.
pub fn a_dropped_handle_detaches<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    plan().wait(|| sleep(secs(1))).call(log(&trace, "ran on")).spawn::<F>(&event_loop).detach();
    run::<F>(&event_loop, plan().wait(|| sleep(secs(2)))).unwrap();
    trace.expect(&["ran on"]);
}

/// Rule 14: an error that nobody can read any more is reported, once; a cancellation is not.
pub fn an_unread_error_is_reported<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    plan().call(|| panic!("first")).spawn::<F>(&event_loop).named("early").detach();
    let late = plan().call(|| panic!("second")).spawn::<F>(&event_loop).named("late");
    let cancelled = plan().wait(std::future::pending).spawn::<F>(&event_loop);
    let main = plan().wait(yield_now).call(move || {
        assert!(late.is_done());
        drop(late);
        cancelled.cancel();
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    reported.expect(&[
        "early never retrieved: the task panicked: first",
        "late never retrieved: the task panicked: second",
    ]);
}

/// Rule 15: a task that awaits itself gets an error instead of waiting for ever.
pub fn awaiting_itself_is_an_error<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let slot = Rc::new(RefCell::new(None));
    let (mine, again) = (Rc::clone(&slot), trace.clone());
    let task = plan().wait(move || async move {
        let me: crate::JoinHandle<i64> = mine.take().unwrap();
        again.log(me.await.unwrap_err());
    });
    *slot.borrow_mut() = Some(task.spawn::<F>(&event_loop));
    run::<F>(&event_loop, plan().wait(yield_now)).unwrap();
    trace.expect(&["a task cannot await itself: await another one's handle"]);
}

/// Rule 15: a task of another loop cannot be awaited here.
pub fn awaiting_a_task_of_another_loop_is_an_error<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, other, trace) = (make(), make(), Trace::new());
    let foreign = plan().spawn::<F>(&other);
    let again = trace.clone();
    let main = plan().wait(move || async move { again.log(foreign.await.unwrap_err()) });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["the awaited task belongs to another event loop: await it there"]);
    other.stop();
    other.run_forever().unwrap();
}

/// Rule 18: cancelled before its first step, a body never runs, and is released.
pub fn cancel_before_the_first_step_never_runs_the_body<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let task = plan().hold(trace.on_drop("released")).call(log(&trace, "ran")).spawn::<F>(&event_loop);
    assert!(task.cancel());
    assert!(matches!(event_loop.run_until_complete(task), Err(RunError::Task(TaskError::Cancelled(_)))));
    trace.expect(&["released"]);
}

/// Rule 17: a cancellation is delivered where the task waits, when it next runs.
pub fn cancel_is_delivered_at_the_wait<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let caught = trace.clone();
    let task = plan().call(log(&trace, "waits")).wait(|| sleep(secs(60))).call(log(&trace, "slept")).except(
        move |thrown| {
            caught.log(thrown);
            plan().returns(7)
        },
    );
    let task = task.spawn::<F>(&event_loop);
    let (cancelling, asked) = (Rc::new(RefCell::new(Some(task))), trace.clone());
    let given_back = Rc::clone(&cancelling);
    let main = plan().wait(|| sleep(secs(1))).call(move || {
        let task = cancelling.borrow();
        let task = task.as_ref().unwrap();
        assert!(task.cancel());
        assert!(!task.is_done());
        assert_eq!(task.info().cancelling, 1);
        asked.log("asked");
    });
    run::<F>(&event_loop, main).unwrap();
    let task = given_back.take().unwrap();
    // Caught, and answered with a return: the task has a result.
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 7);
    trace.expect(&["waits", "asked", "the task was cancelled"]);
    assert!(event_loop.time().as_secs_f64() < 59.0);
}

/// A cancelled task may clean up, and may await while it does.
pub fn a_cancelled_task_may_clean_up_and_await<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let cleanup = trace.clone();
    let task = plan().wait(std::future::pending).except(move |thrown| {
        cleanup.log(thrown);
        plan().wait(|| sleep(secs(1))).call(log(&cleanup, "cleaned up")).returns(1)
    });
    let task = task.spawn::<F>(&event_loop);
    event_loop.stop();
    event_loop.run_forever().unwrap();
    task.cancel();
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 1);
    trace.expect(&["the task was cancelled", "cleaned up"]);
}

/// Rule 19: a task that cancels itself is cancelled at its next wait.
pub fn self_cancel_takes_effect_at_the_next_wait<F: Flavour>(make: MakeLoop<'_>) {
    self_cancel::<F>(make, plan().wait(|| sleep(secs(1))), &["cancelled itself"]);
}

/// Rule 19: a task that cancels itself and returns first ends cancelled all the same.
pub fn self_cancel_outruns_the_return<F: Flavour>(make: MakeLoop<'_>) {
    self_cancel::<F>(make, plan().returns(1), &["cancelled itself"]);
}

fn self_cancel<F: Flavour>(make: MakeLoop<'_>, rest: Plan, expected: &[&str]) {
    let (event_loop, trace) = (make(), Trace::new());
    let slot: Rc<RefCell<Option<crate::JoinHandle<i64>>>> = Rc::default();
    let (mine, again) = (Rc::clone(&slot), trace.clone());
    let task = plan()
        .call(move || {
            mine.borrow().as_ref().unwrap().cancel();
            again.log("cancelled itself");
        })
        .then(rest)
        .spawn::<F>(&event_loop);
    *slot.borrow_mut() = Some(task);
    run::<F>(&event_loop, plan().wait(yield_now).wait(yield_now)).unwrap();
    let task = slot.take().unwrap();
    assert!(task.is_done());
    assert!(matches!(event_loop.run_until_complete(task), Err(RunError::Task(TaskError::Cancelled(_)))));
    trace.expect(expected);
}

/// Rule 17: cancelling a task that has ended is refused.
pub fn cancel_of_an_ended_task_is_refused<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let task = plan().returns(2).spawn::<F>(&event_loop);
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert!(!task.cancel());
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 2);
}

/// A task that sleeps and then returns.
fn sleeper<F: Flavour>(event_loop: &Loop, seconds: u64) -> crate::JoinHandle<i64> {
    plan().wait(move || sleep(secs(seconds))).returns(seconds as i64).spawn::<F>(event_loop)
}

/// Rule 26: results in the order of the arguments; nothing gathered is nothing.
pub fn gather_keeps_the_order_of_the_arguments<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let ended = sleeper::<F>(&event_loop, 0);
    event_loop.stop();
    event_loop.run_forever().unwrap();
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert!(ended.is_done());
    let all = gather([3, 1, 2].map(|seconds| sleeper::<F>(&event_loop, seconds)).into_iter().chain([ended]));
    let none = gather(Vec::<crate::JoinHandle<i64>>::new());
    let main = event_loop.spawn(async move { (all.await.unwrap(), none.await.unwrap()) });
    assert_eq!(event_loop.run_until_complete(main).unwrap(), (vec![3, 1, 2, 0], vec![]));
}

/// Rule 26: the first error ends the gather; its siblings run on, and their errors count as read.
pub fn gather_gives_the_first_error_and_the_others_run_on<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    let fails = plan().wait(|| sleep(secs(1))).call(|| panic!("first")).spawn::<F>(&event_loop);
    let later = plan().wait(|| sleep(secs(2))).call(|| panic!("second")).spawn::<F>(&event_loop);
    let runs_on = plan().wait(|| sleep(secs(3))).call(log(&trace, "ran on")).spawn::<F>(&event_loop);
    let all = gather([later, fails, runs_on]);
    let main = event_loop.spawn(async move {
        let error = all.await.unwrap_err();
        sleep(secs(5)).await;
        error.to_string()
    });
    assert_eq!(event_loop.run_until_complete(main).unwrap(), "the task panicked: first");
    trace.expect(&["ran on"]);
    reported.expect(&[]);
}

/// Rule 26: a gather that is cancelled cancels its tasks.
pub fn a_dropped_gather_cancels_its_tasks<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let children: Vec<_> = ["a", "b"]
        .map(|name| {
            let caught = trace.clone();
            plan()
                .wait(|| sleep(secs(60)))
                .except(move |thrown| {
                    caught.log(format!("{name}: {thrown}"));
                    plan()
                })
                .spawn::<F>(&event_loop)
        })
        .into();
    let waiting = plan().wait(move || async move { drop(gather(children).await) }).spawn::<F>(&event_loop);
    let main = plan().wait(|| sleep(secs(1))).call(move || assert!(waiting.cancel())).wait(|| sleep(secs(1)));
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["a: the task was cancelled", "b: the task was cancelled"]);
}

/// Rule 28: results in the order of ending, as an iterator of futures.
pub fn as_completed_gives_the_order_of_ending<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let tasks = [3, 1, 2].map(|seconds| sleeper::<F>(&event_loop, seconds));
    let main = event_loop.spawn(async move {
        let mut order = Vec::new();
        for next in as_completed(tasks) {
            order.push(next.await.unwrap());
        }
        order
    });
    assert_eq!(event_loop.run_until_complete(main).unwrap(), [1, 2, 3]);
}

/// The tasks that are there can be listed, in the order of spawning, and the running one is known.
pub fn all_tasks_and_current_task_tell_who_is_there<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let (file, line) = (file!(), line!() + 1);
    let waits = plan().wait(std::future::pending).spawn::<F>(&event_loop).named("waits");
    let main = plan().call(move || {
        let names: Vec<_> = inner.all_tasks().iter().map(|task| task.name.to_string()).collect();
        again.log(format!("{names:?}, now {}", inner.current_task().unwrap().name));
    });
    assert!(event_loop.current_task().is_none());
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["[\"waits\", \"Task-2\"], now Task-2"]);
    assert_eq!(event_loop.all_tasks().len(), 1);
    let shown = format!("{waits:#?}");
    assert!(shown.starts_with("<Task pending name='waits' ") && shown.contains("coro=<"), "{shown}");
    let unseen = "waits for something unseen, perhaps through another's waker";
    assert!(shown.ends_with(&format!(" created at {file}:{line} {unseen}>")), "{shown}");
    waits.cancel();
    let _ = event_loop.run_until_complete(waits);
}

/// The list keeps the order of spawning when a place in it is used again.
pub fn all_tasks_keeps_the_order_of_spawning<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let gone = plan().spawn::<F>(&event_loop);
    let waits = plan().wait(std::future::pending).spawn::<F>(&event_loop).named("older");
    event_loop.run_until_complete(gone).unwrap();
    let (inner, again) = (event_loop.clone(), trace.clone());
    let main = plan().call(move || {
        for task in inner.all_tasks() {
            again.log(&task.name);
        }
    });
    let main = main.spawn::<F>(&event_loop).named("younger");
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["older", "younger"]);
    waits.cancel();
    let _ = event_loop.run_until_complete(waits);
}

/// Tasks that yield take turns, in the order of spawning.
pub fn yielding_tasks_take_turns<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let tasks = ["a", "b", "c"].map(|name| {
        let mut task = plan();
        for _ in 0..3 {
            task = task.call(log(&trace, name)).wait(yield_now);
        }
        task.spawn::<F>(&event_loop)
    });
    let all = event_loop.spawn(gather(tasks));
    event_loop.run_until_complete(all).unwrap().unwrap();
    trace.expect(&["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
}

/// Many wakes of one task run it once; a wake of the running task runs it once more.
pub fn wakes_coalesce_and_a_wake_of_the_running_task_runs_it_again<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, polls) = (make(), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&polls);
    let main = plan().wait(move || {
        poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            for _ in 0..1_000 {
                cx.waker().wake_by_ref();
            }
            if counted.get() == 3 { Poll::Ready(()) } else { Poll::Pending }
        })
    });
    run::<F>(&event_loop, main.wait(yield_now).wait(yield_now)).unwrap();
    assert_eq!(polls.get(), 3);
}

/// A waker may be used after its task has ended, after its loop is gone, and from another thread then.
pub fn a_waker_may_outlive_its_loop<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
    let keep = Rc::clone(&kept);
    let main = plan().wait(move || {
        poll_fn(move |cx| {
            *keep.borrow_mut() = Some(cx.waker().clone());
            Poll::Ready(())
        })
    });
    run::<F>(&event_loop, main).unwrap();
    let waker = kept.take().unwrap();
    waker.wake_by_ref();
    run::<F>(&event_loop, plan().wait(yield_now)).unwrap();
    drop(event_loop);
    waker.wake_by_ref();
    std::thread::spawn(move || waker.wake()).join().unwrap();
}
