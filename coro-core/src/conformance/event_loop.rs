//! The laws of the loop and its tasks.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::{Do, Flavour, Plan, Script, Step, Trace, plan};
use crate::coroutine::{AsyncGenerator, Input, Misuse, Outcome, State, Thrown};
use crate::event_loop::{EventLoop, Exception, Loop, RunError};
use crate::task::{TaskError, as_completed, gather};
use crate::time::{self, Time, sleep, yield_now};

/// Makes the loops that the scenarios run on.
pub type MakeLoop<'a> = &'a dyn Fn() -> Loop;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A function that logs.
fn log(trace: &Trace, event: &'static str) -> impl FnOnce() + 'static {
    let trace = trace.clone();
    move || trace.log(event)
}

/// Collects what goes to the exception handler.
fn reports(event_loop: &Loop) -> Trace {
    let trace = Trace::new();
    let log = trace.clone();
    event_loop.set_exception_handler(Some(Rc::new(move |exception| {
        log.log(match exception {
            Exception::CallbackPanicked(panic) => format!("callback: {panic}"),
            Exception::NeverRetrieved(task, error) => format!("{} never retrieved: {error}", task.name),
            Exception::PendingDestroyed(task) => format!("{} destroyed", task.name),
            Exception::DestructorPanicked(task, panic) => format!("{} destructor: {panic}", task.name),
        });
    })));
    trace
}

/// Runs a task as the main one.
fn run<F: Flavour>(event_loop: &Loop, main: Plan) -> Result<i64, RunError> {
    let task = main.spawn::<F>(event_loop);
    event_loop.run_until_complete(task)
}

/// Rule 2: first in, first out; what a callback schedules waits for the next turn.
pub fn callbacks_run_in_order_and_what_they_schedule_waits<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    event_loop.call_soon(move || {
        again.log("a");
        inner.call_soon(log(&again, "a's"));
        inner.stop();
    });
    event_loop.call_soon(log(&trace, "b"));
    plan().call(log(&trace, "task")).spawn::<F>(&event_loop).detach();
    event_loop.call_soon(log(&trace, "c"));
    event_loop.run_forever().unwrap();
    trace.expect(&["a", "b", "task", "c"]);
    event_loop.stop();
    event_loop.run_forever().unwrap();
    trace.expect(&["a's"]);
}

/// Rule 1: what was ready runs before the timers that came due.
pub fn ready_runs_before_timers<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    event_loop.call_at(Time::ZERO, log(&trace, "timer"));
    plan().call(log(&trace, "task")).spawn::<F>(&event_loop).detach();
    event_loop.call_soon(log(&trace, "soon"));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    trace.expect(&["task", "soon", "timer"]);
}

/// Rule 3: a stop lets the present batch finish; later callbacks stay for the next run.
pub fn stop_finishes_the_batch<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let stopping = event_loop.clone();
    event_loop.call_soon(move || stopping.stop());
    let task = plan().call(log(&trace, "first step")).wait(yield_now).call(log(&trace, "second step"));
    let task = task.spawn::<F>(&event_loop);
    event_loop.run_forever().unwrap();
    trace.expect(&["first step"]);
    event_loop.run_until_complete(task).unwrap();
    trace.expect(&["second step"]);
}

/// Rule 3: a stop before the run makes one turn.
pub fn stop_before_run_makes_one_turn<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let task =
        plan().call(log(&trace, "one")).wait(yield_now).call(log(&trace, "two")).spawn::<F>(&event_loop);
    event_loop.stop();
    event_loop.run_forever().unwrap();
    trace.expect(&["one"]);
    assert!(!task.is_done());
    assert!(!event_loop.is_running());
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 0);
}

