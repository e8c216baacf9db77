//! A clock that runs at another speed.

use std::io;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Completed, Completion, Driver, Notify, Operation, Slot, Socket, SystemCalls, Wait};
use crate::time::Time;

/// Runs another driver's clock `speed` times as fast, in step with the timers.
///
/// A wait for a deadline ends exactly *at* the deadline on this clock, however late the machine woke up: while
/// the program waits only for time, its clock reads the same at every speed and under every load. So a program
/// that takes an hour can be shown in a second on a real driver, with a transcript that can be compared.
#[derive(Debug)]
pub struct Paced<D> {
    inner: D,
    speed: f64,
    now: Time,
    /// The inner clock when `now` was set.
    anchor: Time,
    /// How many waits in a row were mere polls.
    polls: u32,
}

/// After this many polls in a row the program is busy rather than waiting, and its clock moves on all the same.
const BUSY_POLLS: u32 = 1_000;

impl<D: Driver> Paced<D> {
    /// Paces `inner`.
    ///
    /// # Errors
    ///
    /// `speed` is not a positive, finite number; it comes back.
    pub fn new(inner: D, speed: f64) -> Result<Self, f64> {
        if !(speed.is_finite() && speed > 0.0) {
            return Err(speed);
        }
        let anchor = inner.now();
        Ok(Self { inner, speed, now: Time::ZERO, anchor, polls: 0 })
    }

    /// The paced clock as the inner one implies it.
    fn flowing(&self) -> Time {
        self.now + scale(self.inner.now().since(self.anchor), self.speed)
    }

    fn set(&mut self, now: Time) {
        self.now = self.now.max(now);
        self.anchor = self.inner.now();
    }

    /// When the inner clock will read what this one reads as `deadline`.
    fn inner_deadline(&self, deadline: Time) -> Time {
        self.anchor + scale(deadline.since(self.now), 1.0 / self.speed)
    }

    fn wait_with(
        &mut self,
        wait_inner: fn(&mut D, Wait, &mut Vec<Completion>) -> io::Result<()>,
        wait: Wait,
        completions: &mut Vec<Completion>,
    ) -> io::Result<()> {
        let Wait::Until(deadline) = wait else {
            wait_inner(&mut self.inner, wait, completions)?;
            self.polls = if wait == Wait::Poll { self.polls + 1 } else { BUSY_POLLS };
            if self.polls >= BUSY_POLLS {
                self.polls = 0;
                self.set(self.flowing());
            }
            return Ok(());
        };
        self.polls = 0;
        let until = self.inner_deadline(deadline);
        let before = completions.len();
        wait_inner(&mut self.inner, Wait::Until(until), completions)?;
        let in_time = completions.len() > before || self.inner.now() < until;
        self.set(if in_time { self.flowing().min(deadline) } else { deadline });
        Ok(())
    }
}

impl<D: Driver> Driver for Paced<D> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    /// Stands still between waits, and while the program has work.
    fn now(&self) -> Time {
        self.now
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        self.inner.submit(slot, operation)
    }

    fn cancel(&mut self, slot: Slot) {
        self.inner.cancel(slot);
    }

    fn begin_job(&mut self, slot: Slot) -> bool {
        self.inner.begin_job(slot)
    }

    fn close(&mut self, socket: Socket) {
        self.inner.close(socket);
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.wait_with(D::wait, wait, completions)
    }

    fn waited(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.wait_with(D::waited, wait, completions)
    }

    fn real_time(&self, wait: Wait) -> Option<Duration> {
        self.inner.real_time(match wait {
            Wait::Until(deadline) => Wait::Until(self.inner_deadline(deadline)),
            wait => wait,
        })
    }

    fn has_more(&self) -> bool {
        self.inner.has_more()
    }

    #[cfg(unix)]
    fn pollable(&self) -> Option<BorrowedFd<'_>> {
        self.inner.pollable()
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        self.inner.notifier()
    }

    fn block_for(&mut self, duration: Duration) {
        self.inner.block_for(scale(duration, 1.0 / self.speed));
        self.set(self.now + duration);
    }

    fn wall_clock(&self) -> SystemTime {
        self.inner.wall_clock()
    }

    fn random(&mut self) -> u64 {
        self.inner.random()
    }

    fn system_calls(&self) -> SystemCalls {
        self.inner.system_calls()
    }

    fn is_closed_world(&self) -> bool {
        self.inner.is_closed_world()
    }
}

/// Saturating, where `Duration::mul_f64` panics.
fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
