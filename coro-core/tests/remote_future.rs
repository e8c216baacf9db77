//! Tasks that other threads begin, wait for and cancel.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use coro_core::conformance::reports;
use coro_core::event_loop::{LoopClosed, RemoteHandle};
use coro_core::native::catch;
use coro_core::{EventLoop, Loop, TaskError};

async fn panics(message: &str) {
    panic!("{message}")
}

/// Runs a loop until `work`, on another thread, is done with it.
fn beside<T: Send + 'static>(event_loop: &Loop, work: impl FnOnce(RemoteHandle) -> T + Send + 'static) -> T {
    let remote = event_loop.remote();
    let thread = thread::spawn(move || {
        let stopping = remote.clone();
        let result = work(remote);
        stopping.call_soon_threadsafe(|| Loop::current().unwrap().stop()).unwrap();
        result
    });
    event_loop.run_forever().unwrap();
    thread.join().unwrap()
}

#[test]
fn a_coroutine_runs_on_the_loops_thread_and_its_result_comes_back() {
    let event_loop = Loop::simulated();
    let home = thread::current().id();
    let (ran_on, began) = beside(&event_loop, move |remote| {
        let task = remote.run_coroutine_threadsafe(|| async {
            coro_core::time::sleep(Duration::from_secs(5)).await;
            (thread::current().id(), Loop::current().unwrap().current_task().unwrap().name.to_string())
        });
        task.unwrap().wait().unwrap()
    });
    assert_eq!((ran_on, began.as_str()), (home, "Task-1"));
    assert_eq!(event_loop.time().as_secs_f64(), 5.0);
}

#[test]
fn panics_travel_of_the_body_and_of_what_makes_it() {
    let event_loop = Loop::simulated();
    let [body, made] = beside(&event_loop, |remote| {
        let body = remote.run_coroutine_threadsafe(|| panics("in the body"));
        let made = remote.run_coroutine_threadsafe(|| -> std::future::Ready<()> { panic!("before it") });
        [body.unwrap().wait(), made.unwrap().wait()].map(|result| result.unwrap_err().to_string())
    });
    assert_eq!(
        [body.as_str(), made.as_str()],
        ["the task panicked: in the body", "the task panicked: before it"]
    );
}

#[test]
fn a_cancel_from_the_other_thread_lands_at_the_wait() {
    let event_loop = Loop::simulated();
    let (waits, waiting) = mpsc::channel();
    let (cancelled, result) = beside(&event_loop, move |remote| {
        let task = remote.run_coroutine_threadsafe(move || async move {
            waits.send(()).unwrap();
            catch(std::future::pending::<()>()).await.unwrap_err();
            7
        });
        let task = task.unwrap();
        waiting.recv().unwrap();
        (task.cancel(), task.wait())
    });
    assert!(cancelled);
    assert_eq!(result.unwrap(), 7, "the body has caught it");
}

#[test]
fn what_is_cancelled_on_its_way_is_never_made() {
    let event_loop = Loop::simulated();
    let made = Arc::new(AtomicBool::new(false));
    let making = Arc::clone(&made);
    let task = event_loop.remote().run_coroutine_threadsafe(move || {
        making.store(true, Ordering::Relaxed);
        std::future::ready(())
    });
    let task = task.unwrap();
    assert!(task.cancel());
    assert!(!task.cancel() && task.is_done());
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert!(task.wait().unwrap_err().is_cancelled());
    assert!(!made.load(Ordering::Relaxed));
}

#[test]
fn a_loop_that_is_closed_refuses_and_leaves_nobody_waiting() {
    let event_loop = Loop::simulated();
    let remote = event_loop.remote();
    let never = || remote.run_coroutine_threadsafe(std::future::pending::<()>);
    let (running, coming) = (never().unwrap(), {
        event_loop.stop();
        event_loop.run_forever().unwrap();
        never().unwrap()
    });
    let reported = reports(&event_loop);
    event_loop.close().unwrap();
    reported.expect(&["Task-1 destroyed"]);
    for left in [running, coming] {
        assert!(matches!(left.wait(), Err(TaskError::LoopClosed)));
    }
    assert_eq!(never().unwrap_err(), LoopClosed);
}

#[test]
fn to_block_the_loop_for_its_own_task_is_refused() {
    let event_loop = Loop::simulated();
    let remote = event_loop.remote();
    let (first, second) = event_loop
        .run(async move {
            let wait = || remote.run_coroutine_threadsafe(|| std::future::ready(())).unwrap();
            (wait().wait(), wait().wait_for(Duration::from_secs(60)).unwrap())
        })
        .unwrap();
    assert!(matches!((first, second), (Err(TaskError::WouldBlock), Err(TaskError::WouldBlock))));
}

#[test]
fn a_wait_for_no_time_gives_the_handle_back() {
    let event_loop = Loop::simulated();
    let task = event_loop.remote().run_coroutine_threadsafe(|| std::future::ready(7)).unwrap();
    let task = task.wait_for(Duration::ZERO).unwrap_err();
    event_loop.run_until_complete(event_loop.spawn(async { coro_core::time::yield_now().await })).unwrap();
    assert_eq!(task.wait_for(Duration::ZERO).unwrap().unwrap(), 7);
}

#[test]
fn a_loop_waits_for_a_task_of_another_threads_loop() {
    let (home, here) = (Loop::simulated(), Loop::simulated());
    let got = beside(&home, move |remote| {
        // Made here: a loop does not leave its thread.
        let here = Loop::simulated();
        here.run(async move {
            let task = remote.run_coroutine_threadsafe(|| async {
                coro_core::time::sleep(Duration::from_secs(5)).await;
                7
            });
            let given_up = remote.run_coroutine_threadsafe(std::future::pending::<()>).unwrap().wrap_future();
            drop(given_up);
            task.unwrap().wrap_future().await.unwrap()
        })
        .unwrap()
    });
    assert_eq!(got, 7);
    drop(here);
    // The one that was given up has been cancelled.
    assert!(home.all_tasks().iter().all(|task| task.cancelling > 0), "{:?}", home.all_tasks());
}

#[test]
fn an_error_that_nobody_reads_is_reported_to_the_loop() {
    let event_loop = Loop::simulated();
    let reported = reports(&event_loop);
    beside(&event_loop, |remote| {
        let (done, ended) = mpsc::channel();
        let panics = |message| remote.run_coroutine_threadsafe(move || panics(message)).unwrap();
        let read_late = panics("late");
        drop(panics("early"));
        let turns = move || async move {
            coro_core::time::sleep(Duration::from_secs(1)).await;
            done.send(()).unwrap();
        };
        drop(remote.run_coroutine_threadsafe(turns).unwrap());
        ended.recv().unwrap();
        assert!(read_late.is_done());
        drop(read_late);
    });
    event_loop.stop();
    event_loop.run_forever().unwrap();
    reported.expect(&["never read: the task panicked: early", "never read: the task panicked: late"]);
}

#[test]
fn a_result_nobody_wants_is_dropped_on_the_loops_thread() {
    struct Told(mpsc::Sender<thread::ThreadId>);

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    let event_loop = Loop::simulated();
    let (sender, dropped) = mpsc::channel();
    drop(event_loop.remote().run_coroutine_threadsafe(move || async move { Told(sender) }).unwrap());
    let ended = Rc::new(RefCell::new(false));
    let end = Rc::clone(&ended);
    event_loop
        .run(async move {
            coro_core::time::sleep(Duration::from_secs(1)).await;
            end.replace(true);
        })
        .unwrap();
    assert!(*ended.borrow());
    assert_eq!(dropped.try_recv(), Ok(thread::current().id()));
}
