//! The clock of the driver: the system's monotonic one, and for a millisecond after each look at that the processor's
//! time-stamp counter, which takes less than half as long to read. A timer reads the clock when it begins.
//!
//! The counter is used only where the kernel itself keeps time by it, and says that it never stops or changes its rate.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::sync::OnceLock;

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::time::Time;

/// For how long the counter is believed, in nanoseconds.
const BELIEVED: u64 = 1_000_000;
/// The rate is measured over at least this long, first and from then on.
const FIRST_MEASURE: i64 = 10_000_000;
const MEASURE: i64 = 1_000_000_000;

/// What time is told by.
pub(super) trait Source {
    /// Nanoseconds, from any start. Never backwards.
    fn nanos(&self) -> i64;

    /// The counter, if there is one to rely on.
    fn ticks(&self) -> Option<u64>;
}

pub(super) struct Clock<S = System> {
    source: S,
    /// What the system's clock showed at the start.
    start: i64,
    /// The last look at the system's clock: what it showed, and the counter.
    looked: Cell<(i64, u64)>,
    /// Where the measure of the rate began.
    measured: Cell<(i64, u64)>,
    /// Nanoseconds a tick, times 2³²; 0 before it was measured.
    rate: Cell<u64>,
    /// What was told last.
    told: Cell<i64>,
}

impl<S: Source> Clock<S> {
    pub(super) fn new(source: S) -> Self {
        let start = source.nanos();
        let looked = (start, source.ticks().unwrap_or(0));
        Self {
            source,
            start,
            looked: Cell::new(looked),
            measured: Cell::new(looked),
            rate: Cell::new(0),
            told: Cell::new(start),
        }
    }

    /// The time since the start. Never backwards.
    #[inline]
    pub(super) fn now(&self) -> Time {
        let nanos = self.by_counter().unwrap_or_else(|| self.source.nanos()).max(self.told.get());
        self.told.set(nanos);
        Time::from_nanos(nanos - self.start)
    }

    #[inline]
    fn by_counter(&self) -> Option<i64> {
        let rate = self.rate.get();
        if rate == 0 {
            return None;
        }
        let (nanos, ticks) = self.looked.get();
        let passed = self.source.ticks()?.checked_sub(ticks)?.checked_mul(rate)? >> 32;
        (passed < BELIEVED).then_some(nanos + passed as i64)
    }

    /// Looks at the system's clock.
    pub(super) fn look(&self) {
        let Some(ticks) = self.source.ticks() else { return };
        let nanos = self.source.nanos();
        self.looked.set((nanos, ticks));
        let (since, from) = self.measured.get();
        let span = nanos - since;
        if span < if self.rate.get() == 0 { FIRST_MEASURE } else { MEASURE } {
            return;
        }
        self.measured.set((nanos, ticks));
        let counted = ticks.checked_sub(from).filter(|counted| *counted > 0);
        let rate = counted.map_or(0, |counted| ((span as u128) << 32) / u128::from(counted));
        let rate = u64::try_from(rate).unwrap_or(0);
        // A machine that slept, or was moved to another one, counts more than passed, or less: then it is measured anew.
        let before = self.rate.get();
        let is_plausible = before == 0 || rate.abs_diff(before) < before / 100;
        self.rate.set(if is_plausible { rate } else { 0 });
    }
}

impl<S> fmt::Debug for Clock<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("rate", &self.rate.get()).finish_non_exhaustive()
    }
}

/// The system's clock, and the counter if that can be relied on.
pub(super) struct System {
    has_counter: bool,
}

impl System {
    pub(super) fn new() -> Self {
        static HAS_COUNTER: OnceLock<bool> = OnceLock::new();
        Self { has_counter: *HAS_COUNTER.get_or_init(has_counter) }
    }
}

impl Source for System {
    fn nanos(&self) -> i64 {
        let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
        tv_sec.saturating_mul(1_000_000_000).saturating_add(tv_nsec)
    }

    #[inline(always)]
    fn ticks(&self) -> Option<u64> {
        self.has_counter.then(counter)
    }
}

