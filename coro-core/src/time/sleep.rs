//! Waiting for loop time.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use super::Time;
use crate::coroutine::is_resume_without_wake;
use crate::event_loop::{Core, NO_LOOP, TimerKey, Waiting};

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

/// The time of day by the running loop; on a simulated one it begins with the year 2000, and passes as its clock does.
///
/// # Panics
///
/// Outside a running event loop.
#[track_caller]
pub fn wall_clock() -> SystemTime {
    Core::current_or_panic("time::wall_clock").wall_clock()
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
        match &self.state {
            SleepState::New(duration) => {
                let duration = *duration;
                self.begin(cx, move |core| core.time() + duration)
            }
            SleepState::Until(deadline) => {
                let deadline = *deadline;
                self.begin(cx, move |_| deadline)
            }
            SleepState::Waiting(key) if !key.poll_expired(cx.waker()) => {
                Core::note_wait(|core| Waiting::Until(key.deadline(core)));
                Poll::Pending
            }
            SleepState::Waiting(_) | SleepState::Over => {
                self.state = SleepState::Over;
                Poll::Ready(())
            }
            SleepState::Yield(_) => unreachable!("handled above"),
        }
    }
}

impl Sleep {
    /// Sets the timer.
    fn begin(&mut self, cx: &Context<'_>, deadline: impl FnOnce(&Core) -> Time) -> Poll<()> {
        let waker = cx.waker().clone();
        match Core::on_current(|core| core.add_waker_timer(deadline(core), waker)) {
            Some(timer) => {
                Core::note_wait(|core| Waiting::Until(timer.deadline(core)));
                self.state = SleepState::Waiting(timer);
            }
            None => assert!(is_resume_without_wake(cx), "{}: sleep() {}", self.called_at, NO_LOOP),
        }
        Poll::Pending
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
