//! Tasks that another thread wakes.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::core::move_elsewhere;
use super::meter::Meter;
use super::record::Measured;

/// One of a group that a thread wakes in turn, beginning when all have been polled. It is ready once it has seen that
/// the last wake was sent. The last of the group gives what was measured from the first wake to then.
///
/// A wake of a task that was woken and has not run yet is no news. So a group is as large as the turns of the loop are
/// long: then every wake has something to tell.
#[derive(Debug)]
pub struct Woken {
    bell: Arc<Bell>,
    registered: bool,
}

/// What a group and its thread share.
#[derive(Debug)]
struct Bell {
    tasks: usize,
    wakes: u64,
    wakers: Mutex<Vec<Waker>>,
    began: OnceLock<Meter>,
    sent: AtomicU64,
    polls: AtomicU64,
    unready: AtomicU64,
}

impl Woken {
    /// A group of `tasks` futures that are woken `wakes` times in all.
    pub fn group(tasks: u64, wakes: u64) -> impl Iterator<Item = Self> {
        let bell = Arc::new(Bell {
            tasks: usize::try_from(tasks).unwrap_or(usize::MAX),
            wakes,
            wakers: Mutex::default(),
            began: OnceLock::new(),
            sent: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            unready: AtomicU64::new(tasks),
        });
        (0..tasks).map(move |_| Self { bell: Arc::clone(&bell), registered: false })
    }
}

impl Bell {
    /// Keeps the waker of one of the group. With the last one the thread begins.
    fn register(self: &Arc<Self>, waker: &Waker) {
        let mut wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.push(waker.clone());
        if wakers.len() == self.tasks {
            let (bell, wakers) = (Arc::clone(self), std::mem::take(&mut *wakers));
            thread::spawn(move || bell.ring(&wakers));
        }
    }

    /// Wakes the group in turn, and says before each time that it will. The last wake is one for each.
    fn ring(&self, wakers: &[Waker]) {
        move_elsewhere();
        self.began.get_or_init(Meter::start);
        for (wake, waker) in (1..self.wakes).zip(wakers.iter().cycle()) {
            self.sent.store(wake, Ordering::Release);
            waker.wake_by_ref();
        }
        self.sent.store(self.wakes, Ordering::Release);
        for waker in wakers {
            waker.wake_by_ref();
        }
    }
}

impl Future for Woken {
    type Output = Option<Box<Measured>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Box<Measured>>> {
        let this = &mut *self;
        let polls = this.bell.polls.fetch_add(1, Ordering::Relaxed) + 1;
        if !std::mem::replace(&mut this.registered, true) {
            this.bell.register(cx.waker());
            // However fast the thread is: each waits once, and is woken for that.
            return Poll::Pending;
        }
        if this.bell.sent.load(Ordering::Acquire) < this.bell.wakes {
            return Poll::Pending;
        }
        if this.bell.unready.fetch_sub(1, Ordering::Relaxed) > 1 {
            return Poll::Ready(None);
        }
        let mut measured = this.bell.began.get_or_init(Meter::start).stop(this.bell.wakes);
        measured.polls = Some(polls);
        Poll::Ready(Some(measured))
    }
}
