//! How often the driver is looked at while work is ready.

use std::cell::Cell;
use std::time::Duration;

use crate::time::Time;

/// Looks are to be about this far apart, in nanoseconds.
const AIM: u64 = 50_000;
/// After as many at most the clock is read, in case that those that run now take longer than those before.
const UNTIMED: u32 = 128;

/// Decides how many tasks run between two looks at the driver: a look is a system call, which costs as much as fifty
/// switches, and what it would find may wait for some tens of microseconds. The clock costs as much as two, so it is read
/// between.
#[derive(Debug)]
pub(super) struct Cadence {
    /// Between two looks: what the driver allows.
    most: u32,
    /// Until the next reading of the clock, at present; 0 if the next turn is to look.
    limit: Cell<u64>,
    /// How many have run, ever.
    ran: Cell<u64>,
    /// As many had at the last look.
    looked: Cell<u64>,
    looked_at: Cell<Time>,
    /// As many had when the clock was last read.
    timed: Cell<u64>,
    /// When as many have run, the next turn is not a plain one: the time is to be looked at, or something else.
    plain_until: Cell<u64>,
    /// No turn is a plain one.
    never_plain: Cell<bool>,
}

impl Cadence {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most: most.max(1),
            limit: Cell::new(0),
            ran: Cell::new(0),
            looked: Cell::new(0),
            looked_at: Cell::new(Time::ZERO),
            timed: Cell::new(0),
            plain_until: Cell::new(0),
            never_plain: Cell::new(false),
        }
    }

    /// Whether the next turn is to look at the driver. Reads the clock with `now` where that is needed to tell.
    pub(super) fn is_due(&self, now: impl FnOnce() -> Time) -> bool {
        if !self.is_untimed() {
            return false;
        }
        let left = u64::from(self.most).saturating_sub(self.ran.get() - self.looked.get());
        if left == 0 || self.limit.get() == 0 {
            return true;
        }
        let took = nanoseconds(now().since(self.looked_at.get()));
        if took >= AIM {
            return true;
        }
        self.set_limit(AIM - took, took, left);
        self.note_attended();
        false
    }

    /// Whether as many have run as may without a reading of the clock.
    pub(super) fn is_untimed(&self) -> bool {
        self.ran.get() >= self.timed_until()
    }

    fn timed_until(&self) -> u64 {
        self.timed.get().saturating_add(self.limit.get())
    }

    /// The clock was read just now, which is `took` after the last look. Until it is read again, as many run as are expected
    /// to take `left` nanoseconds, and no more than `most`.
    fn set_limit(&self, left: u64, took: u64, most: u64) {
        let ran = self.ran.get() - self.looked.get();
        let fit = left.saturating_mul(ran) / took.max(1);
        self.limit.set(fit.clamp(1, most.min(UNTIMED.into())));
        self.timed.set(self.ran.get());
    }

    /// Whether neither a look is due nor [`attend`](Self::attend) was called: one comparison for both.
    #[inline(always)]
    pub(super) fn is_plain(&self) -> bool {
        self.ran.get() < self.plain_until.get()
    }

    /// The next turn is to see to something else than what is ready.
    pub(super) fn attend(&self) {
        self.plain_until.set(0);
    }

    /// It was seen to.
    pub(super) fn note_attended(&self) {
        self.plain_until.set(if self.never_plain.get() { 0 } else { self.timed_until() });
    }

    /// Whether every turn is to be seen to, or only some.
    pub(super) fn set_never_plain(&self, never: bool) {
        self.never_plain.set(never);
        self.attend();
    }

    /// So many have run.
    #[inline(always)]
    pub(super) fn note_run(&self, count: usize) {
        self.ran.set(self.ran.get().wrapping_add(count as u64));
    }

    /// How many have run, ever.
    pub(super) fn ran(&self) -> u64 {
        self.ran.get()
    }

    /// The driver was looked at, and now it is `now`. A look that waited says nothing of how long those that ran took.
    pub(super) fn note_look(&self, now: Time, waited: bool) {
        let took = nanoseconds(now.since(self.looked_at.replace(now)));
        if waited || self.ran.get() == self.looked.get() {
            self.limit.set(self.limit.get().max(1));
            self.timed.set(self.ran.get());
        } else {
            self.set_limit(AIM, took, self.most.into());
        }
        self.looked.set(self.ran.get());
        self.note_attended();
    }

    /// The next turn looks.
    pub(super) fn hurry(&self) {
        self.limit.set(0);
        self.attend();
    }

    /// Whether looks are spared at all.
    pub(super) fn is_patient(&self) -> bool {
        self.most > 1
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many run until the next look, if each takes `nanos`.
    fn until_next_look(cadence: &Cadence, clock: &mut i64, nanos: i64) -> u32 {
        let mut ran = 0;
        while !cadence.is_due(|| Time::from_nanos(*clock)) {
            cadence.note_run(1);
            ran += 1;
            *clock += nanos;
        }
        cadence.note_look(Time::from_nanos(*clock), false);
        ran
    }

    /// Whether a look is due in spite of the time.
    fn is_due(cadence: &Cadence) -> bool {
        cadence.is_due(|| Time::ZERO)
    }

    #[test]
    fn looks_come_nearer_where_tasks_take_longer() {
        let (cadence, mut clock) = (Cadence::new(512), 0);
        let mut settled = |nanos| {
            for _ in 0..10 {
                until_next_look(&cadence, &mut clock, nanos);
            }
            until_next_look(&cadence, &mut clock, nanos)
        };
        assert_eq!([10, 200, 1_000, 1_000_000, 10].map(&mut settled), [512, 250, 50, 1, 512]);
    }

    #[test]
    fn tasks_that_suddenly_take_longer_are_noticed_when_the_clock_is_read() {
        let (cadence, mut clock) = (Cadence::new(512), 0);
        let mut next = |nanos| until_next_look(&cadence, &mut clock, nanos);
        assert_eq!([10, 10, 1_000_000, 1_000_000].map(&mut next), [0, 512, 128, 1]);
    }

    #[test]
    fn a_wait_is_no_measure() {
        let (cadence, mut clock) = (Cadence::new(128), 0);
        for _ in 0..10 {
            until_next_look(&cadence, &mut clock, 10);
        }
        cadence.note_run(1);
        cadence.note_look(Time::from_nanos(clock + 1_000_000_000), true);
        clock += 1_000_000_000;
        assert_eq!(until_next_look(&cadence, &mut clock, 10), 128);
    }

    #[test]
    fn the_first_turn_looks_and_so_does_one_that_is_hurried() {
        let cadence = Cadence::new(128);
        assert!(is_due(&cadence));
        cadence.note_look(Time::from_nanos(1), false);
        assert!(!is_due(&cadence));
        cadence.hurry();
        assert!(is_due(&cadence));
        cadence.note_look(Time::from_nanos(2), false);
        assert!(!is_due(&cadence));
    }

    #[test]
    fn a_turn_is_plain_until_a_look_is_due_or_somebody_asks() {
        let cadence = Cadence::new(128);
        assert!(!cadence.is_plain());
        // 100 nanoseconds each, so that 500 fit: all that the driver allows.
        cadence.note_run(1);
        cadence.note_look(Time::from_nanos(100), false);
        cadence.note_run(127);
        assert!(cadence.is_plain());
        cadence.attend();
        assert!(!cadence.is_plain() && !is_due(&cadence));
        cadence.note_attended();
        assert!(cadence.is_plain());
        cadence.note_run(1);
        assert!(!cadence.is_plain() && is_due(&cadence));
        // It stays due, whatever else is seen to.
        cadence.note_attended();
        assert!(!cadence.is_plain());
    }

    #[test]
    fn an_exact_driver_is_looked_at_every_time() {
        let (cadence, mut clock) = (Cadence::new(1), 0);
        cadence.note_look(Time::ZERO, false);
        assert!((0..10).all(|_| until_next_look(&cadence, &mut clock, 1) == 1));
    }
}
