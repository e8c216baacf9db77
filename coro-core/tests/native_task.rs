//! Plain futures as tasks: what only the native flavour does.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use coro_core::conformance::Trace;
use coro_core::event_loop::Exception;
use coro_core::native::{Native, spawn};
use coro_core::prelude::*;
use coro_core::time;

#[test]
fn a_cancellation_drops_the_future_where_it_waits() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let (outer, inner) = (trace.on_drop("outer"), trace.on_drop("inner"));
    let after = trace.clone();
    let task = event_loop.spawn(async move {
        let _outer = outer;
        async {
            let _inner = inner;
            sleep(Duration::from_secs(60)).await;
        }
        .await;
        after.log("after");
    });
    event_loop.call_later(Duration::from_secs(1), move || {
        task.cancel();
        task.detach();
    });
    event_loop.run(sleep(Duration::from_secs(2))).unwrap();
    trace.expect(&["inner", "outer"]);
}

#[test]
fn a_throw_at_a_plain_await_ends_a_typed_body_and_one_at_a_wait_lands() {
    let mut plain = Native::<(), (), u32, &str>::new(async |_| {
        std::future::pending::<()>().await;
        Ok(1)
    });
    assert_eq!(plain.start(), Err(Misuse::WouldPark));
    assert_eq!(plain.throw("stop"), Ok(Outcome::Raised(Thrown::Error("stop"))));
    let mut landing =
        Native::<(), (), u32, &str>::new(async |co| match co.wait(std::future::pending::<()>()).await {
            Err(Thrown::Error("stop")) => Ok(2),
            _ => Ok(3),
        });
    assert_eq!(landing.start(), Err(Misuse::WouldPark));
    assert_eq!(landing.throw("stop"), Ok(Outcome::Returned(2)));
}

#[test]
fn a_destructor_that_panics_gives_its_panic_to_the_result() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("planted in a destructor");
        }
    }
    let event_loop = Loop::simulated();
    let task = event_loop.spawn(async {
        let _bomb = Bomb;
        std::future::pending::<()>().await;
    });
    event_loop.stop();
    event_loop.run_forever().unwrap();
    task.cancel();
    let error = event_loop.run_until_complete(task).unwrap_err();
    assert_eq!(error.to_string(), "the task panicked: planted in a destructor");
    assert_eq!(event_loop.run(async { 1 }).unwrap(), 1);
}

#[test]
fn a_loop_dropped_with_pending_tasks_releases_and_reports_them() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let reported: Rc<RefCell<Vec<String>>> = Rc::default();
    let reports = Rc::clone(&reported);
    event_loop.set_exception_handler(Some(Rc::new(move |exception: &Exception| {
        reports.borrow_mut().push(exception.to_string());
    })));
    let held = trace.on_drop("released");
    let task = event_loop.spawn(async move {
        let _held = held;
        sleep(Duration::from_secs(1)).await;
    });
    event_loop.stop();
    event_loop.run_forever().unwrap();
    let mut task = task.named("left");
    drop(event_loop);
    trace.expect(&["released"]);
    assert!(matches!(task.try_result(), Some(Err(TaskError::LoopClosed))));
    assert_eq!(reported.borrow().len(), 1);
    assert!(reported.borrow()[0].starts_with("Task was destroyed but it is pending!\n  <Task"));
}

fn panic_message(function: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(function)).expect_err("it panics");
    payload.downcast_ref::<String>().cloned().expect("a message")
}

#[test]
fn what_needs_a_loop_says_so_outside_of_one() {
    let advice = "was used outside a running event loop: run the program with Loop::run(), native::run() or a \
                  sibling of it";
    assert_eq!(panic_message(|| spawn(async {}).detach()), format!("native::spawn() {advice}"));
    assert_eq!(panic_message(|| assert_eq!(time::now(), time::now())), format!("time::now() {advice}"));
    let slept = panic_message(|| futures::executor::block_on(sleep(Duration::from_secs(1))));
    assert!(slept.ends_with(&format!("sleep() {advice}")), "{slept}");
    assert!(slept.starts_with("coro-core/tests/native_task.rs:"), "{slept}");
    let bound = coro_core::net::TcpListener::bind("127.0.0.1:0".parse().unwrap());
    assert!(bound.unwrap_err().to_string().contains(advice));
}

#[test]
fn a_sleep_in_a_resume_without_a_loop_would_park() {
    let mut test = Native::<(), (), (), ()>::new(async |co| co.wait(sleep(Duration::from_secs(1))).await);
    assert_eq!(test.start(), Err(Misuse::WouldPark));
}

#[test]
fn a_future_that_never_waits_ends_in_its_first_step() {
    assert_eq!(Loop::simulated().run(async { 5 }).unwrap(), 5);
}

#[test]
fn the_driver_of_a_loop_has_a_name_and_the_loop_shows_it() {
    let event_loop = Loop::simulated();
    assert_eq!(event_loop.driver_name(), "simulated");
    let shown = format!("{event_loop:?}");
    assert!(shown.starts_with("Loop { driver: \"simulated\", running: false, closed: false"), "{shown}");
}
