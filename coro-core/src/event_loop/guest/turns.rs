//! Turning a loop inside a poll of tokio.
//!
//! ```text
//!            ┌──────────────────── 3 ───────────────────┐
//!            ▼                                          │
//!   ──▶   Ready ── 1 ──▶ Overdue ──────────────────▶ (a look)
//!            │                                          ▲
//!            └──── 2 ──▶ Asleep ── 4 ───────────────────┘
//! ```
//!
//! 1. Nothing is ready, and the wait would take no real time: the deadline is now, or the clock jumps. Gives way once,
//!    then looks.
//! 2. Nothing is ready: waits, together with tokio.
//! 3. After a turn, `is_over` is asked.
//! 4. The driver has something, the deadline has come, or somebody woke the loop: then, with a driver that has patience,
//!    goes to `Ready` without a look.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep};

use super::bell::Bell;
use crate::driver::Wait;
use crate::event_loop::{Loop, RunError};

/// How many looks one poll makes at most, or readings of the clock instead of one.
const LOOKS: u32 = 8;
/// How long a poll may have taken when it makes another look.
const SLICE: Duration = Duration::from_micros(50);
/// How long a wait lasts at most: tokio's clock would overflow.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Turns a loop until `is_over` says so, which is asked before the first turn, and after each.
pub(super) struct Turns<'a, F> {
    event_loop: &'a Loop,
    bell: &'a Bell,
    is_over: F,
    stage: Stage,
    asked: bool,
    /// Made when it is first needed: a runtime of tokio has to be there.
    descriptor: Option<Option<AsyncFd<OwnedFd>>>,
    alarm: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy)]
enum Stage {
    Ready,
    Overdue,
    Asleep(Wait),
}

impl<'a, F: FnMut() -> bool + Unpin> Turns<'a, F> {
    pub(super) fn new(event_loop: &'a Loop, bell: &'a Bell, is_over: F) -> Self {
        let stage = Stage::Ready;
        Self { event_loop, bell, is_over, stage, asked: false, descriptor: None, alarm: None }
    }

    /// Asks, once a turn.
    fn is_over(&mut self) -> bool {
        !std::mem::replace(&mut self.asked, true) && (self.is_over)()
    }

    /// One turn, of a loop that has something to run.
    fn turn(&mut self) -> Result<(), RunError> {
        self.asked = false;
        self.event_loop.core.turn()
    }

    /// One turn, of a loop that had nothing to run, and for which tokio has waited.
    fn turn_after(&mut self, wait: Wait) -> Result<(), RunError> {
        (self.stage, self.asked) = (Stage::Ready, false);
        let core = &self.event_loop.core;
        core.waited(wait)?;
        core.process();
        core.run_ready();
        Ok(())
    }

    /// Goes from `Ready` to what is to be waited for, if there is nothing to run.
    fn fall_asleep(&mut self, cx: &Context<'_>) -> Result<(), RunError> {
        self.bell.listen(cx.waker());
        let Some(wait) = self.event_loop.prepare_wait() else { return self.turn_after(Wait::Poll) };
        let time_left = self.event_loop.real_time(wait);
        if time_left == Some(Duration::ZERO) {
            self.event_loop.core.receive();
            self.stage = Stage::Overdue;
            return Ok(());
        }
        self.stage = Stage::Asleep(wait);
        self.register()?;
        let ends_at = time_left.map(|time_left| Instant::now() + time_left.min(LONGEST));
        match (ends_at, &mut self.alarm) {
            (Some(at), Some(alarm)) => alarm.as_mut().reset(at),
            (Some(at), None) => self.alarm = Some(Box::pin(tokio::time::sleep_until(at))),
            (None, alarm) => *alarm = None,
        }
        Ok(())
    }

    /// Has tokio watch the descriptor of the driver.
    fn register(&mut self) -> io::Result<()> {
        if Handle::try_current().is_err() {
            return Err(io::Error::other("a guest was polled outside a runtime of tokio"));
        }
        if self.descriptor.is_none() {
            self.descriptor = Some(self.event_loop.pollable()?.map(watch).transpose()?);
        }
        Ok(())
    }

    /// Whether the driver has something to tell, or its time has come.
    fn poll_driver(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        self.bell.listen(cx.waker());
        let mut is_over = false;
        if let Some(Some(descriptor)) = &self.descriptor
            && let Poll::Ready(ready) = descriptor.poll_read_ready(cx)
        {
            // Cleared before the look: what comes after that is an edge of its own.
            ready?.clear_ready();
            is_over = true;
        }
        if let Some(alarm) = &mut self.alarm {
            is_over |= alarm.as_mut().poll(cx).is_ready();
        }
        Ok(is_over)
    }
}

#[expect(deprecated, reason = "it is unsound for what may close its descriptor early: an OwnedFd does not")]
fn watch(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}

impl<F: FnMut() -> bool + Unpin> Future for Turns<'_, F> {
    type Output = Result<(), RunError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let core = &this.event_loop.core;
        let _entered = this.event_loop.enter_part()?;
        let slice_ends = core.time() + SLICE;
        let mut looks = 0;
        if let Stage::Overdue = this.stage {
            core.receive();
            // By now there may be something to run, or an earlier deadline.
            this.turn_after(core.how_long())?;
        }
        loop {
            if this.is_over() {
                return Poll::Ready(Ok(()));
            }
            match this.stage {
                Stage::Ready if this.event_loop.has_ready() || core.stopping.get() => {
                    let spent = looks >= LOOKS || (looks > 0 && core.now.get() >= slice_ends);
                    if spent {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    this.turn()?;
                    looks += u32::from(core.cadence.is_untimed());
                }
                Stage::Ready => this.fall_asleep(cx)?,
                Stage::Overdue => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Stage::Asleep(wait) => {
                    let told = this.poll_driver(cx)?;
                    let roused = !core.lease.record().is_asleep();
                    if !told && roused && core.cadence.is_patient() {
                        // By one of tokio's tasks, or by another thread: it may share a look with the next turns.
                        core.receive();
                        this.stage = Stage::Ready;
                    } else if told || roused {
                        this.turn_after(wait)?;
                    } else {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}
