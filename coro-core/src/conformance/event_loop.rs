//! The laws of the loop: turns, timers, other threads, panics, runs.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::setting::{BUSY_TURNS, MakeLoop, log, reports, run, secs};
use super::{Flavour, Trace, plan};
use crate::event_loop::{EventLoop, Loop, RunError};
use crate::task::TaskError;
use crate::time::{self, Sleep, Time, sleep, yield_now};

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

/// Rule 1: what is ready, and a stop, are not kept waiting for a deadline.
pub fn neither_what_is_ready_nor_a_stop_waits_for_a_deadline<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let timer = event_loop.call_later(secs(3_600), log(&trace, "too late"));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    trace.expect(&[]);
    run::<F>(&event_loop, plan().call(log(&trace, "ready")).wait(yield_now).call(log(&trace, "again")))
        .unwrap();
    trace.expect(&["ready", "again"]);
    timer.cancel();
}

/// Rule 1: what never stops being ready keeps no timer waiting.
pub fn what_is_always_ready_keeps_no_timer_waiting<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let called = Rc::new(Cell::new(false));
    let (timer, seen) = (Rc::clone(&called), Rc::clone(&called));
    event_loop.call_later(Duration::ZERO, move || timer.set(true));
    let busy = |seen: Rc<Cell<bool>>| {
        plan().wait(move || async move {
            for _ in 0..BUSY_TURNS {
                if seen.get() {
                    return;
                }
                yield_now().await;
            }
            panic!("it has never been called");
        })
    };
    busy(Rc::clone(&seen)).spawn::<F>(&event_loop).detach();
    run::<F>(&event_loop, busy(seen)).unwrap();
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
    assert_eq!(event_loop.pending_timers(), 1);
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

/// A wake-up from elsewhere does not end a sleep before its time.
pub fn a_spurious_wake_does_not_end_a_sleep<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let slept = Rc::new(Cell::new(None));
    let (ended, waker): (_, Rc<RefCell<Option<Waker>>>) = (Rc::clone(&slept), Rc::default());
    let leak = Rc::clone(&waker);
    let sleeper = plan().wait(move || {
        let mut asleep = Box::pin(sleep(secs(2)));
        poll_fn(move |cx| {
            leak.replace(Some(cx.waker().clone()));
            asleep.as_mut().poll(cx)
        })
    });
    let sleeper = sleeper.call(move || ended.set(Some(time::now())));
    sleeper.spawn::<F>(&event_loop).detach();
    let start = event_loop.time();
    let main = plan().wait(|| sleep(secs(1))).call(move || waker.borrow().as_ref().unwrap().wake_by_ref());
    run::<F>(&event_loop, main.wait(|| sleep(secs(3)))).unwrap();
    assert!(slept.get().unwrap() - start >= secs(2));
}

/// A sleep that is begun in one task and ended in another wakes the other.
pub fn a_sleep_may_move_to_another_task<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let moved: Rc<RefCell<Option<Pin<Box<Sleep>>>>> = Rc::default();
    let (given, taken, log) = (Rc::clone(&moved), Rc::clone(&moved), trace.clone());
    let first = plan().wait(move || async move {
        let mut asleep = Box::pin(sleep(secs(1)));
        let begun = poll_fn(|cx| Poll::Ready(asleep.as_mut().poll(cx).is_pending())).await;
        assert!(begun);
        given.replace(Some(asleep));
    });
    first.spawn::<F>(&event_loop).detach();
    let second = plan().wait(yield_now).wait(move || async move {
        let asleep = taken.take().unwrap();
        asleep.await;
        log.log("woken");
    });
    run::<F>(&event_loop, second).unwrap();
    trace.expect(&["woken"]);
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
    let advice = RunError::Nested.to_string();
    trace.expect(&[&*advice, &*advice]);
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
