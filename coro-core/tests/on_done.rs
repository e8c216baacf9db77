//! Results that are handed to a callback.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::task::Canceller;

type Log = Rc<RefCell<Vec<String>>>;

fn note<T: std::fmt::Debug>(log: &Log, what: &'static str) -> impl FnOnce(Result<T, TaskError>) + 'static {
    let log = Rc::clone(log);
    move |result| log.borrow_mut().push(format!("{what}: {result:?}"))
}

#[test]
fn a_callback_gets_the_result_in_the_turn_after_the_end_and_never_inline() {
    let log = Log::default();
    let own = Rc::clone(&log);
    Loop::simulated()
        .run(async move {
            let inline = Rc::clone(&own);
            let _value = spawn(async move {
                inline.borrow_mut().push("ends".to_string());
                7
            })
            .on_done(note(&own, "value"));
            yield_now().await;
            own.borrow_mut().push("turn".to_string());
            yield_now().await;
            own.borrow_mut().push("next turn".to_string());
        })
        .unwrap();
    assert_eq!(log.take(), ["ends", "turn", "value: Ok(7)", "next turn"]);
}

#[test]
fn of_a_task_that_has_ended_it_is_called_at_the_next_turn() {
    let log = Log::default();
    let own = Rc::clone(&log);
    Loop::simulated()
        .run(async move {
            let task = spawn(async { 7 });
            yield_now().await;
            assert!(task.is_done());
            let canceller = task.on_done(note(&own, "late"));
            assert!(canceller.is_done());
            assert!(own.borrow().is_empty());
            yield_now().await;
        })
        .unwrap();
    assert_eq!(log.take(), ["late: Ok(7)"]);
}

#[test]
fn a_failure_is_a_result_and_is_reported_nowhere_else() {
    let log = Log::default();
    let own = Rc::clone(&log);
    let event_loop = Loop::simulated();
    let reports = Rc::new(Cell::new(0));
    let counted = Rc::clone(&reports);
    event_loop.set_exception_handler(Some(Rc::new(move |_| counted.set(counted.get() + 1))));
    event_loop
        .run(async move {
            let _panics = spawn(async { panic!("planted") }).on_done(note::<()>(&own, "panics"));
            let cancelled: Canceller = spawn(std::future::pending::<()>()).on_done(note(&own, "cancelled"));
            assert!(cancelled.cancel());
            yield_now().await;
            yield_now().await;
            assert!(!cancelled.cancel());
        })
        .unwrap();
    let log = log.take();
    assert_eq!(log[0], r#"panics: Err(Panicked(Panic("planted")))"#);
    assert!(log[1].starts_with("cancelled: Err(Cancelled"), "{log:?}");
    assert_eq!((log.len(), reports.get()), (2, 0));
}

#[test]
fn a_callback_whose_loop_is_closed_is_dropped_uncalled() {
    let captured = Rc::new(());
    let own = Rc::clone(&captured);
    let event_loop = Loop::simulated();
    event_loop.spawn(std::future::pending::<()>()).on_done(move |_| {
        let _own = own;
        unreachable!("its loop is closed");
    });
    event_loop.close().unwrap();
    assert_eq!(Rc::strong_count(&captured), 1);
}

#[test]
fn a_canceller_outlives_the_task_and_its_loop() {
    let event_loop = Loop::simulated();
    let canceller = event_loop.spawn(async {}).canceller();
    assert_eq!(canceller.id(), canceller.info().id);
    event_loop.run(async {}).unwrap();
    drop(event_loop);
    assert!(canceller.is_done());
    assert!(!canceller.cancel());
}

#[test]
fn a_library_can_tell_the_exception_handler() {
    let log = Log::default();
    let own = Rc::clone(&log);
    let event_loop = Loop::simulated();
    event_loop
        .set_exception_handler(Some(Rc::new(move |exception| own.borrow_mut().push(exception.to_string()))));
    event_loop
        .run(async {
            Loop::call_exception_handler(coro_core::event_loop::Exception::NeverRead(TaskError::LoopClosed));
        })
        .unwrap();
    assert_eq!(
        log.take(),
        ["a result was an error that was never retrieved: the event loop was closed before the task ended"]
    );
    // Outside a loop it is printed.
    Loop::call_exception_handler(coro_core::event_loop::Exception::Unsent(0));
}
