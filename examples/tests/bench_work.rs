//! The work of `coro bench`: it is done in full, and each flavour does it in its own engine.

use coro_core::Loop;
use coro_core::stats::{Counts, Flavour, counts};
use coro_examples::bench::instructions::is_countable;
use coro_examples::bench::own::{Unable, perform};
use coro_examples::bench::shared::contender::Contender;
use coro_examples::bench::shared::record::Measured;
use coro_examples::bench::shared::scenario::{Scenario, Size};

const OURS: [(Contender, Flavour); 3] = [
    (Contender::Native, Flavour::Native),
    (Contender::Generator, Flavour::Generator),
    (Contender::Fiber, Flavour::Fiber),
];

/// A size at which even an unoptimised build is done at once, and how many operations it has.
const SMALL: [(Scenario, Size, u64); 20] = [
    (Scenario::Yield, Size { tasks: 7, rounds: 11 }, 77),
    (Scenario::Cold, Size { tasks: 50, rounds: 2 }, 100),
    (Scenario::SpawnAll, Size { tasks: 40, rounds: 1 }, 40),
    (Scenario::SpawnOne, Size { tasks: 1, rounds: 30 }, 30),
    (Scenario::Pingpong, Size { tasks: 1, rounds: 20 }, 20),
    (Scenario::Prodcons, Size { tasks: 1, rounds: 500 }, 500),
    (Scenario::Lock, Size { tasks: 1, rounds: 2_500 }, 2_500),
    (Scenario::Semaphore, Size { tasks: 1, rounds: 2_500 }, 2_500),
    (Scenario::Queue, Size { tasks: 1, rounds: 2_500 }, 2_500),
    (Scenario::HandOver, Size { tasks: 5, rounds: 8 }, 40),
    (Scenario::Gather, Size { tasks: 5, rounds: 8 }, 40),
    (Scenario::Group, Size { tasks: 5, rounds: 8 }, 40),
    (Scenario::Timeout, Size { tasks: 1, rounds: 8 }, 8),
    (Scenario::Oneshot, Size { tasks: 6, rounds: 5 }, 30),
    (Scenario::Remote, Size { tasks: 1, rounds: 100 }, 100),
    (Scenario::RemoteLoad, Size { tasks: 8, rounds: 100 }, 100),
    (Scenario::TimersPending, Size { tasks: 50, rounds: 1 }, 50),
    (Scenario::TimersCancel, Size { tasks: 1, rounds: 2_500 }, 2_500),
    (Scenario::Chained, Size { tasks: 60, rounds: 1 }, 60),
    (Scenario::Memory, Size { tasks: 25, rounds: 1 }, 25),
];

/// Does the work, and counts the switches of all three engines meanwhile.
fn counted(contender: Contender, scenario: Scenario, size: Size) -> (Measured, [Counts; 3]) {
    let before = Flavour::ALL.map(counts);
    let event_loop = Loop::new().expect("there is a driver");
    let measured = perform(&event_loop, contender, scenario, size).expect("the loop can run it");
    let mut after = Flavour::ALL.map(counts);
    for (after, before) in after.iter_mut().zip(before) {
        *after = *after - before;
    }
    (measured, after)
}

#[test]
fn every_scenario_is_done_in_full_in_every_flavour() {
    assert_eq!(SMALL.map(|(scenario, ..)| scenario), Scenario::ALL);
    for (scenario, size, operations) in SMALL {
        assert_eq!(scenario.operations(size), operations, "{scenario}");
        for (contender, _) in OURS {
            let (measured, _) = counted(contender, scenario, size);
            assert_eq!(measured.operations, operations, "{scenario} {contender}");
        }
    }
}

#[test]
fn each_flavour_suspends_in_its_own_engine() {
    for (scenario, size, _) in SMALL {
        for (contender, flavour) in OURS {
            let (_, switches) = counted(contender, scenario, size);
            for (engine, switches) in Flavour::ALL.into_iter().zip(switches) {
                if engine == flavour {
                    assert!(switches.parks > 0, "{scenario} {contender}: it never waited");
                } else {
                    assert_eq!(switches, Counts::default(), "{scenario} {contender} ran as {engine}");
                }
            }
        }
    }
}