/// A run that was stopped early can be taken up again; the task's end does not stop a run that is not its own.
pub fn a_stopped_run_can_be_taken_up_again<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (stopping, stopped) = (event_loop.clone(), trace.clone());
    let mut task =
        plan().wait(|| sleep(secs(2))).call(log(&trace, "ended")).returns(1).spawn::<F>(&event_loop);
    event_loop.call_later(secs(1), move || stopping.stop());
    match event_loop.run_until_complete(&mut task) {
        Err(RunError::Stopped) => stopped.log("stopped"),
        other => panic!("{other:?}"),
    }
    run::<F>(&event_loop, plan().wait(|| sleep(secs(5))).call(log(&trace, "another run"))).unwrap();
    assert_eq!(event_loop.run_until_complete(&mut task).unwrap(), 1);
    trace.expect(&["stopped", "ended", "another run"]);
}

/// Rule 4: timers run by deadline, negative ones too, and equal ones by sequence.
pub fn timers_run_by_deadline_then_sequence<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    for (seconds, name) in [(3, "c"), (1, "a1"), (2, "b"), (1, "a2"), (-5, "before"), (1, "a3")] {
        event_loop.call_at(Time::from_nanos(seconds * 1_000_000_000), log(&trace, name));
    }
    let sleeper = plan().wait(|| time::sleep_until(Time::from_nanos(1_000_000_000))).call(log(&trace, "a4"));
    run::<F>(&event_loop, sleeper.wait(|| sleep(secs(2)))).unwrap();
    trace.expect(&["before", "a1", "a2", "a3", "a4", "b", "c"]);
}

/// Rule 5: a cancelled timer leaves nothing behind: the loop does not wait for it.
pub fn a_cancelled_timer_leaves_nothing<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let held = trace.on_drop("released");
    let timer = event_loop.call_later(secs(3_600), move || drop(held));
    assert_eq!(timer.when(), event_loop.time() + secs(3_600));
    timer.cancel();
    trace.expect(&["released"]);
    timer.cancel();
    let sleeper = plan().wait(|| sleep(secs(1_800))).spawn::<F>(&event_loop);
    let main = plan().wait(|| sleep(secs(1))).call(move || assert!(sleeper.cancel())).wait(yield_now);
    run::<F>(&event_loop, main).unwrap();
    assert!(event_loop.time().as_secs_f64() < 1_000.0);
    // The loop would sleep until a timer that was left behind.
    assert_eq!(event_loop.pending_timers(), 0);
}

/// A cancelled callback is not called, and lets go of what it captured.
pub fn a_cancelled_callback_is_not_called<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (held, called) = (trace.on_drop("released"), trace.clone());
    let call = event_loop.call_soon(move || {
        let _held = &held;
        called.log("called");
    });
    call.cancel();
    trace.expect(&["released"]);
    run::<F>(&event_loop, plan()).unwrap();
    trace.expect(&[]);
}

/// Rule 6: a sleep of zero lets the others run once, and sets no timer.
pub fn sleep_zero_is_one_bare_yield<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (timers, before) = (event_loop.clone(), event_loop.time());
    let a = plan().call(log(&trace, "a1")).wait(|| sleep(Duration::ZERO)).call(log(&trace, "a2"));
    let b = plan().call(log(&trace, "b1")).wait(yield_now).call(log(&trace, "b2"));
    let a = a.spawn::<F>(&event_loop);
    b.call(move || assert_eq!(timers.pending_timers(), 0)).spawn::<F>(&event_loop).detach();
    event_loop.run_until_complete(a).unwrap();
    trace.expect(&["a1", "b1", "a2", "b2"]);
    if event_loop.driver_name() == "simulated" {
        assert_eq!(event_loop.time(), before);
    }
}

/// Rule 7: another thread wakes a loop that waits, and its calls keep their order.
pub fn a_call_from_another_thread_wakes_the_loop<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let (sender, receiver) = std::sync::mpsc::channel();
    let remote = event_loop.remote();
    let thread = std::thread::spawn(move || {
        for number in 0..100 {
            let sender = sender.clone();
            remote.call_soon_threadsafe(move || sender.send(number).unwrap()).unwrap();
        }
        let last = remote.clone();
        remote.call_soon_threadsafe(move || drop(last)).unwrap();
        remote.call_soon_threadsafe(|| Loop::current().unwrap().stop()).unwrap();
    });
    let waits_for_ever = plan().wait(std::future::pending).spawn::<F>(&event_loop);
    event_loop.run_forever().unwrap();
    thread.join().unwrap();
    assert_eq!(receiver.into_iter().collect::<Vec<i32>>(), (0..100).collect::<Vec<i32>>());
    waits_for_ever.cancel();
    let _ = event_loop.run_until_complete(waits_for_ever);
}

