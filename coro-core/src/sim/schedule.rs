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
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    // Its state must not be zero.
    bytes[8..].copy_from_slice(&(!seed).to_le_bytes());
    let mut random = TestRng::from_seed(RngAlgorithm::XorShift, &bytes);
    // The first numbers of near seeds are alike.
    for _ in 0..8 {
        random.random::<u64>();
    }
    Choices::drawn(Box::new(move |bound| random.random_range(0..bound)))
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
