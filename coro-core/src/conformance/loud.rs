//! The laws of what is loud, and of how a program ends: interrupts, debug mode, ticks.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::setting::{MakeLoop, log, reports, run, secs, turns};
use super::{Flavour, Plan, Trace, plan};
use crate::coroutine::CoroutineExt;
use crate::event_loop::{EventLoop, Loop, RunError, Waiting};
use crate::queue::Queue;
use crate::runner::Runner;
use crate::scope::timeout;
use crate::sync::{Lock, RwLock, Semaphore};
use crate::task::{TaskError, from_coroutine, gather};
use crate::time::{Interval, MissedTicks, block_for, interval, now, sleep};

/// Runs a plan as a whole program.
pub(super) fn program<F: Flavour>(event_loop: &Loop, main: Plan) -> Result<i64, RunError> {
    event_loop.run(from_coroutine(F::coroutine(main.into_script())))
}

/// Interrupts the loop at each of these seconds.
fn interrupted_at(event_loop: &Loop, seconds: &[u64]) {
    for seconds in seconds {
        let own = event_loop.clone();
        let _timer = event_loop.call_later(secs(*seconds), move || own.interrupt());
    }
}

/// A body that waits for a minute; cancelled, it takes so many seconds to clean up, and then does this.
fn cleaned(
    trace: &Trace,
    seconds: u64,
    then: impl FnOnce(crate::Thrown<TaskError>) -> Plan + 'static,
) -> Plan {
    let trace = trace.clone();
    plan().wait(|| sleep(secs(60))).except(move |thrown| {
        trace.log(&thrown);
        let cleanup = plan().wait(move || sleep(secs(seconds)));
        cleanup.call(log(&trace, "cleaned up")).then_with(move || then(thrown))
    })
}

/// Rules 8, 47: the first interrupt cancels main, which may clean up, and what it leaves is ended as ever.
pub fn an_interrupt_cancels_main_and_becomes_the_error<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    cleaned(&trace, 2, |_| plan()).spawn::<F>(&event_loop).detach();
    interrupted_at(&event_loop, &[1]);
    let result = program::<F>(&event_loop, cleaned(&trace, 1, |thrown| plan().raise(thrown)));
    assert!(matches!(result, Err(RunError::Interrupted)), "{result:?}");
    let cancelled = "the task was cancelled";
    trace.expect(&[cancelled, "cleaned up", cancelled, "cleaned up"]);
    reported.expect(&[]);
    assert_eq!(event_loop.time().as_secs_f64(), 4.0);
    assert!(event_loop.is_closed());
}

/// Rule 8: a main that swallows the interrupt gives its result.
pub fn an_interrupted_main_may_give_a_result<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    interrupted_at(&event_loop, &[1]);
    let main = cleaned(&trace, 1, |_| plan().returns(7));
    assert_eq!(program::<F>(&event_loop, main).unwrap(), 7);
    trace.expect(&["the task was cancelled", "cleaned up"]);
}

/// Rule 8: an interrupt is not the error if somebody else has cancelled main, too.
pub fn a_main_that_was_cancelled_otherwise_is_cancelled<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    interrupted_at(&event_loop, &[1]);
    let main = plan().call(|| {
        let itself = crate::task::current().unwrap();
        let _timer = Loop::current().unwrap().call_later(secs(2), move || {
            itself.cancel();
        });
    });
    // The second one cuts the cleanup short.
    let main = main.then(cleaned(&trace, 9, |thrown| plan().raise(thrown)));
    let result = program::<F>(&event_loop, main);
    assert!(matches!(result, Err(RunError::Task(TaskError::Cancelled(_)))), "{result:?}");
    trace.expect(&["the task was cancelled"]);
}

