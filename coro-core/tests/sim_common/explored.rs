//! Programs that are drawn from the loop's random numbers, under random schedules.

use coro_core::random;
use coro_core::sim::{Explorer, Policy, Sim, World};

/// Runs a program under as many schedules as are asked for, else under these.
#[track_caller]
pub fn explore<F: Future<Output = ()> + 'static>(schedules: u64, program: fn() -> F) {
    let schedules = std::env::var("CORO_SCHEDULES").map_or(schedules, |count| count.parse().unwrap());
    let policies = [Policy::Random, Policy::Pct { depth: 3, steps: 40 }, Policy::Fifo];
    for (share, policy) in [2, 1, 1].into_iter().zip(policies) {
        let sim = Sim::new(0).policy(policy).spurious_wakes(100);
        let explored =
            Explorer::new(sim).once().explore(0..schedules * share / 4, move |_: &World| program());
        if let Err(failure) = explored {
            panic!("{policy:?}: {failure}");
        }
    }
}

/// A number below `bound`, of the loop's.
pub fn below(bound: u64) -> u64 {
    random::number() % bound
}
