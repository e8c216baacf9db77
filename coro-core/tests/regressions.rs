//! Bugs that were, each with the program that showed it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use coro_core::conformance::{Trace, reports};
use coro_core::coroutine::{CloseError, MisuseKind};
use coro_core::native::{Native, spawn};
use coro_core::prelude::*;
use futures::{StreamExt, join};

const SECOND: Duration = Duration::from_secs(1);

/// Panics when it is dropped, unless a panic is on its way.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the bomb went off");
    }
}

/// A loop whose exceptions are collected.
fn reporting() -> (Loop, Trace) {
    let event_loop = Loop::simulated();
    let reported = reports(&event_loop);
    (event_loop, reported)
}

#[test]
fn a_result_whose_destructor_panics_does_not_stop_the_loop() {
    let (event_loop, reported) = reporting();
    event_loop.spawn(async { Bomb }).detach();
    let main = async {
        sleep(SECOND).await;
        5
    };
    assert_eq!(event_loop.run(main).unwrap(), 5);
    reported.expect(&["Task-1 destructor: the bomb went off"]);
}

#[test]
fn a_value_that_a_cancellation_outran_may_panic_when_it_is_dropped() {
    let event_loop = Loop::simulated();
    let slot: Rc<RefCell<Option<JoinHandle<Bomb>>>> = Rc::default();
    let mine = Rc::clone(&slot);
    let task = event_loop.spawn(async move {
        mine.borrow().as_ref().unwrap().cancel();
        Bomb
    });
    slot.replace(Some(task));
    event_loop.run_until_complete(event_loop.spawn(yield_now())).unwrap();
    assert!(event_loop.current_task().is_none());
    assert!(event_loop.all_tasks().is_empty());
    let error = event_loop.run_until_complete(slot.take().unwrap()).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "the task panicked: the bomb went off");
}

#[test]
fn a_callback_whose_destructor_panics_does_not_escape_close() {
    let (event_loop, reported) = reporting();
    let (soon, later) = (Bomb, Bomb);
    event_loop.call_soon(move || drop(soon));
    event_loop.call_later(SECOND, move || drop(later));
    event_loop.close().unwrap();
    reported.expect(&["callback: the bomb went off"; 2]);
}

#[test]
fn two_tasks_may_wait_for_the_results_of_one_as_completed() {
    let sum = Loop::simulated().run(async {
        let tasks = [1, 2].map(|number| {
            spawn(async move {
                sleep(number * SECOND).await;
                number
            })
        });
        let mut results = as_completed(tasks);
        let waiting = [results.next().unwrap(), results.next().unwrap()].map(spawn);
        let mut sum = 0;
        for waiter in waiting {
            sum += waiter.await.unwrap().unwrap();
        }
        sum
    });
    assert_eq!(sum.unwrap(), 3);
}

#[test]
fn a_result_is_taken_once_and_later_waits_say_so() {
    let event_loop = Loop::simulated();
    let mut task = event_loop.spawn(async { 1 });
    assert_eq!(event_loop.run_until_complete(&mut task).unwrap(), 1);
    let advice = "the result of the task has been taken already: await its handle once";
    assert_eq!(event_loop.run_until_complete(&mut task).unwrap_err().to_string(), advice);
    let gathered = event_loop.spawn(gather([task, event_loop.spawn(async { 2 })]));
    assert_eq!(event_loop.run_until_complete(gathered).unwrap().unwrap_err().to_string(), advice);
    let mut task = event_loop.spawn(async { 1 });
    event_loop.run_until_complete(&mut task).unwrap();
    let completed = as_completed([task, event_loop.spawn(async { 2 })]).into_stream();
    let results = event_loop.run_until_complete(event_loop.spawn(completed.collect::<Vec<_>>())).unwrap();
    let texts: Vec<_> = results.iter().map(|result| format!("{result:?}")).collect();
    assert_eq!(texts, ["Err(AlreadyTaken)", "Ok(2)"]);
}

