//! When the timers of `timers-pending` are due, and how late they were.

use std::time::{Duration, Instant};

use super::meter::Meter;
use super::record::Measured;

/// A million timers are spread over a second, and the first is due two seconds after the beginning, so that a million
/// can be set before. Fewer timers have less time, at the same rate.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    timers: u64,
    first: Instant,
}

/// What a timer saw: when it was set, and how late it was.
pub type Seen = (Instant, Duration);

impl Schedule {
    /// A schedule that begins now.
    pub fn new(timers: u64) -> Self {
        Self { timers, first: Instant::now() + Duration::from_micros(2 * timers) }
    }

    /// When this timer is due. Neighbours are far apart, as they are in a program.
    pub fn due(&self, timer: u64) -> Instant {
        const PRIME: u64 = 7_919;
        self.first + Duration::from_micros(timer * PRIME % self.timers)
    }

    /// What the timers saw, as a measurement.
    pub fn measured(&self, meter: &Meter, seen: &[Seen]) -> Box<Measured> {
        let mut measured = meter.stop(seen.len() as u64);
        let mut late: Vec<_> = seen.iter().map(|(_, late)| late.as_nanos()).collect();
        late.sort_unstable();
        let median = late.get(late.len() / 2).map(|&late| u64::try_from(late).unwrap_or(u64::MAX));
        let all_pending = seen.iter().all(|&(set, _)| set < self.first);
        measured.late_ns = median;
        measured.all_pending = Some(all_pending);
        measured
    }
}
