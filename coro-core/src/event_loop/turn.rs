//! One turn of the loop.
//!
//! 1. If something is ready, or the loop is stopping, look at the driver without waiting; else wait until the next
//!    deadline, or for ever.
//! 2. Queue what other threads left, then what the driver completed.
//! 3. Queue the timers that are due.
//! 4. Run what is queued *by now*. What that schedules waits for the next turn.
//!
//! While work is ready, turns may share one look at the driver and one reading of the clock, as far as the driver has
//! [patience](crate::driver::Driver::patience) and the [`Cadence`](super::cadence::Cadence) says. The order stays.

use std::io;

use super::RunError;
use super::core::Core;
use super::timer::Action;
use crate::driver::Wait;

/// How many late timers one turn queues, where the driver has patience. The driver is looked at before the next.
const TIMERS_A_TURN: usize = 1024;

impl Core {
    /// One turn.
    #[inline(always)]
    pub(super) fn turn(&self) -> Result<(), RunError> {
        if !self.can_go_on() {
            self.look()?;
            // Where steps are timed, no turn can go on without a look.
            self.run_ready();
        } else {
            self.run_plainly();
        }
        Ok(())
    }

    /// Makes the loop return from its run at the end of the present turn.
    pub(super) fn stop(&self) {
        self.stopping.set(true);
        self.cadence.attend();
    }

    /// Whether there is nothing but to run what is ready: no look is due, no timer, and nobody has stopped the loop.
    #[inline(always)]
    fn can_go_on(&self) -> bool {
        !self.ready.is_empty() && self.cadence.is_plain() && self.lease.record().is_quiet()
    }

    /// Looks for what else there is: parts 1 to 3.
    #[cold]
    #[inline(never)]
    fn look(&self) -> Result<(), RunError> {
        if self.ready.is_empty() || self.stopping.get() || self.cadence.is_due(|| self.time()) {
            self.poll()?;
            self.process();
        } else {
            self.receive();
            if self.timer_is_due.get() {
                self.process();
            }
        }
        if self.stopping.get() {
            // Still: this turn is the last one.
            self.cadence.attend();
        }
        Ok(())
    }

    /// Waits, and queues what came: parts 1 and 2.
    fn poll(&self) -> Result<(), RunError> {
        self.poll_for(self.how_long())
    }

    /// Waits at most for this, and queues what came.
    pub(super) fn poll_for(&self, wait: Wait) -> Result<(), RunError> {
        let mut completions = Vec::new();
        let asleep = wait != Wait::Poll && self.lease.record().try_sleep();
        // Counted only once asleep: a handle that is dropped from then on wakes the loop.
        let stall = asleep
            && wait == Wait::Forever
            && self.inbox.handles() == 0
            && !self.jobs.wait_for_threads()
            && self.driver.borrow().is_closed_world();
        let wait = if asleep && !stall { wait } else { Wait::Poll };
        let waited = self.driver.borrow_mut().wait(wait, &mut completions);
        let woken = self.receive();
        waited?;
        self.now.set(self.time());
        self.cadence.note_look(self.now.get(), wait != Wait::Poll);
        if stall && completions.is_empty() && !woken {
            if self.ask_who_waits() {
                return Ok(());
            }
            return Err(RunError::Stalled(self.stalled()));
        }
        for completion in completions {
            self.complete(completion)?;
        }
        Ok(())
    }

    /// For what a turn may wait.
    pub(super) fn how_long(&self) -> Wait {
        if self.stopping.get() || !self.ready.is_empty() {
            return Wait::Poll;
        }
        match self.timers.borrow_mut().next_deadline() {
            Some(deadline) if !self.time_stands_still() => Wait::Until(deadline),
            _ => Wait::Forever,
        }
    }

    /// Whether the clock must not jump to a deadline: a thread does some work meanwhile, which takes no time there.
    fn time_stands_still(&self) -> bool {
        self.jobs.wait_for_threads() && self.driver.borrow().is_closed_world()
    }

    /// Queues the timers that are due by the last reading of the clock: part 3.
    pub(super) fn process(&self) {
        self.timer_is_due.set(false);
        self.cadence.note_attended();
        let most = if self.cadence.is_patient() { TIMERS_A_TURN } else { usize::MAX };
        for _ in 0..most {
            // A statement of its own: the borrow must end before a waker runs.
            let due = self.timers.borrow_mut().pop_due(self.now.get());
            let Some((deadline, action)) = due else { return };
            self.tally.note_timer(self.now.get() - deadline);
            match action {
                Action::Wake(word) => self.wake(word),
                Action::Foreign(waker) => waker.wake(),
                Action::Call(callback) => {
                    self.tally.calls.add(1);
                    self.ready.push(callback.as_runnable());
                }
            }
        }
        self.timer_is_due.set(true);
        self.cadence.hurry();
    }

    /// Runs the snapshot of the ready queue: part 4.
    pub(super) fn run_ready(&self) {
        if self.debug.is_on() { self.run_timed() } else { self.run_plainly() }
    }

    /// [`run_ready`](Self::run_ready), where nobody looks how long a step takes.
    #[inline(always)]
    fn run_plainly(&self) {
        self.note_turn(self.ready.run_all(self));
    }

    /// Asks for what a task that is to be run soon will touch, if that is worth it.
    #[inline(always)]
    pub(crate) fn fetch_upcoming(&self) {
        self.ready.fetch_upcoming();
    }

    /// So many have run in a turn.
    #[inline(always)]
    pub(super) fn note_turn(&self, ran: usize) {
        self.cadence.note_run(ran);
        self.tally.note_turn(ran);
    }

    /// Whether the run, which is over, was not cut off.
    pub(super) fn not_interrupted(&self) -> Result<(), RunError> {
        if self.interrupts.end_at_once() { Err(RunError::Interrupted) } else { Ok(()) }
    }

    /// Turns until the loop is stopped.
    pub(super) fn turn_until_stopped(&self) -> Result<(), RunError> {
        loop {
            let turned = self.turn();
            // Plain turns, in which nothing can fail. None is while the loop is stopping.
            while turned.is_ok() && self.can_go_on() {
                self.run_plainly();
            }
            // Cleared also on an error: the next run begins afresh.
            if self.stopping.get() || turned.is_err() {
                self.stopping.set(false);
                return turned.and_then(|()| self.not_interrupted());
            }
        }
    }
}

impl From<RunError> for io::Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Driver(error) => error,
            error => io::Error::other(error.to_string()),
        }
    }
}
