//! Tasks that wait for tasks: who is held, told and let go of, and where results are.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use coro_core::conformance::Trace;
use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);

/// Waits for it, and gives up at once.
async fn look_at<T>(handle: &RefCell<JoinHandle<T>>) {
    poll_fn(|cx| {
        assert!(Pin::new(&mut *handle.borrow_mut()).poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[test]
fn the_result_of_a_detached_task_goes_with_its_end_though_a_task_that_it_waited_for_runs_on() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let (result, slow_ends, later) = (trace.on_drop("result"), trace.clone(), trace.clone());
    let main = async move {
        let slow: Rc<RefCell<_>> = Rc::new(RefCell::new(spawn(async move {
            sleep(2 * SECOND).await;
            slow_ends.log("slow ends");
        })));
        let kept = Rc::clone(&slow);
        let waiter = async move {
            look_at(&slow).await;
            result
        };
        spawn(waiter).detach();
        sleep(SECOND).await;
        later.log("a second later");
        sleep(2 * SECOND).await;
        drop(kept);
    };
    event_loop.run(main).unwrap();
    trace.expect(&["result", "a second later", "slow ends"]);
}

#[test]
fn the_result_of_a_task_goes_with_its_handle_though_a_task_that_it_waited_for_runs_on() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let (result, later) = (trace.on_drop("result"), trace.clone());
    let main = async move {
        let slow = Rc::new(RefCell::new(spawn(sleep(2 * SECOND))));
        let kept = Rc::clone(&slow);
        let waiter = spawn(async move {
            look_at(&slow).await;
            result
        });
        sleep(SECOND).await;
        later.log("drops the handle");
        drop(waiter);
        later.log("has dropped the handle");
        sleep(2 * SECOND).await;
        drop(kept);
    };
    event_loop.run(main).unwrap();
    trace.expect(&["drops the handle", "result", "has dropped the handle"]);
}

#[test]
fn a_task_that_has_ended_is_not_run_again_when_the_one_that_it_waited_for_ends() {
    let resumes = |waits: bool| {
        let event_loop = Loop::simulated();
        let main = async move {
            let slow = Rc::new(RefCell::new(spawn(sleep(SECOND))));
            let kept = Rc::clone(&slow);
            let waiter = spawn(async move {
                if waits {
                    look_at(&slow).await;
                }
            });
            waiter.await.unwrap();
            sleep(2 * SECOND).await;
            drop(kept);
        };
        event_loop.run(main).unwrap();
        event_loop.metrics().resumes
    };
    assert_eq!(resumes(true), resumes(false));
}

/// A value at an address that only its type makes right.
#[derive(Debug)]
#[repr(align(4096))]
struct Wide(u8);

#[repr(align(32))]
struct Less(u8);

#[test]
fn bodies_and_results_lie_where_their_types_want_them() {
    fn is_aligned<T>(value: &T) -> bool {
        std::ptr::from_ref(value).is_aligned()
    }
    let main = async {
        let (wide, less) = (Wide(1), Less(2));
        let wide = spawn(async move {
            yield_now().await;
            assert!(is_aligned(&wide));
            wide
        });
        let less = spawn(async move {
            yield_now().await;
            assert!(is_aligned(&less));
            less.0
        });
        let plain = spawn(async { 3u8 });
        let result_only = spawn(async { Wide(4) });
        (wide.await.unwrap().0, less.await.unwrap(), plain.await.unwrap(), result_only.await.unwrap().0)
    };
    assert_eq!(Loop::simulated().run(main).unwrap(), (1, 2, 3, 4));
}

thread_local! {
    /// Dropped while its thread ends.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

struct Kept {
    _event_loop: Loop,
    /// As many as are spawned when it is dropped.
    last: usize,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let event_loop = Loop::simulated();
        let tasks: Vec<_> = (0..self.last).map(|n| event_loop.spawn(async move { n })).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(event_loop.run_until_complete(task).unwrap(), n);
        }
    }
}

#[test]
fn tasks_may_end_and_begin_while_their_thread_ends() {
    // Before the memory of the tasks of a thread is given up, and after.
    for first in [false, true] {
        let thread = std::thread::spawn(move || {
            if first {
                KEPT.with_borrow_mut(Vec::clear);
            }
            let event_loop = Loop::simulated();
            let tasks: Vec<_> = (0..100).map(|n| event_loop.spawn(async move { n })).collect();
            event_loop.set_exception_handler(Some(Rc::new(|_| ())));
            drop(tasks);
            KEPT.with_borrow_mut(|kept| kept.push(Kept { _event_loop: event_loop, last: 100 }));
        });
        thread.join().unwrap();
    }
}
