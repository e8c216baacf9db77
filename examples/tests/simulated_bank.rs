//! The bank: its race is found, shrunk and repeated in every flavour, and the lock ends it.

use coro_core::Loop;
use coro_core::sim::{Explored, Failure, FailureKind, Policy};
use coro_core::stats::Flavour;
use coro_examples::simulated::bank::{Version, run, study};
use coro_examples::simulated::{Found, Study};

const PCT: Policy = Policy::Pct { depth: 3, steps: 30 };

fn explore(flavour: Flavour, version: Version, policy: Policy) -> Found {
    study(flavour, version, &Study::seeds(policy, 0..1_000)).expect("nothing is replayed")
}

fn replay(flavour: Flavour, version: Version, line: &str) -> Found {
    study(flavour, version, &Study::replay(line)).expect("it is a line of this program")
}

/// The clearing house begins while the counter waits for its printer.
fn schedule(flavour: Flavour) -> Vec<String> {
    let early = [
        "main, begun: waits for the next of several tasks",
        "counter, spawned by main: waits until 3600.000000000",
        "post, spawned by main: waits until 3600.000000000",
        "clearing, spawned by main: waits for an item of queue 1",
    ];
    let late = [
        "post, by a timer: ends",
        "counter, by a timer: lets the others run",
        "clearing, woken by post: lets the others run",
        "main, woken by post: waits for the next of several tasks",
        "counter, its turn again: ends",
        "clearing, its turn again: ends",
        "main, woken by counter: panics",
    ];
    let in_flavour = |step: &str| step.replacen(',', &format!(" ({flavour}),"), 1);
    let early = early.map(|step| format!("0.000000000  {}", in_flavour(step)));
    early.into_iter().chain(late.map(|step| format!("3600.000000000  {}", in_flavour(step)))).collect()
}

#[track_caller]
fn check(failure: &Failure, schedule: &[String]) {
    assert_eq!(failure.schedule, schedule, "{failure}");
    let FailureKind::Panicked { who, message, place } = &failure.kind else { panic!("{failure}") };
    assert_eq!(who, "main");
    assert!(message.ends_with("in the evening of day 1\n  left: 999\n right: 998"), "{failure}");
    let place = place.as_deref().expect("a panic has a place");
    assert!(place.contains("simulated/bank.rs:"), "{failure}");
}

#[test]
fn the_order_of_production_never_loses_money() {
    for flavour in Flavour::ALL {
        run(flavour, Version::Racy, &Loop::simulated()).unwrap();
        let explored = explore(flavour, Version::Racy, Policy::Fifo).unwrap();
        assert_eq!(explored.runs, 1_000, "{flavour}");
    }
}

#[test]
fn another_order_does_and_is_found_shrunk_and_repeated() {
    for flavour in Flavour::ALL {
        for policy in [Policy::Random, PCT] {
            let failure = explore(flavour, Version::Racy, policy).unwrap_err();
            assert!(failure.shrunk);
            // By priorities it is found at another hour.
            let found = if policy == PCT { failure.schedule.clone() } else { schedule(flavour) };
            assert_eq!(found.len(), 11);
            check(&failure, &found);
            let again = replay(flavour, Version::Racy, &failure.replay).unwrap_err();
            check(&again, &found);
            assert_eq!(again.replay, failure.replay);
        }
    }
}

#[test]
fn a_line_of_one_flavour_repeats_the_run_in_the_others() {
    let failure = explore(Flavour::Native, Version::Racy, Policy::Random).unwrap_err();
    for flavour in Flavour::ALL {
        check(&replay(flavour, Version::Racy, &failure.replay).unwrap_err(), &schedule(flavour));
    }
}

#[test]
fn with_the_lock_no_order_does() {
    let failure = explore(Flavour::Native, Version::Racy, Policy::Random).unwrap_err();
    for flavour in Flavour::ALL {
        for policy in [Policy::Random, PCT] {
            assert_eq!(explore(flavour, Version::Locked, policy).unwrap().runs, 1_000, "{flavour}");
        }
        let Explored { runs, .. } = replay(flavour, Version::Locked, &failure.replay).unwrap();
        assert_eq!(runs, 1, "{flavour}");
    }
}
