//! The laws of waiting for several tasks.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::setting::{MakeLoop, log, reports, run, secs};
use super::{Flavour, Plan, Trace, plan};
use crate::Thrown;
use crate::event_loop::{EventLoop, Loop};
use crate::scope::move_on_after;
use crate::task::{
    JoinHandle, ReturnWhen, TaskError, as_completed, from_coroutine, gather, race, staggered_race, wait,
};
use crate::time::{now, sleep, yield_now};

/// A task that sleeps, and returns for how long.
fn sleeper<F: Flavour>(event_loop: &Loop, seconds: u64) -> JoinHandle<i64> {
    plan().wait(move || sleep(secs(seconds))).returns(seconds as i64).spawn::<F>(event_loop)
}

/// A task that fails after so many seconds.
fn failing<F: Flavour>(event_loop: &Loop, seconds: u64, with: &'static str) -> JoinHandle<i64> {
    let fails = plan().wait(move || sleep(secs(seconds)));
    fails.raise(Thrown::Error(TaskError::other(with))).spawn::<F>(event_loop)
}

/// A task that waits for a minute; cancelled, it takes so many seconds to clean up, and goes on as `then` says.
fn cleaned<F: Flavour>(
    event_loop: &Loop,
    name: &'static str,
    seconds: u64,
    trace: &Trace,
    then: fn(Thrown<TaskError>) -> Plan,
) -> JoinHandle<i64> {
    let told = trace.clone();
    let task = plan().wait(|| sleep(secs(60))).except(move |thrown| {
        told.log(format!("{name}: {thrown}"));
        plan()
            .wait(move || sleep(secs(seconds)))
            .call(move || told.log(format!("{name} is clean")))
            .then_with(move || then(thrown))
    });
    task.spawn::<F>(event_loop).named(name)
}

fn lets_out(thrown: Thrown<TaskError>) -> Plan {
    plan().raise(thrown)
}

/// Waits for what `make` gives in a task that is cancelled after a second; gives that task, when another minute is over.
fn cancelled<F: Flavour, W: Future<Output = ()> + 'static>(
    event_loop: &Loop,
    trace: &Trace,
    make: impl FnOnce() -> W + 'static,
) -> JoinHandle<i64> {
    let told = trace.clone();
    let waits = plan().wait(make).except(move |thrown| {
        told.log(format!("let out: {thrown}"));
        plan().raise(thrown)
    });
    let waits = waits.spawn::<F>(event_loop);
    let asking = waits.canceller();
    let main = plan().wait(|| sleep(secs(1))).call(move || assert!(asking.cancel_with("enough")));
    run::<F>(event_loop, main.wait(|| sleep(secs(60)))).unwrap();
    waits
}

/// Rule 26: a gather that is cancelled cancels all, waits for them, and lets the cancellation out, whatever they gave; with
/// `return_exceptions` too.
pub fn a_cancelled_gather_ends_its_tasks_first<F: Flavour>(make: MakeLoop<'_>) {
    for returns in [false, true] {
        let (event_loop, trace) = (make(), Trace::new());
        let tasks = [
            cleaned::<F>(&event_loop, "first", 3, &trace, lets_out),
            cleaned::<F>(&event_loop, "second", 1, &trace, |_| plan().returns(7)),
        ];
        let again = trace.clone();
        let waits = cancelled::<F, _>(&event_loop, &trace, move || async move {
            if returns {
                again.log(format!("{:?}", gather(tasks).return_exceptions().await));
            } else {
                again.log(format!("{:?}", gather(tasks).await));
            }
        });
        let told = "the task was cancelled: enough";
        trace.expect(&[
            &format!("first: {told}"),
            &format!("second: {told}"),
            "second is clean",
            "first is clean",
            &format!("let out: {told}"),
        ]);
        assert!(waits.is_cancelled());
        assert_eq!((waits.cancelling(), event_loop.all_tasks().len()), (1, 0));
    }
}

