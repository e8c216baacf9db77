//! Records by themselves: without a loop.

use std::sync::atomic::AtomicU32 as Count;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use super::super::word::SLOT_TENANT_BITS;
use super::*;

#[derive(Debug, Default)]
struct Notified(Count);

impl Notify for Notified {
    fn notify(&self) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn lease() -> (Lease, Arc<Notified>) {
    let notified = Arc::new(Notified::default());
    (Lease::new(notified.clone()), notified)
}

/// In the order of the wakes.
fn woken(lease: &Lease) -> Vec<u32> {
    let mut woken = Vec::new();
    lease.record().take_woken(&mut woken);
    woken.reverse();
    woken
}

#[test]
fn wakes_arrive_in_order_and_coalesce() {
    let (lease, notified) = lease();
    let words = [5, 300, 9].map(|slot| lease.record().word(lease.name(), slot));
    for word in words.iter().chain(&words) {
        word.wake_remotely();
    }
    assert_eq!(woken(&lease), [5, 300, 9]);
    assert_eq!(woken(&lease), []);
    words[1].wake_remotely();
    assert_eq!(woken(&lease), [300]);
    assert_eq!(notified.0.load(SeqCst), 0);
}

#[test]
fn a_loop_that_sleeps_is_notified_once_and_one_that_was_woken_does_not_sleep() {
    let (lease, notified) = lease();
    let words = [1, 2].map(|slot| lease.record().word(lease.name(), slot));
    assert!(lease.record().try_sleep());
    words.into_iter().for_each(Word::wake_remotely);
    assert_eq!(notified.0.load(SeqCst), 1);
    assert!(!lease.record().try_sleep());
    assert_eq!(woken(&lease), [1, 2]);
    assert!(lease.record().try_sleep());
    lease.record().rouse();
    assert_eq!((notified.0.load(SeqCst), woken(&lease)), (2, vec![]));
}

#[test]
fn a_word_whose_tenant_has_gone_wakes_nobody() {
    let (lease, _) = lease();
    let word = lease.record().word(lease.name(), 7);
    assert_eq!(lease.vacate(word), lease.record().word(lease.name(), 7));
    assert_ne!(lease.record().word(lease.name(), 7), word);
    word.wake_remotely();
    assert_eq!(woken(&lease), []);
}

#[test]
#[cfg_attr(miri, ignore = "a round is long where each step is interpreted")]
fn a_word_of_a_whole_round_of_tenants_ago_wakes_the_present_one() {
    let (lease, _) = lease();
    let word = lease.record().word(lease.name(), 7);
    for _ in 0..1 << SLOT_TENANT_BITS {
        lease.vacate(lease.record().word(lease.name(), 7));
    }
    assert_eq!(lease.record().word(lease.name(), 7), word);
    word.wake_remotely();
    assert_eq!(woken(&lease), [7]);
}

/// A thread that was stopped while it held the lock cannot keep others from waking a loop that is awake.
#[test]
fn a_wake_of_a_loop_that_is_awake_takes_no_lock() {
    let (lease, _) = lease();
    let word = lease.record().word(lease.name(), 1);
    let _held = lease.record().notifier();
    word.wake_remotely();
    assert_eq!(woken(&lease), [1]);
}

#[test]
fn a_word_outlives_its_loop() {
    let (first, notified) = lease();
    let word = first.record().word(first.name(), 3);
    assert!(first.record().try_sleep());
    drop(first);
    word.wake_remotely();
    assert_eq!(notified.0.load(SeqCst), 0);
    assert_eq!(Arc::strong_count(&notified), 1);
}

#[test]
fn every_wake_from_every_thread_arrives() {
    let (lease, _) = lease();
    let words: Vec<_> = (1..=200).map(|slot| lease.record().word(lease.name(), slot)).collect();
    let mut seen = vec![0; words.len() + 1];
    thread::scope(|threads| {
        for part in words.chunks(50) {
            threads.spawn(move || part.iter().for_each(|word| word.wake_remotely()));
        }
        while seen.iter().sum::<i32>() < 200 {
            for slot in woken(&lease) {
                seen[slot as usize] += 1;
            }
            thread::yield_now();
        }
    });
    assert_eq!(seen[1..], [1; 200]);
}
