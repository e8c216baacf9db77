//! What exploration finds, and that it repeats it.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coro_core::native::spawn;
use coro_core::sim::{self, Explored, Explorer, Failure, FailureKind, Policy, ReplayError, Sim, World};
use coro_core::time::{now, sleep, yield_now};
use coro_core::{EventLoop, Loop, random};

/// A value is there before it is read, if those who are spawned first run first.
async fn late_reader() {
    let value = Rc::new(Cell::new(None));
    let (written, read) = (Rc::clone(&value), value);
    let writer = spawn(async move { written.set(Some(1)) }).named("writer");
    let reader = spawn(async move { read.get().expect("it was written") }).named("reader");
    writer.await.unwrap();
    reader.await.unwrap();
}

fn program(_: &World) -> impl Future<Output = ()> + use<> {
    late_reader()
}

fn policies() -> [Policy; 2] {
    [Policy::Random, Policy::Pct { depth: 2, steps: 10 }]
}

fn found(policy: Policy) -> Box<Failure> {
    Explorer::new(Sim::new(0).policy(policy)).explore(0..100, program).unwrap_err()
}

#[test]
fn what_production_never_shows_is_found_in_every_other_order() {
    let production = Explorer::new(Sim::new(0).policy(Policy::Fifo)).explore(0..100, program);
    assert_eq!(production.unwrap().runs, 100);
    Loop::simulated().run(late_reader()).unwrap();
    for policy in policies() {
        let failure = found(policy);
        let FailureKind::Panicked { message, place: Some(place), .. } = &failure.kind else {
            panic!("{policy:?}: {failure}")
        };
        assert!(message.contains("it was written"), "{message}");
        assert!(place.contains("sim_explore.rs:"), "{place}");
    }
}

