//! What tasks and futures show of themselves, and the small faces of coroutines.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro_core::native::{Native, catch, spawn};
use coro_core::scope::timeout;
use coro_core::task::{self, from_coroutine};
use coro_core::time::{sleep, yield_now};
use coro_core::{EventLoop, Loop, TaskError};
use futures::task::LocalSpawnExt;

async fn task_func() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "the result"
}

async fn panics<T>(message: &str) -> T {
    panic!("{message}")
}

type Unit = Native<(), Infallible, u32, TaskError>;

#[test]
fn a_task_is_shown_as_cpython_shows_one_with_the_real_line() {
    Loop::simulated()
        .run(async {
            let (mut task, line) = (spawn(task_func()), line!());
            let coro = |stands| format!("coro=<task_func() {stands} at {}:{line}>", file!());
            assert_eq!(format!("{task:?}"), format!("<Task pending name='Task-2' {}>", coro("running")));
            let alternate = format!(
                "<Task pending name='Task-2' native {} created at {}:{line}>",
                coro("running"),
                file!()
            );
            assert_eq!(format!("{task:#?}"), alternate);
            let value = (&mut task).await.unwrap();
            let finished = format!("<Task finished name='Task-2' {}", coro("done, defined"));
            assert_eq!(format!("{task:?}"), format!("{finished}>"));
            let shown = task.info().with_result(format_args!("'{value}'")).to_string();
            assert_eq!(shown, format!("{finished} result='the result'>"));
        })
        .unwrap();
}

#[test]
fn a_cancelled_task_shows_that_also_when_its_result_was_taken() {
    Loop::simulated()
        .run(async {
            let mut task = spawn(task_func()).named("victim");
            yield_now().await;
            task.cancel();
            assert!(format!("{task:?}").starts_with("<Task cancelling name='victim' "), "{task:?}");
            assert!((&mut task).await.unwrap_err().is_cancelled());
            assert!(format!("{task:?}").starts_with("<Task cancelled name='victim' "), "{task:?}");
            let info = task.info();
            assert!(info.done && info.cancelled && info.failed && task.is_cancelled());
            let failed: coro_core::JoinHandle<()> = spawn(panics("on purpose"));
            yield_now().await;
            assert_eq!((failed.info().failed, failed.info().cancelled), (true, false));
            failed.await.unwrap_err();
        })
        .unwrap();
}

#[test]
fn a_coroutine_shows_where_it_was_made_and_keeps_that_to_its_end() {
    fn body() -> (Unit, u32) {
        (Unit::new(async |co| co.wait(yield_now()).await.map(|()| 7)), line!())
    }

    Loop::simulated()
        .run(async {
            let (coroutine, line) = body();
            let mut task = Loop::current().unwrap().spawn(from_coroutine(coroutine));
            let coro = |stands| format!("coro=<body() {stands} at {}:{line}>", file!());
            assert_eq!(format!("{task:?}"), format!("<Task pending name='Task-2' {}>", coro("running")));
            (&mut task).await.unwrap();
            assert_eq!(
                format!("{task:?}"),
                format!("<Task finished name='Task-2' {}>", coro("done, defined"))
            );
        })
        .unwrap();
}

#[test]
fn a_future_shows_its_state() {
    let event_loop = Loop::simulated();
    let [value, error, cancelled] = [(); 3].map(|()| event_loop.create_future::<u32>());
    assert_eq!(format!("{value:?}"), "<Future pending>");
    value.set_result(1).unwrap();
    error.set_error(TaskError::other("wrong")).unwrap();
    cancelled.cancel();
    let shown = [&value, &error, &cancelled].map(|future| format!("{:?}", future.erased()));
    assert_eq!(
        shown,
        ["<Future finished>", "<Future finished exception=Other(\"wrong\")>", "<Future cancelled>"]
    );
    error.result().unwrap_err();
}

#[test]
fn an_error_is_shared_by_those_who_wait_and_its_panic_is_not_lost() {
    let event_loop = Loop::simulated();
    let future = event_loop.create_future::<u32>();
    let failing = future.clone();
    let shown = event_loop
        .run(async move {
            let waits = [spawn(future.clone()), spawn(future.clone())];
            let failed: coro_core::JoinHandle<u32> = spawn(panics("the cause"));
            failing.set_error(failed.await.unwrap_err()).unwrap();
            let mut shown = Vec::new();
            for wait in waits {
                shown.push(wait.await.unwrap().unwrap_err().to_string());
            }
            shown
        })
        .unwrap();
    assert_eq!(shown, ["the task panicked: the cause"; 2]);
}