/// Rule 8: the second interrupt ends the run at once, and what is left is destroyed.
pub fn a_second_interrupt_ends_the_run_at_once<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    let held = trace.on_drop("released");
    let left = cleaned(&trace, 9, |_| plan()).hold(held).spawn::<F>(&event_loop).named("left");
    interrupted_at(&event_loop, &[1, 2]);
    let result = program::<F>(&event_loop, cleaned(&trace, 9, |thrown| plan().raise(thrown)));
    assert!(matches!(result, Err(RunError::Interrupted)), "{result:?}");
    trace.expect(&["the task was cancelled", "released"]);
    reported.expect(&["Task-2 destroyed", "left destroyed"]);
    assert!(left.is_done());
    assert_eq!(event_loop.time().as_secs_f64(), 2.0);
}

/// Rules 8, 47: an interrupt after the end of main cuts short what the run still waits for; the result of main stands.
pub fn an_interrupt_at_the_end_of_a_run_cuts_that_short<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    cleaned(&trace, 9, |_| plan()).spawn::<F>(&event_loop).named("left").detach();
    interrupted_at(&event_loop, &[2]);
    let main = plan().wait(|| sleep(secs(1))).returns(7);
    assert_eq!(program::<F>(&event_loop, main).unwrap(), 7);
    trace.expect(&["the task was cancelled"]);
    let drain = format!("drain: {}", RunError::Interrupted);
    reported.expect(&[&*drain, "left destroyed"]);
    assert_eq!(event_loop.time().as_secs_f64(), 2.0);
}

/// An interrupt of a run without a main task ends that.
pub fn an_interrupt_without_a_main_task_ends_the_run<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    interrupted_at(&event_loop, &[1]);
    let other = plan().wait(|| sleep(secs(2))).call(log(&trace, "ran on")).spawn::<F>(&event_loop);
    assert!(matches!(event_loop.run_forever(), Err(RunError::Interrupted)));
    // The next run is another one.
    event_loop.run_until_complete(other).unwrap();
    trace.expect(&["ran on"]);
    event_loop.stop();
    event_loop.run_forever().unwrap();
}

/// Rule 47: what the tasks that main left fail with is reported.
pub fn a_run_reports_the_errors_of_what_main_left<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    cleaned(&trace, 1, |_| plan().call(|| panic!("planted"))).spawn::<F>(&event_loop).detach();
    assert_eq!(program::<F>(&event_loop, plan().wait(|| sleep(secs(1))).returns(7)).unwrap(), 7);
    trace.expect(&["the task was cancelled", "cleaned up"]);
    reported.expect(&["Task-1 never retrieved: the task panicked: planted"]);
}

/// Rule 47: a runner runs programs on one loop, one after the other, and ends what they left when it is closed.
pub fn a_runner_ends_what_its_programs_left_when_it_is_closed<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let made = event_loop.clone();
    let mut runner = Runner::with_loops(move || Ok(made)).interrupts(false);
    let (inner, refused) = (trace.clone(), make());
    let first = cleaned(&trace, 1, |_| plan()).call(log(&trace, "ended"));
    let main = plan().call(move || {
        drop(first.spawn::<F>(&Loop::current().unwrap()));
        let mut nested = Runner::with_loops(move || Ok(refused)).interrupts(false);
        inner.log(nested.run(async {}).unwrap_err());
        // Its loop cannot be closed here either, and is dropped.
        inner.log(nested.close().unwrap_err());
    });
    let main = from_coroutine(F::coroutine(main.returns(1).into_script()));
    assert_eq!(runner.run(main).unwrap(), 1);
    let second = plan().wait(|| sleep(secs(3))).call(log(&trace, "second")).returns(2);
    assert_eq!(runner.run(from_coroutine(F::coroutine(second.into_script()))).unwrap(), 2);
    assert!(!event_loop.is_closed());
    let nested = RunError::Nested.to_string();
    trace.expect(&[&*nested, &*nested, "second"]);
    runner.close().unwrap();
    assert!(event_loop.is_closed());
    trace.expect(&["the task was cancelled", "cleaned up"]);
    assert_eq!(event_loop.time().as_secs_f64(), 4.0);
}

