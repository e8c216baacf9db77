//! Loops that are used as nobody should: stopped and closed at every moment, given timers from beyond time, tasks that
//! panic wherever they can, and tasks that give nobody a turn.
//!
//! A timer that is not a number cannot be asked for: durations and times are whole nanoseconds.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use coro_core::conformance::{Trace, reports};
use coro_core::coroutine::{InputOf, Resumed};
use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::task::from_coroutine;
use coro_core::time::{self, Time};

fn logs(trace: &Trace, event: &'static str) -> impl FnOnce() + use<> {
    let trace = trace.clone();
    move || trace.log(event)
}

/// One turn.
fn turn(event_loop: &Loop) {
    event_loop.stop();
    event_loop.run_forever().unwrap();
}

#[test]
fn a_stop_from_a_task_and_a_second_one_end_one_run() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let (stopping, log) = (event_loop.clone(), trace.clone());
    let task = event_loop.spawn(async move {
        for _ in 0..2 {
            stopping.stop();
            stopping.stop();
            log.log("stopped");
            yield_now().await;
        }
        log.log("went on");
    });
    event_loop.run_forever().unwrap();
    trace.expect(&["stopped"]);
    event_loop.run_forever().unwrap();
    trace.expect(&["stopped"]);
    event_loop.run_until_complete(task).unwrap();
    trace.expect(&["went on"]);
    // After the last run: the next one makes a turn, or is refused.
    event_loop.stop();
    event_loop.close().unwrap();
    event_loop.stop();
    assert!(matches!(event_loop.run_forever(), Err(RunError::Closed)));
}

/// What a program does to its loop, and what it is told.
fn misuse(event_loop: &Loop, trace: &Trace) {
    let shorten = |error: RunError| format!("{error:?}");
    trace.log(event_loop.close().map_or_else(shorten, |()| "Closed".into()));
    trace.log(event_loop.run_forever().map_or_else(shorten, |()| "ran".into()));
    let task = event_loop.spawn(async {});
    trace.log(if task.is_done() { "no task" } else { "task" });
}

#[test]
fn a_close_and_a_run_from_a_callback_are_refused_and_tasks_taken() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let (inner, log) = (event_loop.clone(), trace.clone());
    event_loop.call_soon(move || misuse(&inner, &log));
    turn(&event_loop);
    trace.expect(&["Running", "Nested", "task"]);
}

/// Misuses its loop when it is dropped.
struct Misuses(Loop, Trace);

impl Drop for Misuses {
    fn drop(&mut self) {
        self.0.stop();
        self.0.call_soon(|| panic!("the loop is closed"));
        self.0.call_later(Duration::ZERO, || panic!("the loop is closed"));
        misuse(&self.0, &self.1);
    }
}

/// A destructor that a close runs: the loop is closed for it. At the end of a run it is still the running one.
#[test]
fn a_destructor_finds_a_closed_loop_while_that_is_being_closed() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let reported = reports(&event_loop);
    let held = Misuses(event_loop.clone(), trace.clone());
    event_loop.call_later(Duration::from_secs(1), move || drop(held));
    let held = Misuses(event_loop.clone(), trace.clone());
    event_loop
        .spawn(async move {
            let _held = held;
            pending::<()>().await;
        })
        .named("pending")
        .detach();
    turn(&event_loop);
    event_loop.close().unwrap();
    trace.expect(&["Closed", "Closed", "no task", "Closed", "Closed", "no task"]);
    reported.expect(&["pending destroyed"]);

    let event_loop = Loop::simulated();
    let held = Misuses(event_loop.clone(), trace.clone());
    let main = async move {
        Loop::running("test").call_later(Duration::from_secs(60), move || drop(held));
    };
    event_loop.run(main).unwrap();
    trace.expect(&["Running", "Closed", "no task"]);
}

/// Whoever runs a loop has a handle to it: dropping another one in a task does nothing.
#[test]
fn a_task_may_drop_the_handle_to_its_own_loop() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let own = event_loop.clone();
    let held = trace.on_drop("released");
    event_loop
        .spawn(async move {
            let _held = held;
            pending::<()>().await;
        })
        .detach();
    let reported = reports(&event_loop);
    let main = event_loop.spawn(async move {
        drop(own);
        yield_now().await;
        Loop::current().is_some()
    });
    assert!(event_loop.run_until_complete(main).unwrap());
    trace.expect(&[]);
    drop(event_loop);
    trace.expect(&["released"]);
    reported.expect(&["Task-1 destroyed"]);
}

/// A task that holds its loop keeps it alive, until the loop is closed.
#[test]
fn a_close_lets_go_of_a_task_that_holds_its_loop() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let reported = reports(&event_loop);
    let held = (trace.on_drop("released"), event_loop.clone());
    event_loop
        .spawn(async move {
            let _held = held;
            pending::<()>().await;
        })
        .detach();
    turn(&event_loop);
    let last = event_loop.clone();
    drop(event_loop);
    trace.expect(&[]);
    last.close().unwrap();
    trace.expect(&["released"]);
    reported.expect(&["Task-1 destroyed"]);
}

