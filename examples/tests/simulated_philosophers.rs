//! The philosophers: their deadlock is found, shrunk and told with its circle, and an order among the forks ends it.

use coro_core::Loop;
use coro_core::sim::{Failure, FailureKind, Policy};
use coro_core::stats::Flavour;
use coro_examples::simulated::philosophers::{Version, run, study};
use coro_examples::simulated::{Found, Study};

fn explore(flavour: Flavour, version: Version, policy: Policy) -> Found {
    study(flavour, version, &Study::seeds(policy, 0..1_000)).expect("nothing is replayed")
}

fn replay(flavour: Flavour, version: Version, line: &str) -> Found {
    study(flavour, version, &Study::replay(line)).expect("it is a line of this program")
}

/// Plato eats, and comes again before Socrates has noticed that a fork was left for him.
fn schedule(flavour: Flavour) -> Vec<String> {
    let steps = [
        "main, begun: waits for the next of several tasks",
        "Plato, spawned by main: lets the others run",
        "Plato, its turn again: lets the others run",
        "Voltaire, spawned by main: lets the others run",
        "Socrates, spawned by main: lets the others run",
        "Socrates, its turn again: waits for lock 1",
        "Plato, its turn again: lets the others run",
        "Plato, its turn again: waits for lock 1",
        "Voltaire, its turn again: waits for lock 2",
        "Socrates, woken by Plato: waits for lock 3",
    ];
    steps.map(|step| format!("0.000000000  {}", step.replacen(',', &format!(" ({flavour}),"), 1))).into()
}

/// Who has taken a lock is the report's to say: at the end.
#[track_caller]
fn check(failure: &Failure, flavour: Flavour) {
    let step = |line: &String| line.split(", taken by ").next().map(str::to_string);
    let steps: Vec<_> = failure.schedule.iter().filter_map(step).collect();
    assert_eq!(steps, schedule(flavour), "{failure}");
    assert!(matches!(failure.kind, FailureKind::Stalled(_)), "{failure}");
    assert!(failure.to_string().contains("\n  a deadlock: "), "{failure}");
}

#[test]
fn in_the_order_of_production_all_of_them_eat() {
    for flavour in Flavour::ALL {
        run(flavour, Version::LeftFirst, &Loop::simulated()).unwrap();
        let explored = explore(flavour, Version::LeftFirst, Policy::Fifo).unwrap();
        assert_eq!(explored.runs, 1_000, "{flavour}");
    }
}

#[test]
fn in_another_they_starve() {
    for flavour in Flavour::ALL {
        let failure = explore(flavour, Version::LeftFirst, Policy::Random).unwrap_err();
        assert!(failure.shrunk);
        check(&failure, flavour);
        let again = replay(flavour, Version::LeftFirst, &failure.replay).unwrap_err();
        check(&again, flavour);
        assert_eq!((again.schedule, again.replay), (failure.schedule, failure.replay));
    }
}

#[test]
fn the_report_names_the_circle() {
    let failure = explore(Flavour::Native, Version::LeftFirst, Policy::Random).unwrap_err();
    let FailureKind::Stalled(report) = &failure.kind else { panic!("{failure}") };
    let waits: Vec<_> = report.lines().filter_map(|line| Some(line.split_once(" waits ")?.1)).collect();
    let expected = [
        "for the next of several tasks",
        "for lock 1, taken by Socrates",
        "for lock 3, taken by Voltaire",
        "for lock 2, taken by Plato",
    ];
    assert_eq!(waits, expected, "{failure}");
    assert!(report.ends_with("\n  a deadlock: Plato → Socrates → Voltaire → Plato"), "{failure}");
}

#[test]
fn with_an_order_among_the_forks_nobody_starves() {
    let failure = explore(Flavour::Native, Version::LeftFirst, Policy::Random).unwrap_err();
    for flavour in Flavour::ALL {
        for policy in [Policy::Random, Policy::Pct { depth: 3, steps: 30 }] {
            assert_eq!(explore(flavour, Version::LowestFirst, policy).unwrap().runs, 1_000, "{flavour}");
        }
        assert_eq!(replay(flavour, Version::LowestFirst, &failure.replay).unwrap().runs, 1, "{flavour}");
    }
}
