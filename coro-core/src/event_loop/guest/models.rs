//! Models of a guest that is woken by other threads; see `event_loop/models.rs`.

use std::sync::Arc;
use std::task::{Wake, Waker};

use loom::thread;

use super::bell::Bell;
use crate::event_loop::models::check;
use crate::event_loop::record::Lease;
use crate::threads::{Condvar, Mutex};

/// A task of tokio, to the one who wakes it.
#[derive(Default)]
struct Woken(Mutex<bool>, Condvar);

impl Woken {
    fn wait(&self) {
        let mut woken = self.0.lock().unwrap();
        while !std::mem::take(&mut *woken) {
            woken = self.1.wait(woken).unwrap();
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }
}

/// What `Turns` does between two turns: it says by which waker it is to be woken, then that it sleeps. While it sleeps it
/// may be polled with another waker: then it says so, and looks again whether it still sleeps.
fn sleep(lease: &Lease, bell: &Bell, polls: usize) {
    let wakers: Vec<_> = (0..polls).map(|_| Arc::<Woken>::default()).collect();
    let listen = |woken: &Arc<Woken>| bell.listen(&Waker::from(Arc::clone(woken)));
    listen(&wakers[0]);
    if !lease.record().try_sleep() {
        return;
    }
    for woken in &wakers {
        listen(woken);
        if !lease.record().is_asleep() {
            return;
        }
    }
    wakers[polls - 1].wait();
}

fn a_wake_reaches_a_guest_that_is_polled(polls: usize) {
    check(move || {
        let bell = Arc::<Bell>::default();
        let lease = Lease::new(Arc::clone(&bell) as _);
        let word = lease.record().word(lease.name(), 1);
        let thread = thread::spawn(move || word.wake_remotely());
        let mut woken = Vec::new();
        while woken.is_empty() {
            sleep(&lease, &bell, polls);
            lease.record().take_woken(&mut woken);
        }
        assert_eq!(woken, [1]);
        thread.join().unwrap();
    });
}

#[test]
fn a_wake_reaches_a_guest_that_sleeps() {
    a_wake_reaches_a_guest_that_is_polled(1);
}

#[test]
fn a_wake_reaches_a_guest_whose_waker_changes_while_it_sleeps() {
    a_wake_reaches_a_guest_that_is_polled(2);
}
