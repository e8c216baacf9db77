//! A task that another thread wakes.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};

use super::core::move_elsewhere;
use super::meter::Meter;
use super::record::Measured;

/// Is woken so many times by a thread of its own, which begins at the first poll, and is ready once it has seen the
/// last wake. Gives the measurement, from before the first wake.
#[derive(Debug)]
pub struct Woken {
    wakes: u64,
    polls: u64,
    bell: Arc<Bell>,
    ringer: Option<JoinHandle<()>>,
}

/// What the two threads share.
#[derive(Debug, Default)]
struct Bell {
    sent: AtomicU64,
    began: OnceLock<Meter>,
}

impl Woken {
    /// A future that is woken `wakes` times.
    pub fn new(wakes: u64) -> Self {
        Self { wakes, polls: 0, bell: Arc::default(), ringer: None }
    }
}

/// Wakes, and says before each time that it will.
fn ring(waker: &Waker, wakes: u64, bell: &Bell) {
    move_elsewhere();
    bell.began.get_or_init(Meter::start);
    for wake in 1..=wakes {
        bell.sent.store(wake, Ordering::Release);
        waker.wake_by_ref();
    }
}

impl Future for Woken {
    type Output = Measured;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Measured> {
        let this = &mut *self;
        this.polls += 1;
        let wakes = this.wakes;
        if this.ringer.is_none() {
            let (waker, bell) = (cx.waker().clone(), Arc::clone(&this.bell));
            this.ringer = Some(thread::spawn(move || ring(&waker, wakes, &bell)));
        }
        if this.bell.sent.load(Ordering::Acquire) < wakes {
            return Poll::Pending;
        }
        let measured = this.bell.began.get_or_init(Meter::start).stop(wakes);
        Poll::Ready(Measured { polls: Some(this.polls), ..measured })
    }
}

impl Drop for Woken {
    fn drop(&mut self) {
        if let Some(ringer) = self.ringer.take() {
            // It cannot panic but for a waker that does, which its own message tells.
            let _ = ringer.join();
        }
    }
}
