//! Results that are shared, links, and fibers that begin later.

#![allow(clippy::unit_arg, reason = "bodies that only note something")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use coro_core::event_loop::Exception;
use coro_core::prelude::*;
use coro_core::time;
use coro_fiber::{AlreadySet, AsyncResult, GetError, Greenlet, TaskCo, TimedOut, wait};

const SECOND: Duration = Duration::from_secs(1);

type Log = Rc<RefCell<Vec<String>>>;

/// Runs `body`, and gives what it logged, and what was reported.
fn run(body: impl FnOnce(&mut TaskCo<'_>, &Log) -> TaskResult<()> + 'static) -> (Vec<String>, Vec<String>) {
    let (log, reports) = (Log::default(), Log::default());
    let (own, reported) = (Rc::clone(&log), Rc::clone(&reports));
    let event_loop = Loop::simulated();
    event_loop.set_exception_handler(Some(Rc::new(move |exception| {
        reported.borrow_mut().push(match exception {
            Exception::NeverRetrieved(task, error) => format!("{}: {error}", task.name),
            other => other.to_string(),
        });
    })));
    event_loop.run(coro_fiber::task(move |co| body(co, &own))).unwrap();
    (log.take(), reports.take())
}

fn note(log: &Log, what: impl std::fmt::Display) {
    log.borrow_mut().push(what.to_string());
}

#[test]
fn a_result_is_for_all_who_wait_and_for_those_who_come_later() {
    let (log, reports) = run(|co, log| {
        let greenlet = Greenlet::spawn(|co| {
            co.wait(sleep(SECOND))?;
            Ok("value".to_string())
        });
        let early: Vec<_> = (0..2)
            .map(|index| {
                let (greenlet, log) = (greenlet.clone(), Rc::clone(log));
                coro_fiber::spawn(move |_| Ok(note(&log, format!("{index}: {}", wait(greenlet.get())??))))
            })
            .collect();
        assert!(!greenlet.ready() && greenlet.result().is_none() && !greenlet.info().done);
        for waiter in early {
            co.wait(waiter)??;
        }
        assert!(greenlet.ready() && greenlet.successful() && greenlet.info().done);
        assert_eq!((greenlet.value().unwrap().as_str(), greenlet.exception().is_none()), ("value", true));
        note(log, co.wait(greenlet.get())??);
        // A native task, too.
        let native = Loop::current().unwrap().spawn(async move { greenlet.get().await.unwrap() });
        Ok(note(log, co.wait(native)??))
    });
    assert_eq!(
        (log, reports),
        (vec!["0: value".into(), "1: value".into(), "value".into(), "value".into()], vec![])
    );
}

#[test]
fn an_error_is_shared_and_whoever_has_it_last_has_it_whole() {
    let (_, reports) = run(|co, _| {
        let greenlet = Greenlet::<u8>::spawn(|_| panic!("planted"));
        let first = co.wait(greenlet.get())?.unwrap_err();
        let second = co.wait(greenlet.get())?.unwrap_err();
        assert!(matches!(first.get_ref(), TaskError::Panicked(_)));
        assert_eq!(first.to_string(), second.to_string());
        // Not the last one: it is in another error, and is not lost.
        let TaskError::Other(shared) = TaskError::from(first) else { unreachable!() };
        assert_eq!(shared.to_string(), "the task panicked: planted");
        drop((shared, greenlet));
        let TaskError::Panicked(panic) = TaskError::from(second) else { unreachable!() };
        assert_eq!(panic.message(), "planted");
        // A cancellation stays one.
        let greenlet = Greenlet::spawn(|co| co.wait(std::future::pending::<()>()));
        greenlet.cancel();
        let cancelled = co.wait(greenlet.get())?.unwrap_err();
        assert!(TaskError::from(cancelled).is_cancelled());
        Ok(())
    });
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn an_error_that_nobody_has_looked_at_is_reported_once_and_others_are_not() {
    let (_, reports) = run(|co, _| {
        let fails = || Greenlet::<()>::spawn(|_| Err(TaskError::other("planted").into()));
        let (unread, dropped_early, read) = (fails(), fails(), fails());
        drop(dropped_early);
        co.wait(sleep(SECOND))?;
        assert!(!read.successful());
        assert!(read.exception().is_some());
        assert!(unread.value().is_none());
        let set = AsyncResult::<u8>::new();
        set.set_error(TaskError::other("set by hand")).unwrap();
        let cancelled = Greenlet::spawn(|co| co.wait(std::future::pending::<()>()));
        co.wait(cancelled.kill())?;
        drop((unread, read, cancelled));
        drop(set);
        Ok(())
    });
    assert_eq!(
        reports,
        ["Task-3: planted", "Task-2: planted", "a result was an error that was never retrieved: set by hand"]
    );
}

#[test]
fn an_async_result_is_set_once_and_hands_the_rest_back() {
    let (log, _) = run(|co, log| {
        let result = AsyncResult::new();
        let waits = |what: &'static str| {
            let (result, log) = (result.clone(), Rc::clone(log));
            coro_fiber::spawn(move |co| Ok(note(&log, format!("{what}: {}", co.wait(result.get())??))))
        };
        let waiters = [waits("a"), waits("b")];
        co.wait(yield_now())?;
        result.set("first".to_string()).unwrap();
        assert_eq!(result.set("second".to_string()), Err(AlreadySet("second".to_string())));
        let AlreadySet(error) = result.set_error(TaskError::LoopClosed).unwrap_err();
        assert!(matches!(error, TaskError::LoopClosed));
        for waiter in waiters {
            co.wait(waiter)??;
        }
        Ok(())
    });
    assert_eq!(log, ["a: first", "b: first"]);
}

#[test]
fn a_get_with_a_timeout_takes_what_comes_in_time_and_leaves_what_does_not() {
    run(|co, _| {
        let greenlet = Greenlet::spawn(|co| {
            co.wait(sleep(2 * SECOND))?;
            Ok(7)
        });
        let begun = time::now();
        assert!(matches!(co.wait(greenlet.get_timeout(SECOND))?, Err(GetError::TimedOut(TimedOut))));
        assert_eq!(time::now() - begun, SECOND);
        assert_eq!(co.wait(greenlet.wait_timeout(SECOND / 2))?, Err(TimedOut));
        assert_eq!(co.wait(greenlet.wait_timeout(SECOND))?, Ok(()));
        assert_eq!(co.wait(greenlet.get_timeout(Duration::ZERO))?.unwrap(), 7);
        assert_eq!(time::now() - begun, 2 * SECOND);
        let fails = AsyncResult::<u8>::new();
        fails.set_error(TaskError::other("planted")).unwrap();
        let got = co.wait(fails.get_timeout(SECOND))?;
        assert_eq!(got.unwrap_err().to_string(), "planted");
        Ok(())
    });
}

#[test]
fn links_are_called_in_their_order_by_the_loop_and_only_for_what_they_are_for() {
    let (log, reports) = run(|co, log| {
        let linked = |what: &'static str, result: &AsyncResult<u8>| {
            let notes = || (Rc::clone(log), what);
            let (own, of) = notes();
            result.link(move |result| note(&own, format!("{of} any {result:?}")));
            let (own, of) = notes();
            result.link_value(move |value| note(&own, format!("{of} value {value}")));
            let (own, of) = notes();
            result.link_exception(move |error| note(&own, format!("{of} error {error}")));
        };
        let (value, error) = (AsyncResult::new(), AsyncResult::new());
        linked("v", &value);
        linked("e", &error);
        value.set(1).unwrap();
        error.set_error(TaskError::other("planted")).unwrap();
        note(log, "set");
        co.wait(yield_now())?;
        // There already: at the next turn.
        linked("late", &value);
        note(log, "linked late");
        co.wait(yield_now())
    });
    assert_eq!(
        log,
        [
            "set",
            "v any Ok(1)",
            "v value 1",
            "e any Err(Other(\"planted\"))",
            "e error planted",
            "linked late",
            "late any Ok(1)",
            "late value 1"
        ]
    );
    // A link has seen the error.
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn an_unlinked_callback_is_dropped_at_once_and_never_called() {
    let (log, reports) = run(|co, log| {
        let result = AsyncResult::<u8>::new();
        let captured = Rc::new(());
        let link = |what: &'static str| {
            let (log, captured) = (Rc::clone(log), Rc::clone(&captured));
            result.link(move |_| {
                let _captured = captured;
                note(&log, what);
            })
        };
        let (before, kept, after) = (link("before"), link("kept"), link("after"));
        before.unlink();
        assert_eq!(Rc::strong_count(&captured), 3);
        result.set_error(TaskError::other("planted")).unwrap();
        // It waits for its turn.
        after.unlink();
        assert_eq!(Rc::strong_count(&captured), 2);
        co.wait(yield_now())?;
        assert_eq!(Rc::strong_count(&captured), 1);
        kept.unlink();
        Ok(())
    });
    assert_eq!((log, reports), (vec!["kept".to_string()], vec![]));
}

