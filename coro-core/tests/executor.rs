//! Pools of threads, as threads use them, and the pool of a loop.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use coro_core::conformance::reports;
use coro_core::executor::{JobError, PoolError, ThreadPool, run_in_executor};
use coro_core::{EventLoop, Loop};

fn own_name() -> String {
    thread::current().name().unwrap_or_default().to_string()
}

/// Until every thread of the pool has nothing to do.
fn settle(pool: &ThreadPool) {
    while pool.statistics().idle < pool.statistics().threads || pool.statistics().waiting > 0 {
        thread::yield_now();
    }
}

fn pool(max_workers: usize) -> ThreadPool {
    ThreadPool::named("pool", max_workers).unwrap()
}

/// A job that waits until the other end of the channel is gone.
fn held_up() -> (Sender<()>, impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel();
    (sender, move || _ = receiver.recv())
}

#[test]
fn threads_are_begun_when_they_are_needed_and_used_again() {
    let pool = pool(3);
    assert_eq!(pool.statistics().threads, 0);
    for _ in 0..5 {
        assert_eq!(pool.submit(own_name).wait().unwrap(), "pool_0");
        settle(&pool);
    }
    assert_eq!(pool.statistics().threads, 1);
    // Three at once need three.
    let barrier = Arc::new(Barrier::new(3));
    let jobs: Vec<_> = (0..3)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            pool.submit(move || {
                barrier.wait();
                own_name()
            })
        })
        .collect();
    let names: BTreeSet<_> = jobs.into_iter().map(|job| job.wait().unwrap()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["pool_0", "pool_1", "pool_2"]);
    settle(&pool);
    assert_eq!(pool.statistics().threads, 3);
    pool.shutdown();
    assert_eq!(pool.statistics().threads, 0);
}

#[test]
fn a_pool_is_called_and_sized_as_in_python() {
    let (one, other) = (ThreadPool::new(), ThreadPool::default());
    let number = |pool: &ThreadPool| -> usize {
        pool.name().strip_prefix("ThreadPoolExecutor-").unwrap().parse().unwrap()
    };
    assert!(number(&one) < number(&other));
    let processors = thread::available_parallelism().unwrap().get();
    assert_eq!(one.max_workers(), 32.min(processors + 4));
    assert_eq!(one.submit(own_name).wait().unwrap(), format!("{}_0", one.name()));
}

#[test]
fn a_pool_that_could_do_nothing_is_refused() {
    assert_eq!(ThreadPool::named("none", 0).unwrap_err(), PoolError::NoWorkers);
    assert_eq!(ThreadPool::named("a\0b", 1).unwrap_err(), PoolError::ZeroInName);
    assert!(PoolError::NoWorkers.to_string().contains("at least one"));
}

#[test]
fn a_thread_waits_as_long_as_it_likes() {
    let pool = pool(1);
    let (hold, held) = held_up();
    let job = pool.submit(held);
    assert!(!job.is_done());
    let job = job.wait_for(Duration::from_nanos(1)).unwrap_err();
    drop(hold);
    job.wait().unwrap();
    let error = pool.submit(|| panic!("no")).wait().unwrap_err();
    assert_eq!(error.to_string(), "the job panicked: no");
}

#[test]
fn a_job_that_has_not_begun_can_be_cancelled_and_one_that_has_cannot() {
    let (pool, ran) = (pool(1), Arc::new(AtomicUsize::new(0)));
    let (hold, held) = held_up();
    let begun = pool.submit(held);
    while pool.statistics().running == 0 {
        thread::yield_now();
    }
    let counted = Arc::clone(&ran);
    let waits = pool.submit(move || counted.fetch_add(1, SeqCst));
    assert!(!begun.cancel());
    assert!(waits.cancel() && !waits.cancel() && waits.is_done());
    drop(hold);
    begun.wait().unwrap();
    assert!(waits.wait().unwrap_err().is_cancelled());
    pool.shutdown();
    assert_eq!((ran.load(SeqCst), Arc::strong_count(&ran)), (0, 1));
}

