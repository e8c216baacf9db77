//! Finding a simple run that fails as a long one did.

/// A record of choices gets simpler: shorter, with more zeros, with smaller numbers. `fails` runs the program with one,
/// and gives what was chosen in fact if it fails in the same way.
pub(super) fn shrink(
    record: Vec<u64>,
    most_runs: usize,
    fails: &mut dyn FnMut(&[u64]) -> Option<Vec<u64>>,
) -> Vec<u64> {
    let mut shrinking = Shrinking { best: trimmed(record), left: most_runs, fails };
    loop {
        let before = shrinking.best.clone();
        shrinking.remove_blocks();
        shrinking.zero_blocks();
        shrinking.lower_numbers();
        if shrinking.best == before || shrinking.left == 0 {
            return shrinking.best;
        }
    }
}

struct Shrinking<'a> {
    best: Vec<u64>,
    left: usize,
    fails: &'a mut dyn FnMut(&[u64]) -> Option<Vec<u64>>,
}

impl Shrinking<'_> {
    /// Keeps a candidate, if it is simpler and still fails.
    fn offer(&mut self, candidate: Vec<u64>) -> bool {
        if self.left == 0 || cost(&candidate) >= cost(&self.best) {
            return false;
        }
        self.left -= 1;
        let Some(chosen) = (self.fails)(&candidate).map(trimmed) else { return false };
        let kept = if cost(&chosen) <= cost(&candidate) { chosen } else { trimmed(candidate) };
        let better = cost(&kept) < cost(&self.best);
        if better {
            self.best = kept;
        }
        better
    }

    /// From large blocks to small ones, from the end.
    fn over_blocks(&mut self, change: impl Fn(&mut Vec<u64>, std::ops::Range<usize>)) {
        let mut size = self.best.len().next_power_of_two();
        while size > 0 {
            let mut end = self.best.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut candidate = self.best.clone();
                change(&mut candidate, start..end);
                self.offer(candidate);
                end = start.min(self.best.len());
            }
            size /= 2;
        }
    }

    fn remove_blocks(&mut self) {
        self.over_blocks(|candidate, block| drop(candidate.drain(block)));
    }

    fn zero_blocks(&mut self) {
        self.over_blocks(|candidate, block| candidate[block].fill(0));
    }

    fn lower_numbers(&mut self) {
        for place in 0..self.best.len() {
            let mut step = self.best.get(place).map_or(0, |number| number.div_ceil(2));
            while step > 0 {
                let Some(number) = self.best.get(place).copied() else { return };
                let mut candidate = self.best.clone();
                candidate[place] = number.saturating_sub(step);
                if number < step || !self.offer(candidate) {
                    step /= 2;
                }
            }
        }
    }
}

/// Zeros at the end come by themselves.
fn trimmed(mut record: Vec<u64>) -> Vec<u64> {
    let used = record.iter().rposition(|choice| *choice > 0).map_or(0, |last| last + 1);
    record.truncate(used);
    record
}

fn cost(record: &[u64]) -> (usize, usize, u128) {
    let sum = record.iter().map(|choice| u128::from(*choice)).sum();
    (record.iter().filter(|choice| **choice > 0).count(), record.len(), sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk(record: Vec<u64>, fails: impl Fn(&[u64]) -> bool) -> (Vec<u64>, usize) {
        let mut runs = 0;
        let mut fails = |candidate: &[u64]| {
            runs += 1;
            fails(candidate).then(|| candidate.to_vec())
        };
        let shrunk = shrink(record, 10_000, &mut fails);
        (shrunk, runs)
    }

    #[test]
    fn what_matters_stays() {
        let record: Vec<_> = (0..200).map(|number| number * 7 % 13).collect();
        let (simple, runs) =
            shrunk(record, |choices| choices.iter().filter(|choice| **choice >= 5).count() >= 2);
        assert_eq!(simple, [5, 5]);
        assert!(runs < 500, "{runs}");
    }

    #[test]
    fn places_are_kept_where_they_matter() {
        let (simple, _) = shrunk(vec![9; 20], |choices| choices.get(10).is_some_and(|choice| *choice > 3));
        assert_eq!(simple, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
    }

    #[test]
    fn what_always_fails_needs_no_choice() {
        assert_eq!(shrunk((1..1_000).collect(), |_| true).0, []);
    }

    #[test]
    fn it_stops_after_so_many_runs() {
        let mut runs = 0;
        let mut fails = |candidate: &[u64]| {
            runs += 1;
            Some(candidate.to_vec())
        };
        shrink((1..1_000_000).collect(), 3, &mut fails);
        assert!(runs <= 3);
    }
}
