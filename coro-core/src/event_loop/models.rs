//! Models of the remote side, run by loom in every order of its threads' steps, and with every value that a load may
//! see: `RUSTFLAGS="--cfg coro_loom" cargo test --release -p coro-core --lib models::`.
//!
//! Preemptions are bounded, by `LOOM_MAX_PREEMPTIONS` or three. A wake that is lost leaves the loop asleep, which loom
//! reports as a deadlock.

use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use loom::thread::{self, JoinHandle};

use super::inbox::{Inbox, RemoteHandle};
use super::record::Lease;
use super::word::{MAIL, Word};
use crate::driver::{Driver, Notify, Simulated, Wait};
use crate::threads::atomic::AtomicU32;
use crate::threads::atomic::Ordering::Relaxed;

pub(crate) fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(model);
}

/// Counts the notifications, and passes them on.
#[derive(Debug)]
struct Counted(Arc<dyn Notify>, Count);

impl Notify for Counted {
    fn notify(&self) {
        self.1.fetch_add(1, SeqCst);
        self.0.notify();
    }
}

/// The side of the loop: what `Core` does with its record, its mailbox and its driver.
struct LoopSide {
    lease: Lease,
    inbox: Arc<Inbox>,
    driver: Simulated,
    notified: Arc<Counted>,
    sleeps: usize,
}

impl LoopSide {
    fn new() -> Self {
        let driver = Simulated::new();
        let notified = Arc::new(Counted(driver.notifier(), Count::new(0)));
        let lease = Lease::new(notified.clone());
        let inbox = Arc::new(Inbox::new(lease.record()));
        Self { lease, inbox, driver, notified, sleeps: 0 }
    }

    fn word(&self, slot: u32) -> Word {
        self.lease.record().word(self.lease.name(), slot)
    }

    fn try_sleep(&mut self) -> bool {
        let asleep = self.lease.record().try_sleep();
        self.sleeps += usize::from(asleep);
        asleep
    }

    fn sleep(&mut self) {
        self.driver.wait(Wait::Forever, &mut Vec::new()).unwrap();
    }

    /// In the order of the wakes. Nobody is there twice.
    fn take_woken(&mut self) -> Vec<u32> {
        let mut woken = Vec::new();
        self.lease.record().take_woken(&mut woken);
        woken.reverse();
        let mut once = woken.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), woken.len(), "a slot is on the stack twice: {woken:?}");
        woken
    }

    /// Sleeps, unless somebody was woken, and gives who was.
    fn turn(&mut self) -> Vec<u32> {
        if self.try_sleep() {
            self.sleep();
        }
        self.take_woken()
    }

    /// Turns until the slots have been woken as often as is said, and no more often.
    fn expect(&mut self, wakes: &[(u32, usize)]) {
        let total = wakes.iter().map(|(_, times)| times).sum();
        let mut seen = Vec::new();
        while seen.len() < total {
            seen.extend(self.turn());
        }
        for (slot, times) in wakes {
            assert_eq!(seen.iter().filter(|seen| *seen == slot).count(), *times, "{seen:?}");
        }
    }

    /// Turns until both slots were woken, and waits for the thread that wakes them.
    fn expect_the_first_once_or_twice_and_the_second_once(&mut self, thread: JoinHandle<()>) {
        let mut seen = [0; 3];
        while seen[1] == 0 || seen[2] == 0 {
            self.turn().into_iter().for_each(|slot| seen[slot as usize] += 1);
        }
        thread.join().unwrap();
        self.take_woken().into_iter().for_each(|slot| seen[slot as usize] += 1);
        assert!(matches!(seen, [0, 1..=2, 1]), "{seen:?}");
        self.expect_quiet();
    }

    /// When every thread has ended: nobody is on the stack, and each sleep was notified once.
    fn expect_quiet(&mut self) {
        assert_eq!(self.take_woken(), []);
        assert_eq!(self.notified.1.load(SeqCst), self.sleeps);
    }
}

#[test]
fn a_wake_ends_a_sleep_or_keeps_the_loop_from_sleeping() {
    check(|| {
        let mut side = LoopSide::new();
        let word = side.word(1);
        let thread = thread::spawn(move || word.wake_remotely());
        side.expect(&[(1, 1)]);
        thread.join().unwrap();
        side.expect_quiet();
    });
}

#[test]
fn wakes_of_two_threads_arrive_and_each_sleep_is_notified_once() {
    check(|| {
        let mut side = LoopSide::new();
        let words = [1, 2].map(|slot| side.word(slot));
        let threads = words.map(|word| thread::spawn(move || word.wake_remotely()));
        side.expect(&[(1, 1), (2, 1)]);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        side.expect_quiet();
    });
}