#[test]
fn a_shutdown_runs_what_waits_and_ends_the_threads() {
    struct Ends(Arc<AtomicUsize>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    thread_local! {
        static END: RefCell<Option<Ends>> = const { RefCell::new(None) };
    }
    let (pool, ended, ran) = (pool(2), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let barrier = Arc::new(Barrier::new(2));
    for number in 0..10 {
        let (ended, ran, barrier) = (Arc::clone(&ended), Arc::clone(&ran), Arc::clone(&barrier));
        let job = pool.submit(move || {
            if number < 2 {
                END.set(Some(Ends(ended)));
                barrier.wait();
            }
            ran.fetch_add(1, SeqCst);
        });
        drop(job);
    }
    pool.shutdown();
    // The destructors of the threads as well.
    assert_eq!((ran.load(SeqCst), ended.load(SeqCst)), (10, 2));
    assert!(matches!(pool.submit(|| ()).wait(), Err(JobError::ShutDown)));
    pool.shutdown();
}

#[test]
fn a_pool_whose_last_handle_goes_does_what_it_has() {
    let (hold, held) = held_up();
    let (sender, receiver) = channel();
    let pool = pool(1);
    drop(pool.submit(held));
    drop(pool.submit(move || sender.send(own_name()).unwrap()));
    drop(pool);
    drop(hold);
    assert_eq!(receiver.recv().unwrap(), "pool_0");
    // Then its thread has nothing any more that it could keep alive.
    assert!(receiver.recv().is_err());
}

#[test]
fn a_job_may_shut_its_own_pool_down() {
    let pool = pool(1);
    let inner = pool.clone();
    pool.submit(move || inner.shutdown()).wait().unwrap();
    assert!(matches!(pool.submit(|| ()).wait(), Err(JobError::ShutDown)));
    pool.shutdown();
}

#[test]
fn many_threads_share_a_pool() {
    let pool = pool(4);
    let sums: Vec<u64> = thread::scope(|scope| {
        let sums = (0..4).map(|of| {
            let pool = pool.clone();
            scope.spawn(move || {
                let jobs: Vec<_> = (0..100).map(|number| pool.submit(move || of * number)).collect();
                jobs.into_iter().map(|job| job.wait().unwrap()).sum()
            })
        });
        sums.collect::<Vec<_>>().into_iter().map(|sum| sum.join().unwrap()).collect()
    });
    assert_eq!(sums, [0, 4_950, 9_900, 14_850]);
    assert!(pool.statistics().threads <= 4);
}

#[cfg(unix)]
#[test]
fn a_loop_makes_a_pool_when_it_needs_one_and_takes_another() {
    let event_loop = Loop::new().unwrap();
    let names = event_loop.run_until_complete(event_loop.spawn(async {
        let first = run_in_executor(own_name).await.unwrap();
        Loop::current().unwrap().set_default_executor(ThreadPool::named("mine", 1).unwrap());
        [first, run_in_executor(own_name).await.unwrap()]
    }));
    assert_eq!(names.unwrap(), ["asyncio_0", "mine_0"]);
    let pool = event_loop.default_executor();
    assert_eq!(pool.name(), "mine");
    // With a run it ends.
    event_loop.run(async {}).unwrap();
    assert!(matches!(pool.submit(|| ()).wait(), Err(JobError::ShutDown)));
}

#[cfg(unix)]
#[test]
fn jobs_run_while_the_loop_does() {
    let turns = Loop::new().unwrap().run(async {
        let (sender, receiver) = channel();
        let job = run_in_executor(move || receiver.recv().unwrap());
        // The loop goes on meanwhile, and is what the job waits for.
        coro_core::time::sleep(Duration::from_millis(1)).await;
        assert!(!job.is_done());
        sender.send(5).unwrap();
        job.await.unwrap()
    });
    assert_eq!(turns.unwrap(), 5);
}

#[cfg(unix)]
#[test]
fn what_never_begins_in_a_loop_that_is_closed_is_reported() {
    let event_loop = Loop::new().unwrap();
    let reports = reports(&event_loop);
    event_loop.set_default_executor(pool(1));
    let (hold, held) = held_up();
    let task = event_loop.spawn(async move {
        let first = run_in_executor(held);
        while !first.has_begun() {
            coro_core::time::yield_now().await;
        }
        first.detach();
        run_in_executor(|| ()).detach();
    });
    event_loop.run_until_complete(task).unwrap();
    event_loop.close().unwrap();
    reports.expect(&["1 jobs abandoned"]);
    drop(hold);
}

#[test]
fn what_a_world_has_timed_and_never_called_is_reported() {
    let event_loop = Loop::simulated();
    let reports = reports(&event_loop);
    event_loop.run_in_executor(|| ()).detach();
    event_loop.close().unwrap();
    reports.expect(&["1 jobs abandoned"]);
}

#[test]
fn outside_a_loop_the_advice_is_to_run_one() {
    let payload = std::panic::catch_unwind(|| drop(run_in_executor(|| ()))).unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("run_in_executor() was used outside a running event loop"), "{message}");
}

#[test]
fn a_run_in_virtual_time_waits_for_the_jobs_of_every_pool() {
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ran);
    let event_loop = Loop::simulated();
    let reports = reports(&event_loop);
    event_loop
        .run(async move {
            let pool = pool(1);
            for _ in 0..3 {
                let counted = Arc::clone(&counted);
                pool.run(move || counted.fetch_add(1, SeqCst)).detach();
            }
        })
        .unwrap();
    reports.expect(&[]);
    assert_eq!(ran.load(SeqCst), 3);
}