/// Rule 8: each run of a runner has a first interrupt, whatever interrupted the one before; and without one is not interrupted.
pub fn each_run_has_a_first_interrupt<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let made = event_loop.clone();
    let mut runner = Runner::with_loops(move || Ok(made)).interrupts(false);
    let mut run = |main: Plan| runner.run(from_coroutine(F::coroutine(main.into_script())));
    interrupted_at(&event_loop, &[1, 3]);
    let first = run(cleaned(&trace, 1, |thrown| plan().raise(thrown)));
    assert!(matches!(first, Err(RunError::Interrupted)), "{first:?}");
    assert_eq!(run(cleaned(&trace, 1, |_| plan().returns(7))).unwrap(), 7);
    let cancels_itself = plan().call(|| assert!(crate::task::current().unwrap().cancel()));
    let third = run(cancels_itself.wait(|| sleep(secs(1))));
    assert!(matches!(third, Err(RunError::Task(TaskError::Cancelled(_)))), "{third:?}");
    let cancelled = "the task was cancelled";
    trace.expect(&[cancelled, "cleaned up", cancelled, "cleaned up"]);
}

/// Rule 45: in debug mode a step that takes too long is named, with its duration, be it of a task or a callback.
pub fn a_slow_step_is_named_in_debug_mode<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    let work = |millis| move || block_for(Duration::from_millis(millis));
    let both = || {
        // In a turn that need not look for more than what is ready, too.
        let steps = plan().call(work(99)).wait(|| sleep(secs(1))).then(turns(20)).call(work(101));
        run::<F>(&event_loop, steps.wait(|| sleep(secs(1)))).unwrap();
    };
    both();
    reported.expect(&[]);
    event_loop.set_debug(true);
    both();
    let (line, _call) = (line!(), event_loop.call_soon(work(100)));
    both();
    event_loop.set_slow_step(secs(1));
    let _timer = event_loop.call_later(secs(1), work(1000));
    both();
    event_loop.set_debug(false);
    both();
    let callback = format!("callback of line {line} took 100ms");
    let timer = format!("callback of line {} took 1s", line + 3);
    reported.expect(&["Task-2 took 101ms", &*callback, "Task-3 took 101ms", &*timer]);
}

/// Rule 45: in debug mode a coroutine that nobody awaits is named, and one that was closed, cancelled or run is not.
pub fn a_coroutine_that_is_never_awaited_is_named_in_debug_mode<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    let unawaited = || {
        let main = plan().call(|| {
            drop(F::coroutine(plan().into_script()));
            drop(F::coroutine(plan().into_script()).close());
            let event_loop = Loop::current().unwrap();
            plan().spawn::<F>(&event_loop).cancel();
            plan().spawn::<F>(&event_loop).detach();
        });
        run::<F>(&event_loop, main.wait(|| sleep(secs(1)))).unwrap();
    };
    unawaited();
    reported.expect(&[]);
    event_loop.set_debug(true);
    unawaited();
    let named = reported.take();
    let tells = matches!(&named[..], [one] if one.starts_with("never awaited, of line "));
    assert!(tells || named.is_empty() && !F::TELLS_NEVER_AWAITED, "{named:?}");
}

