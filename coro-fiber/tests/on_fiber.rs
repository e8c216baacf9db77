//! Synchronous code as a future, under the executors of others and under ours. Run under the address sanitizer.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro_core::native;
use coro_core::prelude::*;
use coro_fiber::{OnFiber, Options, WaitError, in_fiber, on_fiber, wait, yield_now};

type Log = Rc<RefCell<Vec<u32>>>;

/// Writes down two numbers, and lets others run in between.
fn steps(log: &Log, first: u32) -> OnFiber<Result<(), WaitError>> {
    let log = Rc::clone(log);
    on_fiber(move || {
        for step in 0..3 {
            log.borrow_mut().push(first + step);
            // From a function that knows nothing of it.
            [()].iter().try_for_each(|()| yield_now())?;
        }
        Ok(())
    })
}

/// Two of them at once. They must take turns.
async fn side_by_side() {
    let log = Log::default();
    let (one, two) = futures::join!(steps(&log, 10), steps(&log, 20));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(log.take(), [10, 20, 11, 21, 12, 22]);
    // One in another.
    assert_eq!(
        on_fiber(|| wait(on_fiber(|| wait(async { yield_now().map(|()| 7) }))))
            .await
            .unwrap()
            .unwrap()
            .unwrap(),
        7
    );
    assert!(!in_fiber());
}

#[test]
fn it_runs_under_the_executors_of_futures() {
    futures::executor::block_on(side_by_side());
    let mut pool = futures::executor::LocalPool::new();
    futures::task::LocalSpawnExt::spawn_local(&pool.spawner(), side_by_side()).unwrap();
    pool.run();
}

#[test]
fn it_runs_under_the_local_executor_of_smol() {
    let executor = async_executor::LocalExecutor::new();
    let task = executor.spawn(side_by_side());
    futures::executor::block_on(executor.run(task));
}

#[test]
fn it_runs_under_every_runtime_of_tokio_and_waits_for_its_timers_and_threads() {
    /// What only tokio can wake.
    async fn of_tokio() {
        let woken = on_fiber(|| {
            let (tell, told) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || tell.send(7));
            wait(tokio::time::sleep(Duration::from_millis(1)))?;
            wait(told)
        });
        assert_eq!(woken.await.unwrap().unwrap(), 7);
        side_by_side().await;
    }
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time();
    builder.build().unwrap().block_on(of_tokio());
    builder.build_local(Default::default()).unwrap().block_on(async {
        tokio::task::spawn_local(of_tokio()).await.unwrap();
    });
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    threads.block_on(of_tokio());
    let local = tokio::task::LocalSet::new();
    threads.block_on(local.run_until(async { tokio::task::spawn_local(of_tokio()).await.unwrap() }));
}

#[test]
fn it_runs_under_our_loops() {
    native::run(side_by_side()).unwrap();
    let slept = Loop::simulated().run(async {
        let slept = on_fiber(|| {
            coro_fiber::sleep(Duration::from_secs(1))?;
            wait(async { coro_core::time::now() })
        });
        slept.await.unwrap().as_secs_f64()
    });
    assert_eq!(slept.unwrap(), 1.0);
}

fn poll<T>(future: &mut OnFiber<T>) -> Poll<T> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn dropping_it_unwinds_the_code_at_once() {
    let dropped = Rc::new(Cell::new(0));
    let (on_stack, captured) = (Guard(Rc::clone(&dropped)), Guard(Rc::clone(&dropped)));
    let mut begun = on_fiber(move || {
        let _on_stack = on_stack;
        // Nested, so that two stacks are unwound.
        let inner = on_fiber(move || {
            let _captured = captured;
            wait(pending::<()>())
        });
        wait(inner)
    });
    assert!(poll(&mut begun).is_pending());
    assert_eq!(dropped.get(), 0);
    drop(begun);
    assert_eq!(dropped.get(), 2);

    let captured = Guard(Rc::clone(&dropped));
    drop(on_fiber(move || drop(captured)));
    assert_eq!(dropped.get(), 3);
}

#[test]
fn a_panic_of_the_code_is_a_panic_of_the_poll() {
    let mut panics = on_fiber(|| {
        let _ = yield_now();
        panic!("planted")
    });
    assert!(poll::<()>(&mut panics).is_pending());
    let payload = catch_unwind(AssertUnwindSafe(|| poll(&mut panics))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"planted"));
    // And it can be dropped, or polled for another panic, which says what is wrong.
    let payload = catch_unwind(AssertUnwindSafe(|| poll(&mut panics))).unwrap_err();
    assert!(payload.downcast_ref::<String>().unwrap().contains("after it gave its result"));
}

