//! How often the driver is looked at while work is ready.

use std::cell::Cell;

use crate::time::Time;

/// The next look is to be about this far away, in nanoseconds.
const AIM: u64 = 50_000;

/// Decides how many tasks run between two looks at the driver: a look is a system call, which costs as much as twenty
/// switches, and what it would find may wait for some tens of microseconds.
#[derive(Debug)]
pub(super) struct Cadence {
    /// What the driver allows.
    most: u32,
    /// Between two looks, at present; 0 if the next turn is to look.
    limit: Cell<u64>,
    /// How many have run, ever.
    ran: Cell<u64>,
    /// As many had at the last look.
    looked: Cell<u64>,
    looked_at: Cell<Time>,
    /// When as many have run, the next turn is not a plain one: a look is due, or something else.
    plain_until: Cell<u64>,
}

impl Cadence {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most: most.max(1),
            limit: Cell::new(0),
            ran: Cell::new(0),
            looked: Cell::new(0),
            looked_at: Cell::new(Time::ZERO),
            plain_until: Cell::new(0),
        }
    }

    /// Whether it is time to look at the driver.
    pub(super) fn is_due(&self) -> bool {
        self.ran.get() >= self.due()
    }

    fn due(&self) -> u64 {
        self.looked.get().saturating_add(self.limit.get())
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
        self.plain_until.set(self.due());
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
        let ran = self.ran.get() - self.looked.replace(self.ran.get());
        let took = now.since(self.looked_at.replace(now)).as_nanos();
        let limit = if waited || ran == 0 {
            self.limit.get().max(1)
        } else {
            let took = u64::try_from(took).unwrap_or(u64::MAX).max(1);
            (AIM.saturating_mul(ran) / took).clamp(1, self.most.into())
        };
        self.limit.set(limit);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many run until the next look, if each takes `nanos`.
    fn until_next_look(cadence: &Cadence, clock: &mut i64, nanos: i64) -> u32 {
        let mut ran = 0;
        while !cadence.is_due() {
            cadence.note_run(1);
            ran += 1;
            *clock += nanos;
        }
        cadence.note_look(Time::from_nanos(*clock), false);
        ran
    }

    #[test]
    fn looks_come_nearer_where_tasks_take_longer() {
        let (cadence, mut clock) = (Cadence::new(128), 0);
        let mut settled = |nanos| {
            for _ in 0..10 {
                until_next_look(&cadence, &mut clock, nanos);
            }
            until_next_look(&cadence, &mut clock, nanos)
        };
        assert_eq!([10, 1_000, 1_000_000, 10].map(&mut settled), [128, 50, 1, 128]);
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
        assert!(cadence.is_due());
        cadence.note_look(Time::from_nanos(1), false);
        assert!(!cadence.is_due());
        cadence.hurry();
        assert!(cadence.is_due());
        cadence.note_look(Time::from_nanos(2), false);
        assert!(!cadence.is_due());
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
        assert!(!cadence.is_plain() && !cadence.is_due());
        cadence.note_attended();
        assert!(cadence.is_plain());
        cadence.note_run(1);
        assert!(!cadence.is_plain() && cadence.is_due());
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
