//! CPython's `random` module, as far as the programs draw from it: the same seed gives the same numbers.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;

use rand_mt::Mt;

/// A seeded random number generator that draws what `random.seed(…)` and `random.randint(…)` of CPython draw.
///
/// Cloning gives another handle to the same sequence: the tasks of a program share one, as they share the module
/// in Python, so that the order of their draws shows in the results.
///
/// # Examples
///
/// ```
/// use coro_examples::python_random::PythonRandom;
///
/// let random = PythonRandom::seed(12);
/// let draws: Vec<u32> = (0..6).map(|_| random.randint(0..=10)).collect();
/// assert_eq!(draws, [7, 4, 10, 8, 10, 5]);
/// ```
///
/// # References
///
/// [`random.seed`](https://docs.python.org/3/library/random.html#random.seed), and `init_by_array` and
/// `_randbelow_with_getrandbits` in CPython's sources.
#[derive(Clone)]
pub struct PythonRandom(Rc<RefCell<Mt>>);

impl PythonRandom {
    /// `random.seed(seed)`: the generator is keyed with the 32-bit words of the absolute value, the lowest first.
    pub fn seed(seed: i128) -> Self {
        let mut rest = seed.unsigned_abs();
        let mut key = Vec::new();
        // Zero has one word too.
        while key.is_empty() || rest != 0 {
            key.push((rest & u128::from(u32::MAX)) as u32);
            rest >>= 32;
        }
        Self(Rc::new(RefCell::new(Mt::new_with_key(key))))
    }

    /// `random.randint(low, high)`: both ends included.
    ///
    /// # Panics
    ///
    /// If the range is empty, where Python raises a `ValueError`.
    pub fn randint(&self, range: RangeInclusive<u32>) -> u32 {
        assert!(!range.is_empty(), "randint needs a range that is not empty: put the smaller bound first");
        let (low, high) = range.into_inner();
        let offset = self.below(u64::from(high - low) + 1);
        // The offset is at most `high - low`.
        low + offset as u32
    }

    /// A number below `n`, which is not zero: draws of as many bits as `n` has, until one is below it.
    fn below(&self, n: u64) -> u64 {
        let bits = u64::BITS - n.leading_zeros();
        loop {
            let draw = self.getrandbits(bits);
            if draw < n {
                return draw;
            }
        }
    }

    /// Up to 64 random bits, filled with 32-bit draws from the lowest; the last draw gives its upper bits.
    fn getrandbits(&self, bits: u32) -> u64 {
        let mut random = self.0.borrow_mut();
        let mut draw = |bits: u32| u64::from(random.next_u32() >> (32 - bits));
        if bits <= 32 {
            return draw(bits);
        }
        let low = draw(32);
        low | draw(bits - 32) << 32
    }
}

impl fmt::Debug for PythonRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PythonRandom").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first six numbers of `random.seed(seed)`, then `random.randint(0, 10)`.
    fn draws(seed: i128) -> Vec<u32> {
        let random = PythonRandom::seed(seed);
        (0..6).map(|_| random.randint(0..=10)).collect()
    }

    #[test]
    fn seeds_draw_what_cpython_draws() {
        assert_eq!(draws(12), [7, 4, 10, 8, 10, 5]);
        assert_eq!(draws(0), [6, 6, 0, 4, 8, 7]);
        assert_eq!(draws(444), [4, 4, 0, 4, 7, 4]);
    }

    #[test]
    fn seeds_of_several_words_and_negative_ones_draw_what_cpython_draws() {
        assert_eq!(draws(1 << 32), [1, 5, 6, 0, 0, 9]);
        assert_eq!(draws((1 << 70) + 5), [7, 6, 7, 10, 5, 5]);
        assert_eq!(draws(-12), draws(12));
    }

    #[test]
    fn wide_and_narrow_ranges_draw_what_cpython_draws() {
        let random = PythonRandom::seed(7);
        let wide: Vec<u32> = (0..3).map(|_| random.randint(0..=u32::MAX)).collect();
        assert_eq!(wide, [647892279, 2795742288, 2301595691]);
        assert_eq!(random.randint(3..=3), 3);
        assert_eq!(random.randint(0..=1000), 596);
    }

    #[test]
    #[should_panic(expected = "put the smaller bound first")]
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tested")]
    fn empty_range_panics_with_advice() {
        PythonRandom::seed(0).randint(5..=1);
    }
}