#[test]
fn timers_of_zero_of_the_past_and_of_the_end_of_time() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let end = event_loop.call_later(Duration::MAX, logs(&trace, "the end of time"));
    event_loop.call_later(Duration::ZERO, logs(&trace, "zero"));
    event_loop.call_at(Time::from_nanos(-1), logs(&trace, "past"));
    event_loop.call_at(Time::from_nanos(i64::MIN), logs(&trace, "the beginning"));
    event_loop.call_soon(logs(&trace, "soon"));
    turn(&event_loop);
    trace.expect(&["soon", "the beginning", "past", "zero"]);
    assert_eq!(end.when(), Time::from_nanos(i64::MAX));
    // A simulated clock that has nothing else to wait for gets there.
    let stopping = event_loop.clone();
    event_loop.call_later(Duration::MAX, move || stopping.stop());
    event_loop.run_forever().unwrap();
    trace.expect(&["the end of time"]);
    assert_eq!(event_loop.time(), Time::from_nanos(i64::MAX));
    // Where time does not go on, what is due is due at once.
    let slept = event_loop.spawn(async {
        sleep(Duration::MAX).await;
        time::now()
    });
    assert_eq!(event_loop.run_until_complete(slept).unwrap(), Time::from_nanos(i64::MAX));
}

/// A coroutine, or a future, that panics when it is resumed, when it is dropped, or both. It is written by hand: where an
/// `async` body does both, the language drops it while its panic is on its way, and ends the process.
struct Bomb {
    resume: bool,
    drop: bool,
}

impl Coroutine for Bomb {
    type Send = ();
    type Yield = Infallible;
    type Return = ();
    type Error = TaskError;

    fn state(&self) -> State {
        State::Created
    }

    fn poll_resume(&mut self, _: &mut Context<'_>, _: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        assert!(!self.resume, "in resume");
        Poll::Ready(Ok(Outcome::Returned(())))
    }
}

impl Future for Bomb {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        assert!(!self.resume, "in resume");
        Poll::Ready(())
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.drop, "in drop");
    }
}

#[test]
fn a_task_may_panic_when_it_is_resumed_when_it_is_dropped_and_both_times() {
    let event_loop = Loop::simulated();
    let reported = reports(&event_loop);
    for (resume, drop, told) in [
        (true, false, "the task panicked: in resume"),
        (false, true, "the task panicked: in drop"),
        // The second panic is reported.
        (true, true, "the task panicked: in resume"),
    ] {
        let tasks = [
            event_loop.spawn(from_coroutine(Bomb { resume, drop })),
            event_loop.spawn(Bomb { resume, drop }),
        ];
        for task in tasks {
            assert_eq!(event_loop.run_until_complete(task).unwrap_err().to_string(), told);
        }
    }
    assert_eq!(event_loop.run(async { 5 }).unwrap(), 5);
    reported.expect(&["Task-5 destructor: in drop", "Task-6 destructor: in drop"]);
}

/// What is always ready does not suspend its task: the task has its turn to the end, and a stop waits for it. Only a
/// poll that returns can be followed by another one; one that does not keeps the loop for ever.
#[test]
fn a_task_that_never_waits_keeps_its_turn_to_its_end() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    event_loop.call_soon(logs(&trace, "before"));
    let log = trace.clone();
    event_loop
        .spawn(async move {
            let queue = Queue::unbounded();
            Loop::running("test").stop();
            for number in 0..100_000 {
                queue.put(number).await.unwrap();
                assert_eq!(queue.get().await, Ok(number));
            }
            log.log("ended");
        })
        .detach();
    event_loop.call_soon(logs(&trace, "after"));
    event_loop.run_forever().unwrap();
    trace.expect(&["before", "ended", "after"]);
}

/// One that yields for ever takes turns with the others, and a stop ends the run.
#[test]
fn a_task_that_yields_for_ever_does_not_keep_the_loop_from_stopping() {
    let event_loop = Loop::simulated();
    let turns = Rc::new(Cell::new(0u32));
    let (counted, done) = (Rc::clone(&turns), Rc::new(RefCell::new(None)));
    let endless = event_loop.spawn(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });
    let (ended, stopping) = (Rc::clone(&done), event_loop.clone());
    event_loop
        .spawn(async move {
            for _ in 0..1_000 {
                yield_now().await;
            }
            ended.replace(Some("the other"));
            stopping.stop();
        })
        .detach();
    event_loop.run_forever().unwrap();
    assert_eq!((turns.get(), done.take()), (1_001, Some("the other")));
    // A run cancels it at its end.
    event_loop.run(async move { spawn(async move { drop(endless) }).await.unwrap() }).unwrap();
}