/// Rule 26: a task that somebody else cancels gives an error, and its gather goes on: nobody asked who waits to end.
pub fn a_cancelled_task_does_not_cancel_its_gather<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let (first, second) = (sleeper::<F>(&event_loop, 60), sleeper::<F>(&event_loop, 60));
    let (asking, fails) = ([first.canceller(), second.canceller()], failing::<F>(&event_loop, 1, "one"));
    let fine = sleeper::<F>(&event_loop, 2);
    let waits = plan().wait(move || async move {
        again.log(gather([first]).await.unwrap_err());
        let results = gather([fine, second, fails]).return_exceptions().await;
        again.log(format!("{results:?}"));
        assert_eq!(crate::task::current().unwrap().cancelling(), 0);
        sleep(secs(1)).await;
        again.log("goes on");
    });
    let waits = waits.spawn::<F>(&event_loop);
    let main = plan().wait(yield_now).call(move || {
        for task in asking {
            assert!(task.cancel());
        }
    });
    run::<F>(&event_loop, main).unwrap();
    event_loop.run_until_complete(waits).unwrap();
    trace.expect(&["the task was cancelled", "[Ok(2), Err(Cancelled), Err(Other(\"one\"))]", "goes on"]);
}

/// Rule 26: with `return_exceptions` errors are results, in the order of the arguments, and all tasks are waited for.
pub fn gather_returns_exceptions_if_asked<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    let tasks = [
        failing::<F>(&event_loop, 3, "late"),
        sleeper::<F>(&event_loop, 2),
        failing::<F>(&event_loop, 1, "early"),
    ];
    let main = event_loop.spawn(async move {
        assert!(gather(Vec::<JoinHandle<i64>>::new()).return_exceptions().await.is_empty());
        let results = gather(tasks).return_exceptions().await;
        assert_eq!(format!("{results:?}"), "[Err(Other(\"late\")), Ok(2), Err(Other(\"early\"))]");
    });
    event_loop.run_until_complete(main).unwrap();
    assert_eq!(event_loop.time().as_secs_f64(), 3.0);
    reported.expect(&[]);
}

/// A scope that throws at every wait is not kept busy by a gather that waits for its tasks to clean up.
pub fn a_scope_around_a_gather_waits_for_its_tasks<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let task = cleaned::<F>(&event_loop, "task", 2, &trace, lets_out);
    let again = trace.clone();
    let main = plan().wait(move || async move {
        assert!(move_on_after(secs(1), gather([task])).await.is_none());
        again.log(now());
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["task: the task was cancelled: the time is up", "task is clean", "3.000000000"]);
}

/// What a wait gave, and how many it left.
fn given<T: std::fmt::Debug>(done: Vec<JoinHandle<T>>, left: usize) -> String {
    let results: Vec<_> = done.into_iter().map(|mut task| task.try_result().unwrap()).collect();
    format!("{results:?}, {left} left at {}", now().as_secs_f64())
}

/// Rule 27: the three conditions; a wait gives *all* that have ended, in their order, and the others stay.
pub fn wait_knows_three_conditions<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let main = plan().wait(move || async move {
        let mut tasks: Vec<_> = [2, 1, 3, 1].map(|seconds| sleeper::<F>(&inner, seconds)).into();
        let done = wait(&mut tasks, ReturnWhen::FirstCompleted).await.unwrap();
        again.log(given(done, tasks.len()));
        let done = wait(&mut tasks, ReturnWhen::AllCompleted).await.unwrap();
        again.log(given(done, tasks.len()));
        // A cancelled one is no exception.
        tasks.extend([
            sleeper::<F>(&inner, 60),
            failing::<F>(&inner, 2, "first"),
            failing::<F>(&inner, 3, "second"),
        ]);
        tasks[0].cancel();
        let done = wait(&mut tasks, ReturnWhen::FirstException).await.unwrap();
        again.log(given(done, tasks.len()));
        tasks[0] = sleeper::<F>(&inner, 1);
        let done = wait(&mut tasks, ReturnWhen::FirstException).await.unwrap();
        again.log(given(done, tasks.len()));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[
        "[Ok(1), Ok(1)], 2 left at 1",
        "[Ok(2), Ok(3)], 0 left at 3",
        "[Err(Cancelled), Err(Other(\"first\"))], 1 left at 5",
        "[Ok(1)], 0 left at 6",
    ]);
}