#[test]
fn the_failure_shows_the_simplest_schedule() {
    for policy in policies() {
        let failure = found(policy);
        assert!(failure.shrunk);
        assert_eq!(
            failure.schedule,
            [
                "0.000000000  main (native), begun: waits for the end of writer",
                "0.000000000  reader (native), spawned by main: panics",
                "0.000000000  writer (native), spawned by main: ends",
                "0.000000000  main (native), woken by writer: panics",
            ],
            "{policy:?}"
        );
        let text = failure.to_string();
        for part in
            ["main panicked", "shrunk; the run, 4 steps:", "\n    2  0.000000000  reader", &failure.replay]
        {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
        assert!(text.contains("cargo test the_failure_shows_the_simplest_schedule"), "{text}");
    }
}

#[test]
fn a_replay_line_repeats_the_run_and_no_other_program_takes_it() {
    let failure = found(Policy::Random);
    let explorer = Explorer::new(Sim::new(0));
    let again = explorer.replay(&failure.replay, program).unwrap().unwrap_err();
    assert_eq!((&again.schedule, &again.replay), (&failure.schedule, &failure.replay));
    let other = explorer.replay(&failure.replay, |_: &World| async {});
    assert!(matches!(other, Err(ReplayError::OtherProgram { .. })), "{other:?}");
    let half = explorer.replay(&failure.replay[..20], program);
    assert!(matches!(half, Err(ReplayError::Garbled)), "{half:?}");
}

#[test]
fn a_seed_always_gives_the_same_run_and_seeds_give_others() {
    let order = |seed, policy| {
        let run = Sim::new(seed).policy(policy).run(|_| async {
            let order = Rc::new(RefCell::new(Vec::new()));
            let tasks = (0..4).map(|task| {
                let order = Rc::clone(&order);
                spawn(async move {
                    for _ in 0..3 {
                        order.borrow_mut().push(task);
                        yield_now().await;
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            order.take()
        });
        run.unwrap()
    };
    for policy in [Policy::Random, Policy::Pct { depth: 3, steps: 15 }] {
        let orders: HashSet<_> = (0..50).map(|seed| order(seed, policy)).collect();
        assert!(orders.len() > 5, "{policy:?}: {}", orders.len());
        assert!((0..50).all(|seed| order(seed, policy) == order(seed, policy)));
    }
    // As in production, for every seed.
    assert!((0..5).all(|seed| order(seed, Policy::Fifo) == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]));
}

#[test]
fn callbacks_keep_their_order_in_every_run() {
    sim::check(|_| async {
        let called = Rc::new(RefCell::new(Vec::new()));
        let event_loop = Loop::current().unwrap();
        for call in 0..5 {
            let called = Rc::clone(&called);
            event_loop.call_soon(move || called.borrow_mut().push(call));
        }
        while called.borrow().len() < 5 {
            yield_now().await;
        }
        assert_eq!(*called.borrow(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn timers_keep_their_order_in_every_run() {
    sim::check(|_| async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let sleeper = |seconds| {
            let order = Rc::clone(&order);
            spawn(async move {
                sleep(Duration::from_secs(seconds)).await;
                order.borrow_mut().push((now().as_nanos(), seconds));
            })
        };
        for task in [3, 1, 2].map(sleeper) {
            task.await.unwrap();
        }
        assert_eq!(*order.borrow(), [(1_000_000_000, 1), (2_000_000_000, 2), (3_000_000_000, 3)]);
    });
}

#[test]
fn a_program_that_depends_on_more_than_the_loop_is_found_out() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let failure = sim::explore(0..10, |_| async {
        if RUNS.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            spawn(yield_now()).named("sometimes").await.unwrap();
        }
        yield_now().await;
    });
    let failure = failure.unwrap_err();
    let FailureKind::Diverged { step: 1, first, again } = &failure.kind else { panic!("{failure}") };
    assert!([first, again].iter().any(|line| line.contains("waits for the end of sometimes")), "{failure}");
    assert!([first, again].iter().any(|line| line.contains("lets the others run")), "{failure}");
    assert!(failure.to_string().contains("random::RandomState"), "{failure}");
    // That is not looked for where it is not asked for.
    let once = Explorer::new(Sim::new(0)).once().explore(0..10, |_| async {
        if RUNS.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            yield_now().await;
        }
    });
    assert_eq!(once.map(|explored| explored.runs).unwrap(), 10);
}

#[test]
fn the_order_of_a_hash_map_and_random_numbers_are_repeated() {
    let program = |_: &World| async {
        let mut map = std::collections::HashMap::<u64, u64, random::RandomState>::default();
        map.extend((0..50).map(|key| (key, random::number())));
        for (key, value) in map {
            if (key ^ value) % 2 == 0 {
                yield_now().await;
            }
        }
    };
    let Explored { runs, steps } = sim::explore(0..20, program).unwrap();
    assert_eq!(runs, 20);
    // Not the same in each: between 1 and 51 steps a run.
    assert!((200..800).contains(&steps), "{steps}");
}

#[test]
fn what_does_not_end_is_a_failure() {
    let failure = Sim::new(0).max_steps(1_000).run(|_| async {
        loop {
            yield_now().await;
        }
    });
    let failure: Box<Failure> = failure.map(|never: ()| never).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Endless(1_000));
    assert_eq!(failure.schedule.len(), 1_000);
}

#[test]
fn errors_that_nobody_reads_fail_a_run_and_those_of_the_program_are_its_result() {
    let unread = |_: &World| async {
        spawn(async { panic!("nobody looks") }).named("lonely").detach();
        yield_now().await;
        yield_now().await;
    };
    let failure = Sim::new(0).policy(Policy::Fifo).run(unread).unwrap_err();
    let FailureKind::Panicked { who, message, .. } = &failure.kind else { panic!("{failure}") };
    assert_eq!((&who[..], &message[..]), ("main/lonely", "nobody looks"));
    let wrong = |_: &World| async { Err::<(), _>("it is wrong") };
    assert_eq!(Sim::new(0).run(wrong).unwrap(), Err("it is wrong"));
    let failure = sim::explore(0..1, wrong).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed { host: "main".into(), error: "\"it is wrong\"".into() });
}

#[test]
fn what_main_leaves_is_cancelled_and_ends() {
    let cleaned = Rc::new(Cell::new(0));
    struct Clean(Rc<Cell<i32>>);
    impl Drop for Clean {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    for seed in 0..10 {
        let left = Clean(Rc::clone(&cleaned));
        let run = Sim::new(seed).run(|_| async {
            spawn(async move {
                let _left = left;
                sleep(Duration::from_secs(1_000)).await;
            })
            .detach();
            yield_now().await;
            now().as_nanos()
        });
        assert_eq!(run.unwrap(), 0);
    }
    assert_eq!(cleaned.get(), 10);
}

#[test]
fn wakes_for_nothing_disturb_nobody() {
    let program = |_: &World| async {
        let lock = coro_core::sync::Lock::new(0);
        let queue = coro_core::Queue::new(1);
        let adders = (0..3).map(|_| {
            let (lock, queue) = (lock.clone(), queue.clone());
            spawn(async move {
                let mut sum = lock.lock().await;
                let before = *sum;
                sleep(Duration::from_millis(1)).await;
                *sum = before + 1;
                drop(sum);
                queue.put(()).await.unwrap();
            })
        });
        let adders: Vec<_> = adders.collect();
        for _ in 0..3 {
            queue.get().await.unwrap();
        }
        for adder in adders {
            adder.await.unwrap();
        }
        assert_eq!((*lock.lock().await, now().as_nanos()), (3, 3_000_000));
    };
    let steps = |per_mille| {
        let sim = Sim::new(0).spurious_wakes(per_mille);
        Explorer::new(sim).explore(0..200, program).unwrap().steps
    };
    assert!(steps(300) > steps(0) * 11 / 10);
}