/// Rule 7: a call from another thread can be cancelled, from another thread, before it begins.
pub fn a_call_from_another_thread_can_be_cancelled<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let remote = event_loop.remote();
    std::thread::spawn(move || {
        let call = remote.call_soon_threadsafe(|| panic!("it was cancelled")).unwrap();
        std::thread::spawn(move || call.cancel()).join().unwrap();
    })
    .join()
    .unwrap();
    let reported = reports(&event_loop);
    run::<F>(&event_loop, plan().call(log(&trace, "main")).wait(yield_now)).unwrap();
    trace.expect(&["main"]);
    reported.expect(&[]);
    let remote = event_loop.remote();
    event_loop.close().unwrap();
    assert!(remote.call_soon_threadsafe(|| ()).is_err());
}

/// A waker that another thread uses wakes its task.
pub fn a_wake_from_another_thread_arrives<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let remote = event_loop.remote();
    let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
    let woken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&woken);
    let thread = std::thread::spawn(move || {
        let waker = receiver.recv().unwrap();
        flag.store(true, std::sync::atomic::Ordering::SeqCst);
        waker.wake_by_ref();
        drop(remote);
    });
    let main = plan().wait(move || {
        let mut sender = Some(sender);
        poll_fn(move |cx| {
            if let Some(sender) = sender.take() {
                sender.send(cx.waker().clone()).unwrap();
                return Poll::Pending;
            }
            if woken.load(std::sync::atomic::Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
    });
    assert_eq!(run::<F>(&event_loop, main.returns(1)).unwrap(), 1);
    thread.join().unwrap();
}

/// Rule 9: a callback that panics is reported; the loop goes on.
pub fn a_panic_in_a_callback_goes_to_the_handler<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    event_loop.call_soon(|| panic!("planted"));
    assert_eq!(run::<F>(&event_loop, plan().wait(yield_now).returns(3)).unwrap(), 3);
    reported.expect(&["callback: planted"]);
}

/// Rule 9: a task that panics gives the panic to whoever awaits it; the loop goes on.
pub fn a_panic_in_a_task_goes_to_its_result<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    let task = plan().wait(yield_now).call(|| panic!("planted")).spawn::<F>(&event_loop);
    match event_loop.run_until_complete(task) {
        Err(RunError::Task(TaskError::Panicked(panic))) => assert_eq!(panic.message(), "planted"),
        other => panic!("{other:?}"),
    }
    reported.expect(&[]);
    assert_eq!(run::<F>(&event_loop, plan().returns(4)).unwrap(), 4);
}

/// Rule 9: a handler that panics is survived.
pub fn a_panicking_handler_does_not_stop_the_loop<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    event_loop.set_exception_handler(Some(Rc::new(|_| panic!("planted in the handler"))));
    event_loop.call_soon(|| panic!("planted"));
    assert_eq!(run::<F>(&event_loop, plan().wait(yield_now).returns(5)).unwrap(), 5);
}

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
    assert!(matches!(event_loop.run_until_complete(task), Err(RunError::Task(TaskError::Cancelled))));
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
    assert!(matches!(event_loop.run_until_complete(task), Err(RunError::Task(TaskError::Cancelled))));
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

/// Rule 47: a run cancels what main left, waits for it, and closes the loop.
pub fn run_cancels_what_main_left<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let caught = trace.clone();
    plan()
        .wait(|| sleep(secs(60)))
        .except(move |thrown| {
            caught.log(thrown);
            plan().wait(|| sleep(secs(1))).call(log(&caught, "cleaned up"))
        })
        .spawn::<F>(&event_loop)
        .detach();
    let reported = reports(&event_loop);
    let done = trace.clone();
    assert_eq!(event_loop.run(async move { done.log("main done") }).ok(), Some(()));
    trace.expect(&["main done", "the task was cancelled", "cleaned up"]);
    reported.expect(&[]);
    assert!(event_loop.is_closed());
}

