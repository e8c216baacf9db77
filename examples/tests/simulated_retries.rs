//! The retries: what a server forgets in a crash is found, and the one that keeps its answers does everything once.

use coro_core::sim::{Failure, FailureKind, Policy};
use coro_examples::simulated::retries::{Version, study};
use coro_examples::simulated::{Found, Study};

const POLICIES: [Policy; 3] = [Policy::Fifo, Policy::Random, Policy::Pct { depth: 3, steps: 30 }];

const SEEDS: u64 = 300;

fn explore(version: Version, policy: Policy) -> Found {
    study(version, &Study::seeds(policy, 0..SEEDS)).expect("nothing is replayed")
}

fn replay(version: Version, line: &str) -> Found {
    study(version, &Study::replay(line)).expect("it is a line of this program")
}

/// One of the deposits was made twice.
#[track_caller]
fn check(failure: &Failure) {
    let FailureKind::Panicked { who, message, .. } = &failure.kind else { panic!("{failure}") };
    assert_eq!(who, "main");
    let twice = |number: u64| {
        let right: u64 = (1..=number).map(|number| number * 10).sum();
        format!("after deposit {number}\n  left: {}\n right: {right}", right + number * 10)
    };
    assert!((1..=4).map(twice).any(|twice| message.ends_with(&twice)), "{failure}");
    assert!(failure.shrunk);
    assert!(failure.schedule.len() < 40, "{failure}");
}

#[test]
fn a_server_that_keeps_its_answers_does_everything_once() {
    for policy in POLICIES {
        assert_eq!(explore(Version::ExactlyOnce, policy).unwrap().runs, SEEDS);
    }
}

#[test]
fn one_that_forgets_is_found_and_its_line_repeats_it() {
    for version in [Version::Forgetful, Version::Late] {
        for policy in POLICIES {
            let failure = explore(version, policy).unwrap_err();
            check(&failure);
            let again = replay(version, &failure.replay).unwrap_err();
            assert_eq!((&again.schedule, &again.replay), (&failure.schedule, &failure.replay));
            assert_eq!(replay(Version::ExactlyOnce, &failure.replay).unwrap().runs, 1);
        }
    }
}