/// From when its mark is away a slot may be pushed again, also before the loop has taken the slots beneath it.
#[test]
fn a_slot_that_is_woken_again_while_it_is_taken_hides_no_other() {
    check(|| {
        let mut side = LoopSide::new();
        let words = [2, 1, 1].map(|slot| side.word(slot));
        let thread = thread::spawn(move || words.into_iter().for_each(Word::wake_remotely));
        side.expect_the_first_once_or_twice_and_the_second_once(thread);
    });
}

/// What a thread wrote before its wake is seen by a loop that took the wake, also if the wake met another one: else the
/// loop would wait for a wake that does not come.
#[test]
fn what_was_written_before_a_wake_is_seen_after_it_though_it_met_another() {
    check(|| {
        let mut side = LoopSide::new();
        let word = side.word(1);
        let written: Arc<[AtomicU32; 2]> = Arc::default();
        let threads = [0, 1].map(|place| {
            let written = Arc::clone(&written);
            thread::spawn(move || {
                written[place].store(1, Relaxed);
                word.wake_remotely();
            })
        });
        while written.iter().any(|value| value.load(Relaxed) == 0) {
            assert!(matches!(side.turn()[..], [1] | []));
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        side.take_woken();
        side.expect_quiet();
    });
}

/// The stale wake finds nobody, or wakes the next tenant for nothing, or meets its wake.
#[test]
fn a_tenant_that_goes_while_it_is_woken_leaves_the_stack_whole() {
    check(|| {
        let mut side = LoopSide::new();
        let (stale, other) = (side.word(1), side.word(2));
        let thread = thread::spawn(move || {
            stale.wake_remotely();
            other.wake_remotely();
        });
        side.lease.vacate(stale);
        let next = side.word(1);
        assert_ne!(next, stale);
        next.wake_remotely();
        side.expect_the_first_once_or_twice_and_the_second_once(thread);
    });
}

#[test]
fn calls_of_two_threads_are_received_in_the_order_of_each() {
    check(|| {
        let mut side = LoopSide::new();
        let called: Arc<Mutex<Vec<(u32, u32)>>> = Arc::default();
        // The second one sends one call only, to keep the model small.
        let threads = [(0, 2), (1, 1)].map(|(sender, calls)| {
            let (remote, called) = (RemoteHandle::new(Arc::clone(&side.inbox)), Arc::clone(&called));
            thread::spawn(move || {
                for number in 0..calls {
                    let called = Arc::clone(&called);
                    remote
                        .call_soon_threadsafe(move || called.lock().unwrap().push((sender, number)))
                        .unwrap();
                }
            })
        });
        while called.lock().unwrap().len() < 3 {
            if side.turn().contains(&MAIL) {
                side.inbox.take_calls().into_iter().for_each(|(_, _, call)| call());
            }
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        for sender in [0, 1] {
            let called = called.lock().unwrap();
            assert!(called.iter().filter(|call| call.0 == sender).is_sorted());
        }
    });
}

/// A simulated loop that waits for a remote handle notices that the last one is gone.
#[test]
fn the_last_handle_that_goes_rouses_the_loop() {
    check(|| {
        let mut side = LoopSide::new();
        let first = RemoteHandle::new(Arc::clone(&side.inbox));
        let second = first.clone();
        let threads = [first, second].map(|remote| thread::spawn(move || drop(remote)));
        // As `Core::poll` has it: the handles are counted by a loop that is marked as asleep.
        while !side.try_sleep() || side.inbox.handles() > 0 {
            side.sleep();
            assert_eq!(side.take_woken(), []);
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_call_to_a_loop_that_closes_is_received_or_refused() {
    check(|| {
        let side = LoopSide::new();
        let remote = RemoteHandle::new(Arc::clone(&side.inbox));
        let thread = thread::spawn(move || remote.call_soon_threadsafe(|| ()).is_ok());
        let received = side.inbox.close().len();
        assert_eq!(thread.join().unwrap(), received == 1);
        assert!(side.inbox.take_calls().is_empty());
    });
}

/// The next loop that has the record may be woken for nothing; its own wakes arrive.
#[test]
fn a_loop_that_goes_while_it_is_woken_leaves_its_record_whole_to_the_next() {
    check(|| {
        let first = LoopSide::new();
        let (stale, inbox) = (first.word(1), Arc::clone(&first.inbox));
        let remote = RemoteHandle::new(inbox);
        let thread = thread::spawn(move || {
            stale.wake_remotely();
            drop(remote.call_soon_threadsafe(|| ()));
        });
        drop(first);
        let mut next = LoopSide::new();
        let (word, other) = (next.word(1), next.word(2));
        assert_ne!(word, stale);
        word.wake_remotely();
        other.wake_remotely();
        let mut seen = [0; 3];
        while seen[1] == 0 || seen[2] == 0 {
            next.turn().into_iter().for_each(|slot| seen[slot as usize] += 1);
        }
        thread.join().unwrap();
        next.take_woken().into_iter().for_each(|slot| seen[slot as usize] += 1);
        assert!(matches!(seen, [0..=1, 1..=2, 1]), "{seen:?}");
    });
}