/// What tasks wait for, and who has it, is told when somebody looks, and only while they wait.
pub fn a_look_at_tasks_tells_what_they_wait_for_and_who_has_it<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (lock, room, begin) = (Lock::new(()), Semaphore::new(1), event_loop.time());
    let (queue, other) = (Queue::<u32>::new(1), RwLock::new(()));
    let spawn = |name, plan: Plan| plan.spawn::<F>(&event_loop).named(name);
    let held = (lock.clone(), room.clone(), other.clone());
    let mut holder = spawn(
        "holder",
        plan().wait(move || async move {
            let _held = (held.0.lock().await, held.1.acquire().await, held.2.read().await);
            sleep(secs(5)).await;
        }),
    );
    let (full, again, getting) = (queue.clone(), lock.clone(), queue.clone());
    let waits = [
        spawn("locks", plan().wait(move || async move { drop(lock.lock().await) })),
        spawn("acquires", plan().wait(move || async move { drop(room.acquire().await) })),
        spawn("writes", plan().wait(move || async move { drop(other.write().await) })),
        spawn(
            "puts",
            plan().wait(move || async move {
                full.put(1).await.unwrap();
                full.put(2).await.unwrap();
            }),
        ),
        spawn("works", plan().wait(move || queue.join())),
        spawn("limited", plan().wait(move || async move { drop(timeout(secs(9), again.lock()).await) })),
    ];
    let look = |event_loop: &Loop| {
        for task in event_loop.all_tasks() {
            let shown = format!("{task:?}");
            let waits = shown.rsplit_once(" waits ").map_or("", |(_, waits)| waits.trim_end_matches('>'));
            let waits = waits
                .replace(&(begin + secs(5)).to_string(), "5")
                .replace(&(begin + secs(9)).to_string(), "9");
            trace.log(format!("{}: {waits}", task.name));
        }
    };
    event_loop.stop();
    event_loop.run_forever().unwrap();
    look(&event_loop);
    trace.expect(&[
        "holder: until 5",
        "locks: for lock 1, taken by holder",
        "acquires: for a permit of semaphore 2, taken by holder",
        "writes: for writing lock 3, taken by holder",
        "puts: for room in queue 4",
        "works: for the work of queue 4",
        "limited: for lock 1, taken by holder, or until 9",
    ]);
    assert_eq!(holder.waits_for(), [Waiting::Until(begin + secs(5))]);
    assert!(format!("{:?}", waits[0]).ends_with(" waits for lock 1, taken by holder>"));
    event_loop.run_until_complete(&mut holder).unwrap();
    // The semaphore and the other lock have no more to say, and the lock went from hand to hand.
    assert_eq!(getting.get_nowait().unwrap(), 1);
    let [.., works, limited] = waits;
    let _both = spawn("gathers", plan().wait(move || async move { drop(gather([works]).await) }));
    let _end = spawn("joins", plan().wait(move || async move { drop(limited.await) }));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    look(&event_loop);
    trace.expect(&["works: for the work of queue 4", "gathers: for the next of several tasks"]);
    event_loop.close().unwrap();
}

/// Ticks that come while somebody is late, by what is to be done about them.
pub fn an_interval_ticks_and_makes_up_for_what_it_missed<F: Flavour>(make: MakeLoop<'_>) {
    let ticks = |missed: MissedTicks| {
        let (event_loop, trace) = (make(), Trace::new());
        let ticking: Rc<RefCell<Option<Interval>>> = Rc::default();
        let begin = Rc::clone(&ticking);
        let mut main = plan().call(move || {
            // A whole second, whenever the loop was made.
            *begin.borrow_mut() = Some(interval(secs(10)).missed(missed));
        });
        for work in [0, 25, 0, 0, 0] {
            let (ticking, trace) = (Rc::clone(&ticking), trace.clone());
            let tick = move || async move {
                let mut interval = ticking.borrow_mut().take().unwrap();
                let due = interval.tick().await;
                *ticking.borrow_mut() = Some(interval);
                trace.log(format!("{} at {}", due.as_secs_f64().round(), now().as_secs_f64().round()));
            };
            main = main.wait(tick).wait(move || sleep(secs(work)));
        }
        run::<F>(&event_loop, main).unwrap();
        assert_eq!(event_loop.pending_timers(), 0);
        trace.take()
    };
    // The second one, at 10, is followed by 25 seconds of work.
    let begin = ["0 at 0", "10 at 10", "20 at 35"];
    let expect = |missed, then: [&str; 2]| assert_eq!(ticks(missed), [&begin[..], &then].concat());
    expect(MissedTicks::Skip, ["40 at 40", "50 at 50"]);
    expect(MissedTicks::Delay, ["45 at 45", "55 at 55"]);
    expect(MissedTicks::Burst, ["30 at 35", "40 at 40"]);
}