#[test]
fn it_may_have_a_larger_stack_and_is_told_if_there_is_none() {
    fn depth(left: u32) -> u32 {
        let room = std::hint::black_box([0_u8; 4096]);
        if left == 0 { u32::from(room[0]) } else { 1 + depth(left - 1) }
    }
    let roomy = Options::new().stack_bytes(1 << 20).reserve_on_fiber(|| depth(100)).unwrap();
    assert_eq!(futures::executor::block_on(roomy), 100);
    let huge = Options::new().stack_bytes(usize::MAX / 2);
    assert!(huge.reserve_on_fiber(|| ()).is_err());
    let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut huge.on_fiber(|| ())))).unwrap_err();
    assert!(polled.downcast_ref::<String>().unwrap().starts_with("on_fiber: "));
}

#[test]
fn the_waker_is_that_of_the_poll_in_progress() {
    let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
    let seen = Rc::clone(&wakers);
    let mut future = on_fiber(move || {
        wait(poll_fn(|cx| {
            seen.borrow_mut().push(cx.waker().clone());
            if seen.borrow().len() == 2 { Poll::Ready(()) } else { Poll::Pending }
        }))
    });
    let (first, second) = (waker(), waker());
    assert!(Pin::new(&mut future).poll(&mut Context::from_waker(&first)).is_pending());
    assert!(Pin::new(&mut future).poll(&mut Context::from_waker(&second)).is_ready());
    let wakers = wakers.borrow();
    assert!(wakers[0].will_wake(&first) && wakers[1].will_wake(&second));
}

fn waker() -> Waker {
    struct Nobody(#[expect(dead_code, reason = "so that no two are the same")] u8);
    impl std::task::Wake for Nobody {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    std::sync::Arc::new(Nobody(0)).into()
}

fn refused(outcome: Result<(), RunError>) -> String {
    match outcome.unwrap_err() {
        error @ (RunError::InFiber | RunError::Nested) => error.to_string(),
        error => unreachable!("{error:?}"),
    }
}

#[test]
fn a_loop_in_a_fiber_is_refused_with_advice() {
    let event_loop = Loop::simulated();
    let (own, by_hand) = (event_loop.clone(), event_loop.clone());
    // Under another executor, and by hand.
    let said = futures::executor::block_on(on_fiber(move || {
        let task = own.spawn(async {});
        [refused(own.run(async {})), refused(own.run_until_complete(task)), refused(own.run_ready())]
    }));
    for said in said {
        assert!(said.contains("coro_fiber::wait(future)"), "{said}");
    }
    let said = futures::executor::block_on(on_fiber(|| refused(native::run(async {}))));
    assert!(said.contains("coro_fiber::wait(future)"), "{said}");
    let said = futures::executor::block_on(on_fiber(|| refused(coro_fiber::run(|_| Ok(())))));
    assert!(said.contains("coro_fiber::wait(future)"), "{said}");
    coro_fiber::scope(|scope| {
        let mut fiber = scope.fiber::<(), (), String, ()>(move |_| Ok(refused(by_hand.run_forever())));
        assert!(
            matches!(fiber.start(), Ok(Outcome::Returned(said)) if said.contains("coro_fiber::wait(future)"))
        );
    });
    // And not when it is over.
    event_loop.run(async {}).unwrap();
}

#[test]
fn a_loop_in_a_task_is_refused_with_advice() {
    let of_native = native::run(async { refused(Loop::simulated().run(async {})) }).unwrap();
    let other = Loop::simulated();
    let of_fiber = coro_fiber::run(move |_| Ok(refused(other.run(async {})))).unwrap();
    assert_eq!(of_native, of_fiber);
    assert!(of_native.contains("coro_fiber::wait(handle)"), "{of_native}");
}

#[test]
fn block_on_in_a_fiber_is_refused_by_those_who_know_the_thread() {
    let message = |refused: std::thread::Result<()>| match refused.unwrap_err().downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast_ref::<&str>().unwrap()).to_string(),
    };
    let of_futures = on_fiber(|| catch_unwind(|| futures::executor::block_on(ready(()))));
    assert!(
        message(futures::executor::block_on(of_futures)).contains("from within another executor"),
        "futures says so"
    );
    let tokio = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let of_tokio = on_fiber(move || catch_unwind(move || tokio().block_on(ready(()))));
    assert!(message(tokio().block_on(of_tokio)).contains("from within a runtime"), "tokio says so");
    // Here nobody can know, and a future that needs nobody else is ready.
    let unknown = coro_fiber::task(|_| Ok(futures::executor::block_on(ready(7))));
    assert_eq!(Loop::simulated().run(unknown).unwrap(), 7);
}