/// Whether the kernel keeps time by the counter: it checks that this is the same on all cores, and gives it up if not.
fn has_counter() -> bool {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(all(target_arch = "x86_64", not(miri)))
        && std::fs::read_to_string(path).is_ok_and(|source| source.trim() == "tsc")
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn counter() -> u64 {
    // SAFETY: every x86-64 processor has it, and a kernel that keeps time by it lets programs read it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn counter() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system whose clock is read by hand, and a counter of four ticks a nanosecond.
    #[derive(Default)]
    struct ByHand {
        nanos: Cell<i64>,
        ticks: Cell<u64>,
        looks: Cell<u32>,
    }

    impl Source for &ByHand {
        fn nanos(&self) -> i64 {
            self.looks.set(self.looks.get() + 1);
            self.nanos.get()
        }

        fn ticks(&self) -> Option<u64> {
            Some(self.ticks.get())
        }
    }

    impl ByHand {
        fn pass(&self, nanos: i64) {
            self.nanos.set(self.nanos.get() + nanos);
            self.ticks.set(self.ticks.get() + 4 * nanos as u64);
        }

        /// What the clock tells, and whether it asked the system.
        fn told(&self, clock: &Clock<&Self>) -> (i64, bool) {
            let before = self.looks.get();
            (clock.now().as_nanos(), self.looks.get() > before)
        }
    }

    fn measured(by_hand: &ByHand) -> Clock<&ByHand> {
        let clock = Clock::new(by_hand);
        by_hand.pass(FIRST_MEASURE);
        clock.look();
        clock
    }

    #[test]
    fn the_counter_is_believed_for_a_millisecond() {
        let by_hand = ByHand::default();
        let clock = measured(&by_hand);
        by_hand.pass(500_000);
        assert_eq!(by_hand.told(&clock), (10_500_000, false));
        by_hand.pass(600_000);
        assert_eq!(by_hand.told(&clock), (11_100_000, true));
        clock.look();
        by_hand.pass(1);
        assert_eq!(by_hand.told(&clock), (11_100_001, false));
    }

    #[test]
    fn before_it_is_measured_the_system_is_asked() {
        let by_hand = ByHand::default();
        let clock = Clock::new(&by_hand);
        by_hand.pass(5_000);
        clock.look();
        assert_eq!(by_hand.told(&clock), (5_000, true));
    }

    #[test]
    fn a_counter_that_jumps_is_not_believed() {
        let by_hand = ByHand::default();
        let clock = measured(&by_hand);
        for ticks in [0, u64::MAX] {
            by_hand.ticks.set(ticks);
            by_hand.nanos.set(by_hand.nanos.get() + 7);
            assert!(by_hand.told(&clock).1, "{ticks}");
        }
    }

    #[test]
    fn time_never_goes_backwards() {
        let by_hand = ByHand::default();
        let clock = measured(&by_hand);
        // The counter runs ahead of the clock for a while.
        by_hand.ticks.set(by_hand.ticks.get() + 4 * 9_000);
        assert_eq!(by_hand.told(&clock).0, 10_009_000);
        by_hand.nanos.set(by_hand.nanos.get() + 1_000);
        clock.look();
        assert_eq!(by_hand.told(&clock).0, 10_009_000);
        by_hand.pass(8_500);
        assert!(by_hand.told(&clock).0 >= 10_009_400);
    }

    #[test]
    fn a_counter_that_ran_on_while_the_clock_stood_still_is_measured_anew() {
        let by_hand = ByHand::default();
        let clock = measured(&by_hand);
        by_hand.ticks.set(by_hand.ticks.get() + (1 << 40));
        by_hand.pass(MEASURE);
        clock.look();
        by_hand.pass(1);
        assert!(by_hand.told(&clock).1);
        by_hand.pass(FIRST_MEASURE);
        clock.look();
        by_hand.pass(1);
        assert_eq!(by_hand.told(&clock), (by_hand.nanos.get(), false));
    }

    #[test]
    fn a_counter_that_stands_still_is_not_measured() {
        let by_hand = ByHand::default();
        let clock = Clock::new(&by_hand);
        by_hand.nanos.set(FIRST_MEASURE);
        clock.look();
        by_hand.nanos.set(FIRST_MEASURE + 1);
        assert_eq!(by_hand.told(&clock), (FIRST_MEASURE + 1, true));
    }
}