#[test]
fn a_link_that_panics_is_reported_and_the_others_are_called() {
    let (log, reports) = run(|co, log| {
        let greenlet = Greenlet::spawn(|_| Ok(1));
        greenlet.link(|_| panic!("planted"));
        let own = Rc::clone(log);
        greenlet.link_value(move |value| note(&own, value));
        co.wait(greenlet.wait())?;
        co.wait(yield_now())
    });
    assert_eq!((log, reports), (vec!["1".to_string()], vec!["a callback panicked: planted".to_string()]));
}

#[test]
fn a_kill_waits_for_the_cleanup_and_a_cancel_does_not() {
    let (log, _) = run(|co, log| {
        let cleans_up = |what: &'static str| {
            let log = Rc::clone(log);
            Greenlet::spawn(move |co| {
                let waited = co.wait(std::future::pending::<()>());
                co.wait(sleep(SECOND))?;
                note(&log, format!("{what} cleaned up"));
                waited
            })
        };
        let (killed, cancelled) = (cleans_up("killed"), cleans_up("cancelled"));
        co.wait(yield_now())?;
        co.wait(killed.kill())?;
        note(log, "killed");
        assert!(killed.exception().unwrap().is_cancelled());
        assert!(!killed.cancel());
        cancelled.cancel();
        note(log, "cancel asked");
        co.wait(cancelled.wait())
    });
    assert_eq!(log, ["killed cleaned up", "killed", "cancel asked", "cancelled cleaned up"]);
}