#[test]
fn the_flavours_switch_equally_often() {
    // Where neither a clock nor another thread has a say.
    let depends = [Scenario::Remote, Scenario::RemoteLoad, Scenario::TimersPending, Scenario::Memory];
    for (scenario, size, _) in SMALL.into_iter().filter(|(scenario, ..)| !depends.contains(scenario)) {
        let switches = OURS.map(|(contender, flavour)| {
            let (_, switches) = counted(contender, scenario, size);
            // Resumes are not: a native body is dropped by a cancellation, the others are resumed with it.
            let Counts { yields, parks, .. } = switches[flavour as usize];
            (yields, parks)
        });
        assert_eq!(switches[1], switches[0], "{scenario}: generator, native");
        assert_eq!(switches[2], switches[0], "{scenario}: fiber, native");
    }
}

#[test]
fn a_yield_of_ours_gives_way() {
    for (contender, _) in OURS {
        let (measured, _) = counted(contender, Scenario::Yield, Size { tasks: 2, rounds: 2 });
        let same = measured.same_task.expect("it is counted");
        assert!(same < 0.01, "{contender}: {same}");
    }
}

#[test]
fn what_else_is_to_be_known_is_recorded() {
    for (contender, _) in OURS {
        let done = |scenario, size| counted(contender, scenario, size).0;
        let size = Size { tasks: 20, rounds: 200 };
        for scenario in [Scenario::Remote, Scenario::RemoteLoad] {
            let polls = done(scenario, size).polls.expect("they are counted");
            // At least once to wait and once to see the end; at most once for each wake besides.
            let tasks = if scenario == Scenario::Remote { 1 } else { size.tasks };
            assert!((2 * tasks..=200 + 2 * tasks).contains(&polls), "{scenario} {contender}: {polls}");
        }
        let timers = done(Scenario::TimersPending, size);
        assert!(timers.late_ns.is_some() && timers.all_pending.is_some(), "{contender}");
        if cfg!(target_os = "linux") {
            let memory = done(Scenario::Memory, size);
            assert!(memory.bytes_per_task.is_some() && memory.resident_bytes > Some(0), "{contender}");
            assert!(memory.writes.is_some(), "{contender}");
        }
    }
}

#[test]
fn virtual_time_will_do_where_instructions_are_counted() {
    let countable = SMALL.into_iter().filter(|(scenario, ..)| is_countable(*scenario));
    for (scenario, size, operations) in countable {
        for (contender, _) in OURS {
            let measured =
                perform(&Loop::simulated(), contender, scenario, size).expect("the loop can run it");
            assert_eq!(measured.operations, operations, "{scenario} {contender}");
        }
    }
}

#[test]
fn a_peer_is_not_ours_to_run() {
    let size = Scenario::Yield.size(1_000, false);
    let refused = perform(&Loop::simulated(), Contender::Glommio, Scenario::Yield, size);
    assert!(matches!(refused, Err(Unable::Peer(Contender::Glommio))), "{refused:?}");
}

#[test]
fn sizes_shrink_by_rounds_first_and_then_by_tasks() {
    let size = |tasks, rounds| Size { tasks, rounds };
    assert_eq!(Scenario::Yield.size(1, false), size(1_000, 10_000));
    assert_eq!(Scenario::Yield.size(100, false), size(1_000, 100));
    assert_eq!(Scenario::Yield.size(100_000, false), size(100, 1));
    assert_eq!(Scenario::SpawnAll.size(100, false), size(10_000, 1));
    assert_eq!(Scenario::SpawnAll.size(u64::MAX, false), size(1, 1));
    assert_eq!(Scenario::Prodcons.size(1_000_000, false), size(1, 50), "an equal share for everybody");
    assert_eq!(Scenario::Cold.size(1, true), size(100_000, 100), "as many fibers as there are tasks");
    assert_eq!(Scenario::Chained.size(1, true), size(1_000_000, 1), "one after the other");
}
