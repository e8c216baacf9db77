//! Where a simulated world gets what is left to chance.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What is left to chance, choice by choice. A choice is a number below a bound, and zero is always the plain
/// possibility: the oldest, the whole, no fault, no delay. So a record that is shortened, or has numbers replaced by
/// zero, is a simpler run of the same program.
#[derive(Default)]
pub(crate) struct Choices {
    source: Source,
    record: Vec<u64>,
    digest: Digest,
}

/// Gives a number below the bound.
pub(crate) type Draw = Box<dyn FnMut(u64) -> u64>;

#[derive(Default)]
enum Source {
    /// Always zero: a world without a seed.
    #[default]
    Plain,
    Drawn(Draw),
    /// Then zero.
    Recorded(std::vec::IntoIter<u64>),
}

impl Choices {
    pub(crate) fn drawn(draw: Draw) -> Self {
        Self { source: Source::Drawn(draw), ..Self::default() }
    }

    pub(crate) fn recorded(record: Vec<u64>) -> Self {
        Self { source: Source::Recorded(record.into_iter()), ..Self::default() }
    }

    /// Whether there is anything but the plain possibility.
    pub(crate) fn are_open(&self) -> bool {
        !matches!(self.source, Source::Plain)
    }

    /// Chooses one of `bound` possibilities.
    pub(crate) fn choose(&mut self, bound: u64) -> u64 {
        self.choose_by(bound, |draw| draw(bound))
    }

    /// Chooses one of `bound` possibilities as `pick` does, which is given something to draw from. A record knows
    /// better.
    pub(crate) fn choose_by(&mut self, bound: u64, pick: impl FnOnce(&mut Draw) -> u64) -> u64 {
        if bound <= 1 {
            return 0;
        }
        let chosen = match &mut self.source {
            Source::Plain => return 0,
            Source::Drawn(draw) => pick(draw),
            Source::Recorded(record) => record.next().unwrap_or(0),
        };
        let chosen = if chosen < bound { chosen } else { chosen % bound };
        self.record.push(chosen);
        self.digest.add(bound);
        self.digest.add(chosen);
        chosen
    }

    /// Whether something happens that does so `per_mille` times of a thousand.
    pub(crate) fn happens(&mut self, per_mille: u16) -> bool {
        per_mille > 0 && self.choose(1_000) >= 1_000_u64.saturating_sub(per_mille.into())
    }

    /// A duration, plainly the shortest.
    pub(crate) fn duration(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let span = u64::try_from(range.end().saturating_sub(*range.start()).as_nanos()).unwrap_or(u64::MAX);
        *range.start() + Duration::from_nanos(self.choose(span.saturating_add(1)))
    }

    /// A number for the program.
    pub(crate) fn random(&mut self) -> u64 {
        if self.are_open() {
            // The largest number never comes.
            return self.choose(u64::MAX);
        }
        // Without a seed, the same ones in every run.
        self.digest.add(0);
        self.digest.value()
    }

    /// What was chosen so far.
    pub(crate) fn record(&self) -> &[u64] {
        &self.record
    }

    /// Of all that must be the same when a run is repeated.
    pub(crate) fn digest(&mut self) -> &mut Digest {
        &mut self.digest
    }
}

impl fmt::Debug for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choices").field("made", &self.record.len()).finish_non_exhaustive()
    }
}

/// A number that tells two histories apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digest(DefaultHasher);

impl Digest {
    pub(crate) fn add(&mut self, number: u64) {
        self.0.write_u64(number);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_the_same_again_and_then_the_plain_one() {
        let mut numbers = [5, 1_000, 2].into_iter();
        let mut drawn = Choices::drawn(Box::new(move |bound| numbers.next().unwrap() % bound));
        let first = [drawn.choose(10), drawn.choose(1_000_000), drawn.choose(1), drawn.choose(3)];
        assert_eq!(first, [5, 1_000, 0, 2]);
        // Where there is no choice there is nothing to record.
        assert_eq!(drawn.record(), [5, 1_000, 2]);
        let mut again = Choices::recorded(drawn.record().to_vec());
        assert_eq!([again.choose(10), again.choose(1_000_000), again.choose(1), again.choose(3)], first);
        assert_eq!(again.digest().value(), drawn.digest().value());
        assert_eq!(again.choose(10), 0);
        assert_ne!(again.digest().value(), drawn.digest().value());
    }

    #[test]
    fn a_number_that_is_too_large_is_brought_down() {
        let mut choices = Choices::recorded(vec![7, 7]);
        assert_eq!([choices.choose(3), choices.choose(10)], [1, 7]);
        assert_eq!(choices.record(), [1, 7]);
    }

    #[test]
    fn what_never_happens_is_no_choice_and_what_always_happens_does() {
        let mut choices = Choices::recorded(vec![0, 999, 0]);
        assert!(!choices.happens(0));
        assert!(choices.record().is_empty());
        assert_eq!([choices.happens(1_000), choices.happens(1), choices.happens(1)], [true, true, false]);
    }

    #[test]
    fn without_a_seed_the_numbers_for_the_program_are_the_same_in_every_run() {
        let numbers = || {
            let mut choices = Choices::default();
            [choices.random(), choices.random()]
        };
        assert_eq!(numbers(), numbers());
        assert_ne!(numbers()[0], numbers()[1]);
    }
}