#[test]
fn a_fiber_that_is_killed_before_it_begins_never_runs() {
    let (log, _) = run(|co, log| {
        let own = Rc::clone(log);
        let greenlet = Greenlet::spawn(move |_| Ok(note(&own, "ran")));
        co.wait(greenlet.kill())?;
        let own = Rc::clone(log);
        let later = coro_fiber::spawn_later(SECOND, move |_| Ok(note(&own, "ran later")));
        co.wait(yield_now())?;
        assert!(later.cancel());
        assert!(co.wait(later)?.unwrap_err().is_cancelled());
        co.wait(sleep(2 * SECOND))
    });
    assert!(log.is_empty(), "{log:?}");
}

#[test]
fn a_fiber_that_begins_later_begins_then() {
    run(|co, _| {
        let begun = time::now();
        let later = Greenlet::spawn_later(3 * SECOND, move |_| Ok(time::now() - begun));
        assert_eq!(co.wait(later.get())??, 3 * SECOND);
        Ok(())
    });
}

#[test]
fn the_loop_that_is_closed_first_is_the_result_and_calls_no_link() {
    let event_loop = Loop::simulated();
    let kept: Rc<RefCell<Option<Greenlet<()>>>> = Rc::default();
    let keeps = Rc::clone(&kept);
    event_loop
        .spawn(coro_fiber::task(move |_| {
            let greenlet = Greenlet::spawn(|co| co.wait(std::future::pending::<()>()));
            greenlet.link(|_| unreachable!("its loop is closed"));
            *keeps.borrow_mut() = Some(greenlet);
            Loop::current().unwrap().stop();
            Ok(())
        }))
        .detach();
    event_loop.run_forever().unwrap();
    event_loop.close().unwrap();
    let greenlet = kept.take().unwrap();
    assert!(matches!(greenlet.exception().unwrap().get_ref(), TaskError::LoopClosed));
}

#[test]
fn a_task_of_any_flavour_can_be_one() {
    run(|co, _| {
        let native = Greenlet::start(async { 1 });
        assert_eq!(native.info().spawned_at.line(), line!() - 1);
        assert_eq!(co.wait(native.get())??, 1);
        Ok(())
    });
}