#[test]
fn a_group_that_holds_its_own_task_or_a_foreign_one_is_an_error() {
    let (event_loop, other) = (Loop::simulated(), Loop::simulated());
    let slot: Rc<RefCell<Option<JoinHandle<String>>>> = Rc::default();
    let mine = Rc::clone(&slot);
    let task = event_loop.spawn(async move {
        yield_now().await;
        gather([mine.take().unwrap()]).await.unwrap_err().to_string()
    });
    slot.replace(Some(task));
    event_loop.run_until_complete(event_loop.spawn(sleep(SECOND))).unwrap();
    assert!(event_loop.all_tasks().is_empty());
    let foreign = other.spawn(async { 1 });
    let gathered = event_loop.spawn(gather([foreign]));
    assert!(matches!(event_loop.run_until_complete(gathered).unwrap(), Err(TaskError::ForeignLoop)));
    let mut results = as_completed([other.spawn(async { 1 })]);
    let next = event_loop.spawn(results.next().unwrap());
    assert!(matches!(event_loop.run_until_complete(next).unwrap(), Err(TaskError::ForeignLoop)));
    let foreign = event_loop.run_until_complete(other.spawn(async { 1 }));
    assert!(matches!(foreign, Err(RunError::Task(TaskError::ForeignLoop))));
}

#[test]
fn an_unread_error_is_reported_to_the_loop_of_its_task() {
    let ((event_loop, reported), (other, reported_there)) = (reporting(), reporting());
    let [outside, inside] = [(), ()].map(|()| event_loop.spawn(async { panic!("planted") }));
    event_loop.run_until_complete(event_loop.spawn(yield_now())).unwrap();
    drop(outside);
    other.run(async { drop(inside) }).unwrap();
    reported.expect(&[
        "Task-1 never retrieved: the task panicked: planted",
        "Task-2 never retrieved: the task panicked: planted",
    ]);
    reported_there.expect(&[]);
}

#[test]
fn a_wait_that_was_dropped_receives_no_throw() {
    let body = async |co: &mut coro_core::native::Co<'_, (), Infallible, TaskError>| {
        {
            let abandoned = pin!(co.wait(pending::<()>()));
            futures::future::select(abandoned, pin!(std::future::ready(()))).await;
        }
        sleep(60 * SECOND).await;
        Ok("slept on")
    };
    let event_loop = Loop::simulated();
    let task = event_loop.spawn(Native::new(body));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert!(task.cancel());
    assert!(matches!(event_loop.run_until_complete(task), Err(RunError::Task(TaskError::Cancelled(_)))));
}

#[test]
fn a_run_ends_though_a_cleanup_spawns_a_task_that_does_not() {
    struct Spawns;
    impl Drop for Spawns {
        fn drop(&mut self) {
            spawn(pending::<()>()).detach();
        }
    }
    let (event_loop, reported) = reporting();
    let left = async {
        let _spawns = Spawns;
        pending::<()>().await;
    };
    event_loop.spawn(left).detach();
    event_loop.run(yield_now()).unwrap();
    reported.expect(&["Task-3 destroyed"]);
}

#[test]
fn the_result_of_main_stands_though_what_it_left_cannot_be_ended() {
    let (event_loop, reported) = reporting();
    let stubborn = Native::<(), Infallible, (), TaskError>::new(async |co| {
        loop {
            // Swallows every cancellation.
            let _ = co.wait(pending::<()>()).await;
        }
    });
    event_loop.spawn(stubborn).named("stubborn").detach();
    let main = async {
        yield_now().await;
        42
    };
    assert_eq!(event_loop.run(main).unwrap(), 42);
    reported.expect(&["drain: stalled: nothing can wake the 1 task(s) that wait", "stubborn destroyed"]);
}

#[test]
fn a_closed_loop_lets_go_of_new_callbacks_at_once() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    event_loop.close().unwrap();
    let (soon, later, kept) = (trace.on_drop("soon"), trace.on_drop("later"), event_loop.clone());
    event_loop.call_soon(move || drop((soon, kept)));
    event_loop.call_later(SECOND, move || drop(later)).cancel();
    trace.expect(&["soon", "later"]);
}

#[test]
fn tasks_are_closed_in_the_reverse_order_of_spawning() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    for name in ["first", "second", "third"] {
        let held = trace.on_drop(name);
        event_loop.spawn(async move { drop(held) }).detach();
    }
    event_loop.set_exception_handler(Some(Rc::new(|_| ())));
    event_loop.close().unwrap();
    trace.expect(&["third", "second", "first"]);
}

/// Yields what it was sent.
fn echo() -> Native<u32, u32, u32, ()> {
    Native::new(async |co| {
        let mut value = 0;
        loop {
            value = co.yield_(value).await?;
        }
    })
}

#[test]
fn the_requests_to_a_driven_coroutine_keep_their_order() {
    let event_loop = Loop::simulated();
    let (driven, silent) = (event_loop.drive(echo()), event_loop.drive(count()));
    event_loop
        .run(async move {
            driven.start().await.unwrap();
            let (closing, late) = (driven.close(), driven.send(1));
            assert_eq!(join!(closing, late), (Ok(None), Err(Misuse::Finished(Some(1)))));
            // A send that is refused leaves a new coroutine, which the next then starts.
            let (refused, next) = (silent.send(()), silent.next());
            assert_eq!(join!(refused, next), (Err(Misuse::NotStarted(())), Ok(Outcome::Yielded(0))));
        })
        .unwrap();
}