/// Rule 27: nothing to wait for is an error; the end of the time is none, and cancels nobody. Who ends at that very moment, but
/// began to wait later, has not ended.
pub fn wait_ends_at_its_time<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let main = plan().wait(move || async move {
        let none = wait(&mut Vec::<JoinHandle<i64>>::new(), ReturnWhen::AllCompleted).await;
        again.log(none.unwrap_err());
        let early = sleeper::<F>(&inner, 1);
        yield_now().await;
        // The last one sets its timer after the wait has.
        let mut tasks = vec![early, sleeper::<F>(&inner, 1)];
        let done = wait(&mut tasks, ReturnWhen::AllCompleted).timeout(secs(1)).await.unwrap();
        again.log(given(done, tasks.len()));
        let done = wait(&mut tasks, ReturnWhen::AllCompleted).timeout(secs(9)).await.unwrap();
        again.log(given(done, tasks.len()));
        tasks.push(sleeper::<F>(&inner, 60));
        assert!(wait(&mut tasks, ReturnWhen::FirstCompleted).timeout(secs(1)).await.unwrap().is_empty());
        assert_eq!((tasks.len(), tasks[0].cancelling()), (1, 0));
    });
    run::<F>(&event_loop, main).unwrap();
    let error = "there is nothing to wait for: give at least one task";
    trace.expect(&[error, "[Ok(1)], 1 left at 1", "[Ok(1)], 0 left at 1"]);
}

/// Rule 27: a wait that is cancelled or given up leaves its tasks alone, and they can be awaited as before.
pub fn a_wait_that_is_given_up_leaves_its_tasks<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let tasks = Rc::new(RefCell::new(vec![sleeper::<F>(&event_loop, 3)]));
    let (again, waited) = (trace.clone(), Rc::clone(&tasks));
    let main = plan().wait(move || async move {
        let mut tasks = waited.take();
        let polled = {
            let mut waiting = Box::pin(wait(&mut tasks, ReturnWhen::AllCompleted));
            std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await
        };
        assert!(polled);
        let awaited = tasks.pop().unwrap();
        again.log(awaited.await.unwrap());
    });
    run::<F>(&event_loop, main).unwrap();
    let mut tasks = vec![sleeper::<F>(&event_loop, 3)];
    let asking = tasks[0].canceller();
    let waits = cancelled::<F, _>(&event_loop, &trace, move || async move {
        drop(wait(&mut tasks, ReturnWhen::AllCompleted).await);
    });
    assert!(waits.is_cancelled());
    assert_eq!((asking.cancelling(), asking.is_done()), (0, true));
    trace.expect(&["3", "let out: the task was cancelled: enough"]);
}

/// Rule 28: when the time is up, the tasks that have not ended give an error, and run on.
pub fn as_completed_ends_at_its_time<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let late = plan().wait(|| sleep(secs(5))).call(log(&trace, "ran on")).spawn::<F>(&event_loop);
    let tasks =
        [late, sleeper::<F>(&event_loop, 1), sleeper::<F>(&event_loop, 2), sleeper::<F>(&event_loop, 9)];
    let again = trace.clone();
    let main = plan().wait(move || async move {
        for next in as_completed(tasks).timeout(secs(3)) {
            again.log(format!("{:?} at {}", next.await, now().as_secs_f64()));
        }
        sleep(secs(3)).await;
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["Ok(1) at 1", "Ok(2) at 2", "Err(TimedOut) at 3", "Err(TimedOut) at 3", "ran on"]);
    run::<F>(&event_loop, plan().wait(|| sleep(secs(9)))).unwrap();
    assert_eq!((event_loop.pending_timers(), event_loop.all_tasks().len()), (0, 0));
}

/// Rule 28: the same as a stream; a timer that is not needed leaves nothing.
pub fn as_completed_is_a_stream<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let tasks = [3, 1, 2].map(|seconds| sleeper::<F>(&event_loop, seconds));
    let again = trace.clone();
    let main = plan().wait(move || async move {
        let mut stream = as_completed(tasks).timeout(secs(60)).into_stream();
        while let Some(result) =
            std::future::poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut stream), cx)).await
        {
            again.log(result.unwrap());
        }
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["1", "2", "3"]);
    assert_eq!(event_loop.pending_timers(), 0);
}

