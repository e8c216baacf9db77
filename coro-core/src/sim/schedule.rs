//! Where the choices of a run come from: a seed, or proptest.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::Sim;
use super::replay::Recorded;
use crate::driver::simulated::choices::Choices;

/// Choices that are drawn from a seed.
pub(super) fn drawn_from(seed: u64) -> Choices {
    let mut bytes = [0; 16];
    // Else the first numbers of near seeds would be alike.
    bytes[..8].copy_from_slice(&mixed(seed).to_le_bytes());
    bytes[8..].copy_from_slice(&mixed(!seed).to_le_bytes());
    let mut random = TestRng::from_seed(RngAlgorithm::XorShift, &bytes);
    Choices::drawn(Box::new(move |bound| random.random_range(0..bound)))
}

/// A bijection in which each bit of the seed changes about half of the bits.
///
/// Steele, Lea and Flood, [Fast splittable pseudorandom number generators](https://doi.org/10.1145/2660193.2660195), 2014.
fn mixed(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

/// The choices of a run, as a property test draws and shrinks them. After them come plain ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<u64>);

/// Schedules of at most `choices` choices, for property tests that draw the input of a program as well.
///
/// ```
/// use coro_core::{gather, native::spawn, sim::{self, Sim}, time::yield_now};
/// use proptest::prelude::*;
/// use proptest::test_runner::TestRunner;
///
/// TestRunner::default()
///     .run(&(1..5_u32, sim::schedules(50)), |(tasks, schedule)| {
///         let program = move |_: &_| async move {
///             let tasks = (0..tasks).map(|task| spawn(async move { yield_now().await; task }));
///             gather(tasks).await.unwrap().len()
///         };
///         let counted = Sim::new(0).scheduled(&schedule).run(program).map_err(|failure| *failure)?;
///         prop_assert_eq!(counted, tasks as usize);
///         Ok(())
///     })
///     .unwrap();
/// ```
pub fn schedules(choices: usize) -> impl Strategy<Value = Schedule> {
    // Zeros often, so that runs are also plain for a while.
    vec(prop_oneof![1 => Just(0), 3 => any::<u64>()], 0..=choices).prop_map(Schedule)
}

impl Sim {
    /// Takes the choices from `schedule` instead of a seed.
    #[must_use]
    pub fn scheduled(mut self, schedule: &Schedule) -> Self {
        let explores = self.settings.policy.explores();
        self.recorded = Some(Recorded { choices: schedule.0.clone(), explores });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_seeds_choose_differently_from_the_first_choice_on() {
        for place in 0..4 {
            let mut chosen = [0_u32; 10];
            for seed in 0..1_000 {
                let mut choices = drawn_from(seed);
                let drawn = (0..=place).map(|_| choices.choose(1_000)).last().unwrap();
                chosen[drawn as usize / 100] += 1;
            }
            assert!(chosen.iter().all(|times| (60..=140).contains(times)), "{place}: {chosen:?}");
        }
    }
}
