//! Functions that block, in a simulated world: they take its time, end in an order that is left to chance, and go down with
//! their host.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coro_core::executor::{JobError, ThreadPool, run_in_executor};
use coro_core::native::spawn;
use coro_core::sim::{self, Clock, Crash, Explorer, Failure, FailureKind, Policy, Sim, World};
use coro_core::time::{Time, now, sleep, yield_now};
use coro_core::{EventLoop, Loop};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Time {
    Time::ZERO + Duration::from_millis(millis)
}

/// A file on a disk, which two threads write.
async fn two_writers() -> &'static str {
    let file = Arc::new(Mutex::new("empty"));
    let write = |content| {
        let file = Arc::clone(&file);
        run_in_executor(move || *file.lock().unwrap() = content)
    };
    let (draft, corrected) = (write("draft"), write("corrected"));
    draft.await.unwrap();
    corrected.await.unwrap();
    *file.lock().unwrap()
}

fn program(_: &World) -> impl Future<Output = ()> + use<> {
    async { assert_eq!(two_writers().await, "corrected") }
}

#[test]
fn an_order_of_jobs_that_production_hardly_shows_is_found_shrunk_and_repeated() {
    // One after the other, in the order of production, and where there is no chance.
    let production = Explorer::new(Sim::new(0).policy(Policy::Fifo)).explore(0..200, program);
    assert_eq!(production.unwrap().runs, 200);
    assert_eq!(Loop::simulated().run(two_writers()).unwrap(), "corrected");
    for policy in [Policy::Random, Policy::Pct { depth: 2, steps: 10 }] {
        let explorer = Explorer::new(Sim::new(0).policy(policy));
        let failure = explorer.explore(0..20, program).unwrap_err();
        let FailureKind::Panicked { message, .. } = &failure.kind else { panic!("{failure}") };
        assert!(message.contains("\"draft\""), "{message}");
        // The first job takes a moment, the second none.
        assert_eq!(
            failure.schedule,
            [
                "0.000000000  main (native), begun: waits for job 1",
                "0.000000000  job 2: ends",
                "0.000000001  job 1: ends",
                "0.000000001  main (native), by job 1: panics",
            ],
        );
        let again = explorer.replay(&failure.replay, program).unwrap().unwrap_err();
        assert_eq!((&again.schedule, &again.replay), (&failure.schedule, &failure.replay));
    }
}

#[test]
fn jobs_take_simulated_time_and_wait_for_a_worker() {
    let sim = Sim::new(0).job_time(millis(500)..=millis(500));
    for policy in [Policy::Fifo, Policy::Random] {
        let times = sim.clone().policy(policy).run(|_| async {
            let pool = ThreadPool::named("two", 2).unwrap();
            let jobs: Vec<_> = (0..5).map(|_| pool.run(|| ())).collect();
            assert_eq!(jobs.iter().filter(|job| job.has_begun()).count(), 2);
            // A timer in between runs in between.
            let between = spawn(async {
                sleep(millis(750)).await;
                now()
            });
            let mut times = Vec::new();
            for job in jobs {
                job.await.unwrap();
                times.push(now());
            }
            (times, between.await.unwrap(), pool.statistics().threads)
        });
        let ended = [500, 500, 1_000, 1_000, 1_500].map(at).to_vec();
        assert_eq!(times.unwrap(), (ended, at(750), 0), "{policy:?}");
    }
}

#[test]
fn a_pool_of_the_usual_size_has_five_workers_on_every_machine() {
    let begun = Sim::new(0).run(|_| async {
        let jobs: Vec<_> = (0..40).map(|_| run_in_executor(|| ())).collect();
        jobs.iter().filter(|job| job.has_begun()).count()
    });
    assert_eq!(begun.unwrap(), 5);
}

#[test]
fn whether_a_job_that_is_given_up_at_once_had_begun_is_left_to_chance() {
    let outcomes = |wait: Duration| {
        let outcome = |seed| {
            let ran = Arc::new(AtomicUsize::new(0));
            let effect = Arc::clone(&ran);
            let run = Sim::new(seed).job_time(millis(10)..=millis(20)).run(move |_| async move {
                let job = run_in_executor(move || effect.fetch_add(1, SeqCst));
                sleep(wait).await;
                drop(job);
                sleep(Duration::from_secs(1)).await;
            });
            run.unwrap();
            ran.load(SeqCst)
        };
        (0..50).map(outcome).collect::<BTreeSet<_>>()
    };
    assert_eq!(outcomes(Duration::ZERO), BTreeSet::from([0, 1]));
    // By then it has, and nobody can stop it.
    assert_eq!(outcomes(millis(5)), BTreeSet::from([1]));
}

#[test]
fn a_job_of_a_host_that_crashes_never_ends() {
    for how in [Crash::Process, Crash::Power] {
        let effects = Arc::new(AtomicUsize::new(0));
        let effect = Arc::clone(&effects);
        let captured = Arc::new(());
        let held = Arc::clone(&captured);
        let sim = Sim::new(3).job_time(millis(100)..=millis(100));
        let run = sim.run(move |world| {
            let world = world.clone();
            let host = world.host("worker", move || {
                let (effect, held) = (Arc::clone(&effect), Arc::clone(&held));
                async move {
                    let pool = ThreadPool::named("pool", 1).unwrap();
                    let job = |effect: &Arc<AtomicUsize>, held: &Arc<()>| {
                        let (effect, held) = (Arc::clone(effect), Arc::clone(held));
                        pool.run(move || {
                            let _held = held;
                            effect.fetch_add(1, SeqCst);
                        })
                    };
                    // One on its way, and one that waits for a worker.
                    let jobs = [job(&effect, &held), job(&effect, &held)];
                    for job in jobs {
                        job.await.unwrap();
                    }
                }
            });
            async move {
                sleep(millis(50)).await;
                host.crash(how);
                sleep(millis(500)).await;
                host.restart();
                sleep(millis(500)).await;
            }
        });
        run.unwrap();
        // Both jobs of the second start, and none of the first.
        assert_eq!(effects.load(SeqCst), 2, "{how:?}");
        assert_eq!(Arc::strong_count(&captured), 1);
    }
}

