//! In which order what is ready runs.

use std::collections::BTreeMap;

use crate::driver::simulated::choices::Choices;
use crate::task::TaskId;

/// In which order what is ready runs.
///
/// In every one of them callbacks of one loop keep their order among themselves, as rule 2 of the loop says; what is
/// open is how tasks and callbacks interleave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// First in, first out, turn by turn: what a loop does in production. Only faults and delays are left to chance.
    Fifo,
    /// Any one, each as likely.
    Random,
    /// By priorities that are drawn at the beginning, and changed `depth - 1` times at points drawn from the first
    /// `steps` steps: finds a bug that needs `depth` steps in a certain order with a probability of at least
    /// 1 / (tasks × steps^(depth - 1)). A task that does nothing but let the others run goes behind them all.
    ///
    /// Burckhardt et al., [A Randomized Scheduler with Probabilistic Guarantees of Finding
    /// Bugs](https://doi.org/10.1145/1736020.1736040), 2010.
    Pct {
        /// How many steps must come in a certain order.
        depth: u32,
        /// About how many steps a run takes.
        steps: u32,
    },
}

impl Policy {
    /// Whether anything but the order of production is possible.
    pub(super) fn explores(self) -> bool {
        self != Self::Fifo
    }
}

/// Whose turn could be next: a task of a host, or its callbacks.
pub(super) type Who = (usize, Option<TaskId>);

/// Picks who runs next.
#[derive(Debug)]
pub(super) struct Picker {
    policy: Policy,
    priorities: BTreeMap<Who, u64>,
    /// The one that ran last and let the others run, and how often it has done so in a row.
    yielding: Option<(Who, u32)>,
    /// The lowest one so far.
    lowest: u64,
    /// After so many steps the one that runs goes to the end.
    changes: Option<Vec<u64>>,
    steps: u64,
}

/// How often one may yield in a row and stay first.
const PATIENCE: u32 = 10;

/// Those that are drawn are above it; those that are given later below.
const MIDDLE: u64 = 1 << 32;

impl Picker {
    pub(super) fn new(policy: Policy) -> Self {
        Self { policy, priorities: BTreeMap::new(), yielding: None, lowest: MIDDLE, changes: None, steps: 0 }
    }

    /// The place of the one that runs next.
    pub(super) fn pick(&mut self, ready: &[Who], choices: &mut Choices) -> usize {
        self.steps += 1;
        let count = ready.len() as u64;
        let chosen = match self.policy {
            Policy::Fifo => 0,
            Policy::Random => choices.choose(count),
            Policy::Pct { depth, steps } => choices.choose_by(count, |draw| {
                let changes = self
                    .changes
                    .get_or_insert_with(|| (1..depth).map(|_| 1 + draw(u64::from(steps.max(1)))).collect());
                let change = changes.contains(&self.steps);
                for who in ready {
                    self.priorities.entry(*who).or_insert_with(|| MIDDLE + 1 + draw(MIDDLE));
                }
                // The first one, if two drew the same.
                let highest = ready.iter().enumerate().rev().max_by_key(|(_, who)| self.priorities[who]);
                let (place, who) = highest.unwrap_or((0, &ready[0]));
                if change {
                    self.lowest -= 1;
                    self.priorities.insert(*who, self.lowest);
                }
                place as u64
            }),
        };
        chosen as usize
    }

    /// This one has run, and lets the others run, or waits. One that yields again and again waits for one of them in its
    /// way, and would keep them from running for ever.
    pub(super) fn note_step(&mut self, who: Who, yielded: bool) {
        let before = self.yielding.filter(|(last, _)| *last == who).map_or(0, |(_, times)| times);
        self.yielding = yielded.then_some((who, before + 1));
        if before + 1 >= PATIENCE
            && yielded
            && let Some(priority) = self.priorities.get_mut(&who)
        {
            self.lowest -= 1;
            *priority = self.lowest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(task: u64) -> Who {
        (0, Some(TaskId::new(task)))
    }

    fn drawing(numbers: Vec<u64>) -> Choices {
        let mut numbers = numbers.into_iter();
        Choices::drawn(Box::new(move |bound| numbers.next().unwrap() % bound))
    }

    #[test]
    fn production_takes_the_first_and_leaves_nothing_to_chance() {
        let mut choices = drawing(vec![]);
        assert_eq!(Picker::new(Policy::Fifo).pick(&[who(1), who(2)], &mut choices), 0);
        assert!(choices.record().is_empty());
    }

    #[test]
    fn a_priority_lasts_until_it_is_changed() {
        // One change, after the third step; then the priorities of the three.
        let mut choices = drawing(vec![2, 10, 30, 20]);
        let mut picker = Picker::new(Policy::Pct { depth: 2, steps: 10 });
        let all = [who(1), who(2), who(3)];
        let picked: Vec<_> = (0..5).map(|_| picker.pick(&all, &mut choices)).collect();
        assert_eq!(picked, [1, 1, 1, 2, 2]);
        // What is recorded is who ran, for any policy to repeat.
        assert_eq!(choices.record(), [1, 1, 1, 2, 2]);
    }

    #[test]
    fn who_only_yields_goes_behind_all() {
        let mut choices = drawing(vec![10, 30]);
        let mut picker = Picker::new(Policy::Pct { depth: 1, steps: 10 });
        let both = [who(1), who(2)];
        let mut runs = |yields: &dyn Fn(usize) -> bool| {
            let runs = (0..14).map(|step| {
                let picked = picker.pick(&both, &mut choices);
                picker.note_step(both[picked], yields(step));
                picked
            });
            runs.collect::<Vec<_>>()
        };
        // One that waits now and then may.
        assert_eq!(runs(&|step| step % 5 > 0), [1; 14]);
        assert_eq!(runs(&|_| true), [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