fn count() -> Native<(), u32, (), ()> {
    Native::new(async |co| {
        for number in 0.. {
            co.yield_(number).await?;
        }
        Ok(())
    })
}

#[test]
fn an_async_generator_goes_on_with_a_resume_that_was_in_progress() {
    let waits = || {
        Native::<(), u32, (), ()>::new(async |co| {
            co.wait(sleep(SECOND)).await?;
            co.yield_(7).await?;
            co.wait(sleep(SECOND)).await?;
            co.yield_(8).await?;
            Ok(())
        })
    };
    Loop::simulated()
        .run(async move {
            // Parked before it got this face.
            let mut parked = waits();
            assert_eq!(parked.start(), Err(Misuse::WouldPark));
            assert_eq!(AsyncGenerator::new(parked).next().await, Ok(Some(7)));
            // Begun, and dropped in the middle.
            let mut generator = AsyncGenerator::new(waits());
            assert_eq!(generator.next().await, Ok(Some(7)));
            {
                let mut next = pin!(generator.next());
                assert!(poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx).is_pending())).await);
            }
            assert_eq!(generator.next().await, Ok(Some(8)));
            assert_eq!(generator.next().await, Ok(None));
        })
        .unwrap();
}

#[test]
fn a_cancellation_from_outside_a_run_keeps_its_place_in_the_queue() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let held = trace.on_drop("cancelled");
    let task = event_loop.spawn(async move {
        let _held = held;
        pending::<()>().await;
    });
    event_loop.run_until_complete(event_loop.spawn(yield_now())).unwrap();
    task.cancel();
    let log = trace.clone();
    event_loop.call_soon(move || log.log("callback"));
    event_loop.run_until_complete(event_loop.spawn(yield_now())).unwrap();
    trace.expect(&["cancelled", "callback"]);
}

#[test]
fn a_sleep_of_a_loop_that_was_closed_is_not_over() {
    let (event_loop, other) = (Loop::simulated(), Loop::simulated());
    let mut asleep = Box::pin(sleep(SECOND));
    let begun = event_loop.spawn(async move {
        assert!(poll_fn(|cx| Poll::Ready(asleep.as_mut().poll(cx).is_pending())).await);
        (asleep,)
    });
    let (asleep,) = event_loop.run_until_complete(begun).unwrap();
    event_loop.close().unwrap();
    let waits = other.spawn(asleep);
    assert!(matches!(other.run_until_complete(waits), Err(RunError::Stalled(_))));
}

#[test]
fn a_close_that_waits_for_its_answer_is_not_lost_to_a_delegation() {
    let mut sub = Native::<Option<i64>, i64, &str, ()>::new(async |co| {
        let Err(Thrown::Exit) = co.yield_(1).await else { return Ok("sent") };
        co.wait(yield_now()).await?;
        co.yield_(2).await?;
        Ok("went on")
    });
    assert_eq!(sub.start(), Ok(Outcome::Yielded(1)));
    assert_eq!(sub.close(), Err(CloseError::Misuse(Misuse::WouldPark)));
    let mut delegator = Native::new(async |co| co.yield_from(sub).await);
    assert_eq!(delegator.start(), Ok(Outcome::Raised(Thrown::Misuse(MisuseKind::Running))));
}

#[test]
fn a_chain_that_nobody_came_to_run_is_dropped_from_the_top() {
    let trace = Trace::new();
    let [bottom, top] = ["bottom", "top"].map(|name| trace.on_drop(name));
    let mut test = Native::<u32, u32, u32, ()>::new(async move |co| {
        let mut sub = Native::new(async move |co| {
            let _bottom = bottom;
            let above = Native::new(async move |co| {
                let _top = top;
                co.yield_(1).await
            });
            co.yield_from(above).await
        });
        assert_eq!(sub.start(), Ok(Outcome::Yielded(1)));
        let mut delegation = pin!(co.yield_from_started(sub, 2));
        assert!(poll_fn(|cx| Poll::Ready(delegation.as_mut().poll(cx).is_pending())).await);
        Ok(3)
    });
    assert_eq!(test.start(), Ok(Outcome::Returned(3)));
    trace.expect(&["top", "bottom"]);
}
