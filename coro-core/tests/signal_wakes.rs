//! Wakes by a handler of signals, which interrupts a thread that has no loop.

#![cfg(all(unix, not(miri)))]
#![allow(unsafe_code)]

use std::future::poll_fn;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::task::{Poll, Waker};
use std::thread;

use coro_core::prelude::*;

static WAKER: OnceLock<Waker> = OnceLock::new();
static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn wake(_signal: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::Release);
    if let Some(waker) = WAKER.get() {
        waker.wake_by_ref();
    }
}

/// Has `wake` called for `SIGUSR1`, on the thread that gets it.
fn install() {
    let handler: extern "C" fn(libc::c_int) = wake;
    // SAFETY: all that the handler calls may be called there: atomic operations, and a wake-up, which takes no memory. A lock
    // that it takes is held by nobody whom it interrupts: that thread does nothing else but raise the signal.
    let before = unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR);
}

fn raise() {
    // SAFETY: there is a handler, and it may interrupt this thread here.
    let raised = unsafe { libc::raise(libc::SIGUSR1) };
    assert_eq!(raised, 0);
}

/// Some come while the loop sleeps, some before it does, as it happens; the last one for certain while it runs.
#[test]
fn every_wake_by_a_signal_handler_is_a_resume() {
    const SIGNALS: u32 = 1_000;
    install();
    let (expect, expected) = channel();
    let raising = thread::spawn(move || expected.iter().for_each(|()| raise()));
    let mut raising = Some((expect, raising));
    let seen = Loop::new().unwrap().run(poll_fn(move |cx| {
        WAKER.get_or_init(|| cx.waker().clone());
        match HANDLED.load(Ordering::Acquire) {
            handled if handled < SIGNALS => {
                if let Some((expect, _)) = &raising {
                    expect.send(()).unwrap();
                }
                if handled == SIGNALS - 1
                    && let Some((expect, raising)) = raising.take()
                {
                    drop(expect);
                    raising.join().unwrap();
                }
                Poll::Pending
            }
            handled => Poll::Ready(handled),
        }
    }));
    assert_eq!(seen.unwrap(), SIGNALS);
}