/// Rule 3: what the main task leaves stays for the next run.
pub fn run_until_complete_keeps_the_others_for_the_next_run<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let other = plan().wait(|| sleep(secs(5))).call(log(&trace, "other")).spawn::<F>(&event_loop);
    run::<F>(&event_loop, plan().wait(|| sleep(secs(1)))).unwrap();
    trace.expect(&[]);
    event_loop.run_until_complete(other).unwrap();
    trace.expect(&["other"]);
}

/// Rule 47: a loop cannot be run inside a loop.
pub fn a_nested_run_is_refused<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, other, trace) = (make(), make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let main = plan().call(move || {
        again.log(inner.run_forever().unwrap_err());
        again.log(other.run(async {}).unwrap_err());
    });
    run::<F>(&event_loop, main).unwrap();
    let advice =
        "an event loop is already running on this thread: spawn a task on it instead of running another";
    trace.expect(&[advice, advice]);
}

/// A closed loop refuses to run; a task spawned on it ends at once; closing twice is closing once.
pub fn a_closed_loop_refuses_to_run<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    let pending = plan().hold(trace.on_drop("released")).wait(std::future::pending).spawn::<F>(&event_loop);
    let pending = pending.named("pending");
    event_loop.close().unwrap();
    event_loop.close().unwrap();
    trace.expect(&["released"]);
    reported.expect(&["pending destroyed"]);
    assert!(pending.is_done());
    assert!(matches!(event_loop.run_forever(), Err(RunError::Closed)));
    let mut late = plan().spawn::<F>(&event_loop);
    assert!(matches!(late.try_result(), Some(Err(TaskError::LoopClosed))));
}

/// A loop that runs cannot be closed.
pub fn a_running_loop_refuses_to_close<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let inner = event_loop.clone();
    let main = plan().call(move || {
        assert!(inner.is_running());
        assert!(matches!(inner.close(), Err(RunError::Running)));
    });
    run::<F>(&event_loop, main).unwrap();
    assert!(!event_loop.is_closed());
}

/// The tasks that are there can be listed, in the order of spawning, and the running one is known.
pub fn all_tasks_and_current_task_tell_who_is_there<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let waits = plan().wait(std::future::pending).spawn::<F>(&event_loop).named("waits");
    let main = plan().call(move || {
        let names: Vec<_> = inner.all_tasks().iter().map(|task| task.name.to_string()).collect();
        again.log(format!("{names:?}, now {}", inner.current_task().unwrap().name));
    });
    assert!(event_loop.current_task().is_none());
    run::<F>(&event_loop, main).unwrap();
    trace.expect(&["[\"waits\", \"Task-2\"], now Task-2"]);
    assert_eq!(event_loop.all_tasks().len(), 1);
    let shown = format!("{waits:?}");
    assert!(shown.starts_with("<Task pending name='waits'"), "{shown}");
    assert!(shown.contains("event_loop.rs:"), "{shown}");
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

/// A coroutine that doubles what it is sent, waiting a second each time.
fn doubler<F: Flavour>() -> super::Subject<i64, i64, i64, &'static str> {
    let mut sent = 0;
    F::coroutine(Script::new(move |step| match step {
        Step::Begin | Step::Woken => Do::Yield(2 * sent),
        Step::Sent(value) if value < 0 => Do::ret(value),
        Step::Sent(13) => panic!("planted"),
        Step::Sent(value) => {
            sent = value;
            Do::Wait(Box::pin(sleep(secs(1))))
        }
        Step::Thrown(thrown) => Do::End(Err(thrown)),
    }))
}