#[test]
fn a_job_keeps_a_world_from_being_called_stalled_and_a_hang_says_who_waits_for_it() {
    // Nobody else is to come.
    assert_eq!(Loop::simulated().run(run_in_executor_later()).unwrap(), 7);
    let sim = Sim::new(0).clock(Clock::Manual).job_time(millis(10)..=millis(10));
    let failure = sim.run(|_| run_in_executor_later()).unwrap_err();
    let FailureKind::Stalled(report) = &failure.kind else { panic!("{failure}") };
    assert!(report.contains(" waits for job 1") && report.contains("nobody moves it"), "{report}");
    // If it is moved, or takes no time, the job ends.
    let moved = sim.run(|world| {
        let world = world.clone();
        async move {
            let job = spawn(run_in_executor_later());
            yield_now().await;
            world.advance(millis(10)).await;
            (job.await.unwrap(), now())
        }
    });
    assert_eq!(moved.unwrap(), (7, at(10)));
    assert_eq!(Sim::new(0).clock(Clock::Manual).run(|_| run_in_executor_later()).unwrap(), 7);
}

async fn run_in_executor_later() -> i32 {
    run_in_executor(|| 7).await.unwrap()
}

#[test]
fn a_panic_of_a_job_is_shown_and_fails_the_run_that_does_not_read_it() {
    let read = Sim::new(0).run(|_| async {
        let error = run_in_executor(|| panic!("bad block")).await.unwrap_err();
        assert!(matches!(error, JobError::Panicked(_)));
        error.to_string()
    });
    assert_eq!(read.unwrap(), "the job panicked: bad block");
    let unread = |_: &World| async {
        run_in_executor(|| panic!("bad block")).detach();
        sleep(Duration::from_secs(1)).await;
    };
    let failure: Box<Failure> = sim::explore(0..1, unread).unwrap_err();
    let FailureKind::Reported(report) = &failure.kind else { panic!("{failure}") };
    assert_eq!(report, "main: a job panicked, and nobody waits for it: bad block");
    assert_eq!(failure.schedule.last().unwrap(), "0.000000000  job 1: panics");
}

#[test]
fn what_main_leaves_ends_before_the_world_does() {
    let ended = Arc::new(AtomicUsize::new(0));
    let runs = sim::explore(0..20, {
        let ended = Arc::clone(&ended);
        move |_: &World| {
            let ended = Arc::clone(&ended);
            async move {
                let pool = ThreadPool::named("one", 1).unwrap();
                for _ in 0..3 {
                    let ended = Arc::clone(&ended);
                    pool.run(move || ended.fetch_add(1, SeqCst)).detach();
                }
            }
        }
    });
    // Each seed runs twice.
    assert_eq!((runs.unwrap().runs, ended.load(SeqCst)), (20, 20 * 2 * 3));
}

#[test]
fn a_thread_is_no_part_of_a_world() {
    let failure = Sim::new(0).run(|_| async {
        let pool = ThreadPool::named("real", 1).unwrap();
        pool.submit(|| 1).wrap_future().await.unwrap()
    });
    let failure = failure.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Thread);
    assert!(failure.to_string().contains("executor::run_in_executor"), "{failure}");
}

/// Blocks, as a program should not.
#[test]
fn a_shutdown_on_the_thread_of_a_world_calls_what_it_waits_for() {
    let order = Sim::new(5).run(|_| async {
        let (pool, order) = (ThreadPool::named("one", 1).unwrap(), Arc::new(Mutex::new(Vec::new())));
        let jobs: Vec<_> = (0..3)
            .map(|number| {
                let order = Arc::clone(&order);
                pool.run(move || order.lock().unwrap().push(number))
            })
            .collect();
        pool.shutdown();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
        for job in jobs {
            job.await.unwrap();
        }
        now()
    });
    assert_eq!(order.unwrap(), at(0));
}

#[test]
fn a_loop_cannot_be_turned_from_a_job() {
    thread_local! {
        static LOOP: RefCell<Option<Loop>> = const { RefCell::new(None) };
    }
    let event_loop = Loop::simulated();
    LOOP.set(Some(event_loop.clone()));
    let refused = event_loop.run(async {
        let turn = || LOOP.with_borrow(|known| known.as_ref().unwrap().run_ready().unwrap_err().to_string());
        run_in_executor(turn).await.unwrap()
    });
    assert!(refused.unwrap().contains("already running"));
    LOOP.set(None);
}

#[test]
fn the_clock_of_a_simulated_loop_stands_still_while_it_waits_for_a_thread() {
    let event_loop = Loop::simulated();
    let pool = ThreadPool::named("real", 1).unwrap();
    let woken = Rc::new(Cell::new(false));
    let late = Rc::clone(&woken);
    let times = event_loop.run(async move {
        spawn(async move {
            sleep(Duration::from_secs(3_600)).await;
            late.set(true);
        })
        .detach();
        yield_now().await;
        let work = || (0..10_000).for_each(|_| std::thread::yield_now());
        pool.submit(work).wrap_future().await.unwrap();
        (woken.get(), now())
    });
    assert_eq!(times.unwrap(), (false, at(0)));
}
