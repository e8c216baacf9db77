//! What a simulated program does around its loop is caught. Run with the feature `sim-trap`.

#![cfg(all(feature = "sim-trap", target_os = "linux"))]

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use coro_core::executor::{ThreadPool, run_in_executor};
use coro_core::native::spawn;
use coro_core::sim::{self, FailureKind, Sim};
use coro_core::time;

/// What is said of a task that does this.
fn said_of(deed: impl FnOnce() + 'static) -> String {
    let failure = Sim::new(0).run(|_| async {
        spawn(async { deed() }).named("culprit").await.unwrap();
    });
    let kind = failure.unwrap_err().kind;
    let FailureKind::Leaked { task, what } = kind else { panic!("{kind}") };
    assert!(task.contains("name='culprit'") && task.contains("sim_trap.rs"), "{task}");
    what.split(':').next().unwrap().to_string()
}

#[test]
fn a_look_at_the_real_clock_is_caught() {
    assert_eq!(said_of(|| _ = Instant::now()), "read the real clock");
    assert_eq!(said_of(|| _ = SystemTime::now()), "read the real clock");
}

#[test]
fn a_real_sleep_is_caught() {
    assert_eq!(said_of(|| thread::sleep(Duration::from_nanos(1))), "slept in real time");
}

#[test]
fn a_thread_is_caught() {
    assert_eq!(said_of(|| drop(thread::spawn(|| ()).join())), "began a thread");
}

#[test]
fn a_job_needs_no_thread_but_what_is_submitted_to_one_does() {
    let jobs = |_: &sim::World| async {
        let pool = ThreadPool::named("pool", 2).unwrap();
        for job in [pool.run(|| 1), pool.run(|| 2), run_in_executor(|| 3), run_in_executor(|| 4)] {
            job.await.unwrap();
        }
        assert_eq!(pool.statistics().threads, 0);
    };
    sim::explore(0..20, jobs).unwrap();
    let pool = ThreadPool::named("pool", 1).unwrap();
    assert_eq!(said_of(move || drop(pool.submit(|| ()))), "began a thread");
}

#[test]
fn what_a_job_does_around_the_loop_is_its_own_fault() {
    let failure = Sim::new(0).run(|_| async {
        run_in_executor(|| thread::sleep(Duration::from_nanos(1))).await.unwrap();
    });
    let kind = failure.unwrap_err().kind;
    let FailureKind::Leaked { task, what } = kind else { panic!("{kind}") };
    assert_eq!((&task[..], what.split(':').next().unwrap()), ("job 1", "slept in real time"));
}

#[test]
fn a_real_socket_is_caught() {
    assert_eq!(said_of(|| drop(TcpListener::bind("127.0.0.1:0"))), "opened a real socket");
}

#[test]
fn what_goes_through_the_loop_is_not_and_the_functions_still_work() {
    let started = Instant::now();
    sim::explore(0..10, |_| async {
        time::sleep(Duration::from_secs(1)).await;
        assert!(time::wall_clock() > SystemTime::UNIX_EPOCH);
        time::block_for(Duration::from_secs(1));
    })
    .unwrap();
    thread::sleep(Duration::from_nanos(1));
    assert!(thread::spawn(move || started.elapsed()).join().unwrap() > Duration::ZERO);
    assert!(TcpListener::bind("127.0.0.1:0").is_ok());
}