/// Each send through the loop is a request, each yield its answer, in order.
pub fn drive_answers_in_order<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let driven = event_loop.drive(doubler::<F>());
    let main = event_loop.spawn(async move {
        assert_eq!(driven.state(), State::Created);
        assert_eq!(driven.start().await, Ok(Outcome::Yielded(0)));
        // Two requests at once: served one after the other.
        let (first, second) = (driven.send(1), driven.send(2));
        assert_eq!(second.await, Ok(Outcome::Yielded(4)));
        assert_eq!(first.await, Ok(Outcome::Yielded(2)));
        assert_eq!(driven.send(-1).await, Ok(Outcome::Returned(-1)));
        assert_eq!(driven.state(), State::Finished);
    });
    event_loop.run_until_complete(main).unwrap();
}

/// What the contract refuses by hand, it refuses through the loop, with the same values handed back.
pub fn drive_hands_back_what_the_contract_refuses<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let driven = event_loop.drive(doubler::<F>());
    let main = event_loop.spawn(async move {
        assert_eq!(driven.send(5).await, Err(Misuse::NotStarted(5)));
        assert_eq!(driven.start().await, Ok(Outcome::Yielded(0)));
        assert_eq!(driven.start().await, Err(Misuse::NoInput));
        assert_eq!(driven.throw("e").await, Ok(Outcome::Raised(Thrown::Error("e"))));
        assert_eq!(driven.send(6).await, Err(Misuse::Finished(Some(6))));
        assert_eq!(driven.close().await, Ok(None));
    });
    event_loop.run_until_complete(main).unwrap();
}

/// A body that panics leaves nobody waiting: the request is answered, and the panic reported.
pub fn drive_survives_a_panic_of_the_body<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    let driven = event_loop.drive(doubler::<F>());
    let main = event_loop.spawn(async move {
        assert_eq!(driven.start().await, Ok(Outcome::Yielded(0)));
        let (fatal, queued) = (driven.send(13), driven.send(14));
        assert_eq!(fatal.await, Err(Misuse::Finished(None)));
        assert_eq!(queued.await, Err(Misuse::Finished(Some(14))));
        assert_eq!(driven.send(15).await, Err(Misuse::Finished(Some(15))));
    });
    event_loop.run_until_complete(main).unwrap();
    reported.expect(&["Task-1 never retrieved: the task panicked: planted"]);
}

/// The body waits on the loop between request and answer; others run meanwhile.
pub fn drive_lets_the_body_wait<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let driven = event_loop.drive(doubler::<F>());
    let (asker, other) = (trace.clone(), trace.clone());
    event_loop.call_later(Duration::from_millis(500), log(&other, "meanwhile"));
    let main = event_loop.spawn(async move {
        driven.start().await.unwrap();
        asker.log("asks");
        driven.send(1).await.unwrap();
        asker.log("answered");
    });
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["asks", "meanwhile", "answered"]);
}

/// An async generator yields items and waits between them.
pub fn an_async_generator_waits_and_yields<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let main = event_loop.spawn(async move {
        let mut generator = AsyncGenerator::new(doubler::<F>());
        assert_eq!(generator.start().await, Ok(Outcome::Yielded(0)));
        assert_eq!(generator.send(4).await, Ok(Outcome::Yielded(8)));
        assert_eq!(generator.close().await, Ok(None));
        assert_eq!(generator.state(), State::Finished);
    });
    event_loop.run_until_complete(main).unwrap();
    if event_loop.driver_name() == "simulated" {
        assert_eq!(event_loop.time(), Time::ZERO + secs(1));
    }
}

/// A send while another is in progress is refused; a close lands where the body waits.
pub fn an_async_generator_refuses_a_second_send<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let main = event_loop.spawn(async move {
        let mut generator = AsyncGenerator::new(doubler::<F>());
        generator.start().await.unwrap();
        {
            // Begun, and dropped in the middle.
            let mut sending = generator.send(4);
            let begun = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut sending).poll(cx).is_pending()));
            assert!(begun.await);
        }
        assert_eq!(generator.send(5).await, Err(Misuse::Running(Some(Input::Send(5)))));
        assert_eq!(generator.close().await, Ok(None));
    });
    event_loop.run_until_complete(main).unwrap();
}