#[test]
fn an_awaited_coroutine_is_a_part_of_its_task() {
    Loop::simulated()
        .run(async {
            let id = || task::current().unwrap().id();
            let outer = id();
            let inner = Unit::new(async move |co| {
                assert_eq!(task::current().unwrap().id(), outer);
                co.wait(yield_now()).await.map(|()| 7)
            });
            assert_eq!(inner.await.unwrap(), 7);
            let failing = Unit::new(async |_| Err(TaskError::other("wrong").into()));
            assert_eq!(failing.await.unwrap_err().to_string(), "wrong");
        })
        .unwrap();
}

#[test]
fn a_cancellation_is_thrown_into_an_awaited_coroutine() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    Loop::simulated()
        .run(async move {
            let (inside, outside) = (Rc::clone(&log), log);
            let waits = spawn(async move {
                let coroutine = Unit::new(async move |co| {
                    let thrown = co.wait(std::future::pending::<()>()).await.unwrap_err();
                    inside.borrow_mut().push(format!("inside: {thrown}"));
                    co.wait(sleep(Duration::from_secs(1))).await?;
                    Err(thrown)
                });
                let caught = catch(coroutine.into_future()).await;
                outside.borrow_mut().push(format!("outside: {caught:?}"));
            });
            yield_now().await;
            waits.cancel_with("enough");
            waits.await.unwrap();
        })
        .unwrap();
    let seen = seen.borrow();
    assert_eq!(*seen, ["inside: the task was cancelled: enough", "outside: Err(Cancelled(\"enough\"))"]);
}

#[test]
fn a_loop_spawns_for_the_futures_crate_until_it_is_closed() {
    let event_loop = Loop::simulated();
    let seen = Rc::new(RefCell::new(false));
    let seeing = Rc::clone(&seen);
    event_loop.spawn_local(async move { *seeing.borrow_mut() = true }).unwrap();
    let answer = event_loop.spawn_local_with_handle(async { 7 }).unwrap();
    assert_eq!(event_loop.run(answer).unwrap(), 7);
    assert!(seen.take());
    assert!(event_loop.spawn_local(async {}).unwrap_err().is_shutdown());
}

#[test]
fn many_who_wait_for_a_future_can_give_up() {
    let event_loop = Loop::simulated();
    let future = event_loop.create_future::<u32>();
    let cx = &mut Context::from_waker(Waker::noop());
    let mut waits: Vec<_> = (0..100_000).map(|_| future.clone()).collect();
    for wait in &mut waits {
        assert!(Pin::new(wait).poll(cx).is_pending());
    }
    let mut number = 0;
    waits.retain(|_| {
        number += 1;
        number % 3 == 0
    });
    future.set_result(7).unwrap();
    for wait in &mut waits {
        assert!(matches!(Pin::new(wait).poll(cx), Poll::Ready(Ok(7))));
    }
}

#[test]
fn a_cancelled_wait_for_a_future_is_heard_once_by_the_future_and_by_what_is_around() {
    let told = Loop::simulated().run(async {
        let [caught, late, gathered] = [(); 3].map(|()| task::Future::<u32>::new());
        let catches = spawn({
            let caught = caught.clone();
            async move {
                let told = catch(caught).await.unwrap_err().to_string();
                // It goes on, and waits as if nothing had happened.
                sleep(Duration::from_secs(1)).await;
                told
            }
        });
        let unordered = spawn({
            let (first, second) = (gathered.clone(), gathered.clone());
            async move {
                let all: futures::stream::FuturesUnordered<_> = [first, second].into_iter().collect();
                catch(futures::StreamExt::collect::<Vec<_>>(all)).await.unwrap_err().to_string()
            }
        });
        yield_now().await;
        assert!(catches.cancel_with("one") && unordered.cancel_with("two"));
        assert_eq!(
            timeout(Duration::from_secs(1), late.clone()).await.unwrap_err().to_string(),
            "the time was up before it was done"
        );
        assert!(caught.is_cancelled() && late.is_cancelled() && gathered.is_cancelled());
        [catches.await.unwrap(), unordered.await.unwrap()]
    });
    assert_eq!(told.unwrap(), ["the task was cancelled: one", "the task was cancelled: two"]);
}
