//! Loop time, and waiting for it.

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::coroutine::is_resume_without_wake;
use crate::event_loop::{Core, TimerKey};

/// A point on a loop's clock, in nanoseconds since the clock's start. It is monotonic and unrelated to the wall
/// clock. Points before the start are negative. All arithmetic saturates.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// The last point, about 292 years after the start.
    pub const MAX: Self = Self(i64::MAX);

    /// The point this many nanoseconds after the start, or before it.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the start.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// [`since`](Time::since).
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}", self.as_secs_f64())
    }
}

/// Waits for `duration` on the running loop's clock. Zero is one bare [`yield_now`], without a timer.
///
/// The wait begins at the first poll.
///
/// # Panics
///
/// When it is polled outside a running event loop.
///
/// # Cancellation
///
/// Strict: a dropped sleep leaves nothing behind.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use coro_core::{Loop, EventLoop, time};
///
/// let elapsed = Loop::simulated().run(async {
///     let start = time::now();
///     time::sleep(Duration::from_secs(3600)).await;
///     time::now() - start
/// });
/// assert_eq!(elapsed.unwrap(), Duration::from_secs(3600));
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let state = if duration.is_zero() { SleepState::Yield(yield_now()) } else { SleepState::New(duration) };
    Sleep { state, called_at: Location::caller() }
}

/// Waits until the running loop's clock reads `deadline` or more. See [`sleep`].
#[track_caller]
pub fn sleep_until(deadline: Time) -> Sleep {
    Sleep { state: SleepState::Until(deadline), called_at: Location::caller() }
}

/// The running loop's clock.
///
/// # Panics
///
/// Outside a running event loop.
#[track_caller]
pub fn now() -> Time {
    Core::current_or_panic("time::now").time()
}

/// Blocks the whole loop for `duration` of its clock: no other task runs, no event is handled. What
/// `std::thread::sleep` does, on the clock of the loop; almost always [`sleep`] is what you want.
///
/// # Panics
///
/// Outside a running event loop.
#[track_caller]
pub fn block_for(duration: Duration) {
    Core::current_or_panic("time::block_for").block_for(duration);
}

/// A wait for the clock. Made by [`sleep`] and [`sleep_until`].
#[derive(Debug)]
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    state: SleepState,
    called_at: &'static Location<'static>,
}

#[derive(Debug)]
enum SleepState {
    New(Duration),
    Until(Time),
    Yield(YieldNow),
    Waiting(TimerKey),
    Over,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let SleepState::Yield(yielding) = &mut self.state {
            return Pin::new(yielding).poll(cx);
        }
        let Some(core) = Core::current() else {
            assert!(is_resume_without_wake(cx), "{}: sleep() {}", self.called_at, NO_LOOP);
            return Poll::Pending;
        };
        let expired = match &self.state {
            SleepState::New(duration) => {
                let deadline = core.time() + *duration;
                self.state = SleepState::Waiting(core.add_waker_timer(deadline, cx.waker()));
                false
            }
            SleepState::Until(deadline) => {
                self.state = SleepState::Waiting(core.add_waker_timer(*deadline, cx.waker()));
                false
            }
            SleepState::Waiting(key) => key.poll_expired(cx.waker()),
            SleepState::Over => true,
            SleepState::Yield(_) => unreachable!("handled above"),
        };
        if !expired {
            return Poll::Pending;
        }
        self.state = SleepState::Over;
        Poll::Ready(())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let SleepState::Waiting(key) = &self.state {
            key.cancel();
        }
    }
}

/// Lets every other ready task run once: asyncio's `sleep(0)`.
///
/// # Cancellation
///
/// Strict.
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// A bare yield to the loop. Made by [`yield_now`].
#[derive(Debug)]
#[must_use = "yield_now does nothing until it is awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

pub(crate) const NO_LOOP: &str = "was used outside a running event loop: run the program with Loop::run(), native::run() or a sibling of it";
