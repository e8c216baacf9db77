//! Ticks, one each period.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;

use super::{Sleep, Time, now, sleep, sleep_until};
use crate::event_loop::Core;

/// What an [`Interval`] does about the ticks that were due while nobody waited for them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissedTicks {
    /// It leaves them out: the next tick is the next one of the original series that is not past.
    ///
    /// ```text
    /// due      0    1    2    3    4    5
    /// ticks    0    1       2.5 3    4    5        2.5: late for 2
    /// ```
    #[default]
    Skip,
    /// It begins anew: the next tick is one period after the late one, however late that was.
    ///
    /// ```text
    /// due      0    1    2    3    4    5
    /// ticks    0    1       2.5  3.5  4.5
    /// ```
    Delay,
    /// It gives them all at once, until it has caught up.
    ///
    /// ```text
    /// due      0    1    2    3    4    5
    /// ticks    0    1             4 4 4 5          at 4, those for 2, 3 and 4
    /// ```
    Burst,
}

/// Ticks each `period`, and for the first time at once.
///
/// # Panics
///
/// Outside a running event loop.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, time::{interval, sleep}};
/// use std::time::Duration;
///
/// let ticks = Loop::simulated().run(async {
///     let mut seconds = interval(Duration::from_secs(1));
///     let mut ticks = Vec::new();
///     for work in [0, 0, 2500, 0] {
///         ticks.push(seconds.tick().await.as_secs_f64());
///         sleep(Duration::from_millis(work)).await;
///     }
///     ticks
/// });
/// // The work after the third tick took longer: 3 and 4 were due meanwhile. 3 is late, and 4 is left out.
/// assert_eq!(ticks.unwrap(), [0.0, 1.0, 2.0, 3.0]);
/// ```
///
/// # References
///
/// tokio's `interval`, whose ticks burst unless it is told otherwise.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(now(), period)
}

/// Ticks each `period`, and for the first time when the clock reads `start`. See [`interval`].
pub fn interval_at(start: Time, period: Duration) -> Interval {
    Interval { next: start, period, missed: MissedTicks::default(), waiting: None }
}

/// Ticks, one each period. Made by [`interval`]. It is a `Stream` of them, too, that never ends.
///
/// With a period of zero, each tick is due at once, after a bare [`yield_now`](super::yield_now).
pub struct Interval {
    /// When the next tick is due.
    next: Time,
    period: Duration,
    missed: MissedTicks,
    /// The wait for it, once it has begun.
    waiting: Option<Sleep>,
}

impl Interval {
    /// The same, which does this about ticks that it has missed.
    #[must_use = "gives the interval back"]
    pub fn missed(mut self, missed: MissedTicks) -> Self {
        self.missed = missed;
        self
    }

    /// Waits for the next tick, and gives the time for which it was due.
    ///
    /// # Panics
    ///
    /// When it is polled outside a running event loop.
    ///
    /// # Cancellation
    ///
    /// Strict: the tick that was waited for is the next one.
    pub fn tick(&mut self) -> Tick<'_> {
        Tick(self)
    }

    /// Begins anew: the next tick is due after one period.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn reset(&mut self) {
        self.next = now() + self.period;
        self.waiting = None;
    }

    /// When the next tick is due.
    pub fn next_tick(&self) -> Time {
        self.next
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }

    fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Time> {
        let waiting = self.waiting.get_or_insert_with(|| match self.period.is_zero() {
            true => sleep(Duration::ZERO),
            false => sleep_until(self.next),
        });
        ready!(Pin::new(waiting).poll(cx));
        self.waiting = None;
        let due = self.next;
        let now = Core::on_current(Core::time).unwrap_or(due);
        self.next = self.after(due, now);
        Poll::Ready(due)
    }

    /// When the tick is due after the one for `due`, which came `now`.
    fn after(&self, due: Time, now: Time) -> Time {
        let next = due + self.period;
        match self.missed {
            MissedTicks::Burst => next,
            MissedTicks::Delay => now.max(due) + self.period,
            MissedTicks::Skip if now > next => {
                let late = (now - next).as_nanos();
                let period = self.period.as_nanos().max(1);
                let left_out = u64::try_from(late.div_ceil(period) * period).unwrap_or(u64::MAX);
                next + Duration::from_nanos(left_out)
            }
            MissedTicks::Skip => next,
        }
    }
}

/// A wait for a tick. Made by [`Interval::tick`].
#[derive(Debug)]
#[must_use = "a tick does nothing until it is awaited"]
pub struct Tick<'i>(&'i mut Interval);

impl Future for Tick<'_> {
    type Output = Time;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Time> {
        self.0.poll_tick(cx)
    }
}

impl Stream for Interval {
    type Item = Time;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Time>> {
        self.poll_tick(cx).map(Some)
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("next", &self.next)
            .field("period", &self.period)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