/// The first one wins; the others are cancelled, and waited for.
pub fn a_race_waits_for_its_losers<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    let tasks = [
        cleaned::<F>(&event_loop, "first", 2, &trace, lets_out),
        sleeper::<F>(&event_loop, 1),
        cleaned::<F>(&event_loop, "third", 1, &trace, |_| {
            plan().raise(Thrown::Error(TaskError::other("in its cleanup")))
        }),
    ];
    let (again, fails) = (trace.clone(), failing::<F>(&event_loop, 4, "it fails"));
    let slow = sleeper::<F>(&event_loop, 60);
    let main = plan().wait(move || async move {
        again.log(format!("{:?} at {}", race(tasks).await, now().as_secs_f64()));
        again.log(format!("{:?}", race([slow, fails]).await));
        again.log(format!("{:?}", race(Vec::<JoinHandle<i64>>::new()).await));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[
        "first: the task was cancelled",
        "third: the task was cancelled",
        "third is clean",
        "first is clean",
        "Ok((1, 1)) at 3",
        "Err(Other(\"it fails\"))",
        "Err(NothingToAwait)",
    ]);
    reported.expect(&["third never retrieved: in its cleanup"]);
    assert!(event_loop.all_tasks().is_empty());
}

/// A race that is cancelled cancels all, and waits for them.
pub fn a_cancelled_race_ends_its_tasks_first<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let tasks = [
        cleaned::<F>(&event_loop, "first", 2, &trace, lets_out),
        cleaned::<F>(&event_loop, "second", 1, &trace, |_| plan().returns(7)),
    ];
    let waits = cancelled::<F, _>(&event_loop, &trace, move || async move { drop(race(tasks).await) });
    let told = "the task was cancelled: enough";
    trace.expect(&[
        &format!("first: {told}"),
        &format!("second: {told}"),
        "second is clean",
        "first is clean",
        &format!("let out: {told}"),
    ]);
    assert!(waits.is_cancelled() && event_loop.all_tasks().is_empty());
}

/// Attempts begin one after the other, the next at once when one has failed; the first success wins, and the rest is
/// cancelled and waited for.
pub fn a_staggered_race_begins_one_after_the_other<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let again = trace.clone();
    let main = plan().wait(move || async move {
        // What each attempt does: after so many seconds, it succeeds or fails.
        let attempts = |what: Vec<(u64, bool)>| {
            let trace = again.clone();
            what.into_iter().enumerate().map(move |(number, (seconds, succeeds))| {
                let (begun, told) = (trace.clone(), trace.clone());
                move || {
                    let end = if succeeds {
                        plan().returns(number as i64 * 10)
                    } else {
                        plan().raise(Thrown::Error(TaskError::other(format!("{number} fails"))))
                    };
                    let attempt = plan()
                        .call(move || begun.log(format!("{number} at {}", now().as_secs_f64())))
                        .wait(move || sleep(secs(seconds)))
                        .then(end)
                        .except(move |thrown| {
                            plan()
                                .wait(|| sleep(secs(1)))
                                .call(move || told.log(format!("{number} ended")))
                                .raise(thrown)
                        });
                    from_coroutine(F::coroutine(attempt.into_script()))
                }
            })
        };
        let won =
            staggered_race(attempts(vec![(60, true), (1, false), (3, true), (60, true)]), Some(secs(2)));
        let won = won.await.unwrap();
        again.log(format!("{} of {} at {}, {:?}", won.value, won.index, now().as_secs_f64(), won.errors));
        // Without a delay, only a failure begins the next one.
        let lost = staggered_race(attempts(vec![(3, false), (1, false)]), None).await;
        again.log(format!("{:?}", lost.unwrap_err()));
        let none = staggered_race(attempts(vec![]), None).await;
        assert!(matches!(none, Err(TaskError::NothingToAwait)));
    });
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&[
        "0 at 0",
        "1 at 2",
        "2 at 3",
        "3 at 5",
        "0 ended",
        "3 ended",
        "20 of 2 at 7, [(1, Other(\"1 fails\"))]",
        "0 at 7",
        "1 at 10",
        "ErrorGroup[Other(\"0 fails\"), Other(\"1 fails\")]",
    ]);
}

/// A staggered race that is cancelled begins nothing any more, and waits for what has begun.
pub fn a_cancelled_staggered_race_ends_its_tasks_first<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let waits = cancelled::<F, _>(&event_loop, &trace, move || async move {
        let attempts = ["first", "second"].map(|name| {
            let (inner, trace) = (inner.clone(), again.clone());
            move || cleaned::<F>(&inner, name, 2, &trace, lets_out)
        });
        drop(staggered_race(attempts, Some(secs(5))).await);
        let _pending: () = pending().await;
    });
    let told = "the task was cancelled: enough";
    trace.expect(&[&format!("first: {told}"), "first is clean", &format!("let out: {told}")]);
    assert!(waits.is_cancelled() && event_loop.all_tasks().is_empty());
}
