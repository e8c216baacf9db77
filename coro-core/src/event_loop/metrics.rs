//! What a loop has done so far.

use std::cell::Cell;
use std::time::Duration;

use super::Loop;
use super::core::Core;
use crate::driver::SystemCalls;

/// What a loop has done since it was made. Given by [`Loop::metrics`].
///
/// To keep it costs a few additions a turn, and none a wake: what can be told from the rest is. So it is exact between two
/// turns, and after a run; a task that asks finds its own turn not counted yet.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Turns of the loop.
    pub turns: u64,
    /// How often a task or a callback was run.
    pub resumes: u64,
    /// Tasks that were spawned.
    pub spawned: u64,
    /// How often a task was queued by its own thread: woken, cancelled, or by a timer of its own.
    pub local_wakes: u64,
    /// How often a task was woken, or calls were left, by another thread, as far as they did not coincide.
    pub remote_wakes: u64,
    /// The most that was ready in one turn.
    pub deepest_queue: usize,
    /// Timers that were set.
    pub timers_set: u64,
    /// Timers that went off.
    pub timers_fired: u64,
    /// Timers that have neither gone off nor been cancelled.
    pub timers_pending: usize,
    /// By how much the latest timer was late, on the loop's clock.
    pub latest_timer: Duration,
    /// By how much all timers together were late.
    pub lateness: Duration,
    /// What the driver asked the system for.
    pub system_calls: SystemCalls,
}

#[derive(Debug, Default)]
pub(super) struct Count(Cell<u64>);

impl Count {
    #[inline(always)]
    pub(super) fn add(&self, more: u64) {
        self.0.set(self.0.get().wrapping_add(more));
    }

    #[inline(always)]
    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }
}

/// What is counted as it happens.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) turns: Count,
    /// Callbacks that were queued.
    pub(super) calls: Count,
    pub(super) remote_wakes: Count,
    /// As far as these queued a task.
    pub(super) queued_remotely: Count,
    pub(super) deepest_queue: Cell<usize>,
    pub(super) timers_set: Count,
    pub(super) timers_fired: Count,
    /// In nanoseconds.
    pub(super) latest_timer: Cell<u64>,
    pub(super) lateness: Count,
}

impl Tally {
    #[inline(always)]
    pub(super) fn note_turn(&self, ran: usize) {
        self.turns.add(1);
        if ran > self.deepest_queue.get() {
            self.deepest_queue.set(ran);
        }
    }

    pub(super) fn note_timer(&self, late: Duration) {
        let late = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        self.timers_fired.add(1);
        self.lateness.add(late);
        self.latest_timer.set(self.latest_timer.get().max(late));
    }
}

impl Core {
    fn metrics(&self) -> Metrics {
        let tally = &self.tally;
        // Whatever is in the queue was put there by somebody.
        let queued = self.cadence.ran() + self.ready.len() as u64;
        let others = self.last_task.get() + tally.calls.get() + tally.queued_remotely.get();
        Metrics {
            turns: tally.turns.get(),
            resumes: self.cadence.ran(),
            spawned: self.last_task.get(),
            local_wakes: queued.saturating_sub(others),
            remote_wakes: tally.remote_wakes.get(),
            deepest_queue: tally.deepest_queue.get(),
            timers_set: tally.timers_set.get(),
            timers_fired: tally.timers_fired.get(),
            timers_pending: self.timers.borrow().len(),
            latest_timer: Duration::from_nanos(tally.latest_timer.get()),
            lateness: Duration::from_nanos(tally.lateness.get()),
            system_calls: self.driver.borrow().system_calls(),
        }
    }
}

impl Loop {
    /// What the loop has done so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::{EventLoop, Loop, time::yield_now};
    ///
    /// let event_loop = Loop::simulated();
    /// event_loop.run(async {
    ///     for _ in 0..10 {
    ///         yield_now().await;
    ///     }
    /// })?;
    /// let metrics = event_loop.metrics();
    /// assert_eq!((metrics.spawned, metrics.local_wakes), (1, 10));
    /// # Ok::<(), coro_core::RunError>(())
    /// ```
    pub fn metrics(&self) -> Metrics {
        self.core.metrics()
    }
}
