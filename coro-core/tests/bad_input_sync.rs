//! Too many of everything: a million who wait for one thing, and storms of cancellations.
//!
//! What takes a step for each of the others, for each, would not end here.

use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::sync::{Barrier, Condition, Event, Lock, RwLock, Semaphore, open_memory_channel};

const MILLION: usize = 1_000_000;
/// A million as well, where that does not take too long.
const MANY: usize = if cfg!(debug_assertions) { 100_000 } else { MILLION };

fn is_ready<F: Future + Unpin>(future: &mut F) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// So many of them, in line.
fn waiting<F: Future + Unpin>(count: usize, mut wait: impl FnMut() -> F) -> Vec<F> {
    let mut waits: Vec<_> = (0..count).map(|_| wait()).collect();
    assert!(waits.iter_mut().all(|wait| !is_ready(wait)));
    waits
}

/// Drops them from the middle outwards, so that half of them have others on both sides.
fn drop_from_the_middle<T>(mut waits: Vec<T>) {
    let mut later = waits.split_off(waits.len() / 2).into_iter();
    while let Some(wait) = waits.pop() {
        drop((wait, later.next()));
    }
}

#[test]
fn a_million_wait_for_a_lock_and_have_it_in_turn() {
    let lock = Lock::new(0);
    let held = lock.try_lock().unwrap();
    let waits = waiting(MILLION, || lock.lock());
    assert_eq!(lock.statistics().waiting, MILLION);
    drop(held);
    for mut wait in waits {
        assert!(is_ready(&mut wait));
    }
    assert!(lock.try_lock().is_ok());
}

#[test]
fn a_million_are_called_and_give_up_one_after_the_other() {
    let lock = Lock::new(0);
    let held = lock.try_lock().unwrap();
    let waits = waiting(MILLION, || lock.lock());
    drop(held);
    // Each of them has been promised the lock when it goes away.
    drop(waits);
    assert!(lock.try_lock().is_ok());

    let semaphore = Semaphore::new(0);
    let waits = waiting(MILLION, || semaphore.acquire());
    (0..MILLION / 2).for_each(|_| semaphore.release().unwrap());
    assert_eq!(semaphore.statistics().waiting, MILLION);
    drop(waits);
    let statistics = semaphore.statistics();
    assert_eq!((statistics.value, statistics.waiting), (MILLION / 2, 0));
}

#[test]
fn many_give_up_from_the_middle() {
    let semaphore = Semaphore::new(0);
    drop_from_the_middle(waiting(MANY, || semaphore.acquire()));
    assert!(semaphore.release().is_ok() && semaphore.try_acquire().is_ok());
    let rw_lock = RwLock::new(0);
    let held = rw_lock.try_write().unwrap();
    let readers = waiting(MANY, || rw_lock.read());
    let writers = waiting(MANY, || rw_lock.write());
    drop(held);
    assert_eq!(rw_lock.statistics().readers, MANY);
    drop_from_the_middle(readers);
    assert!(rw_lock.statistics().writer);
    drop_from_the_middle(writers);
    assert!(rw_lock.try_write().is_ok());
}

#[test]
fn many_are_woken_at_once() {
    let (event, barrier) = (Event::new(), Barrier::new(MANY + 1).unwrap());
    let mut waits = waiting(MANY, || event.wait());
    event.set();
    assert!(waits.iter_mut().all(is_ready));
    let mut waits = waiting(MANY, || barrier.wait());
    assert!(is_ready(&mut barrier.wait()));
    assert!(waits.iter_mut().all(is_ready));

    let condition = Condition::new(0);
    let mut waits = Vec::new();
    for _ in 0..MANY {
        let mut wait = condition.try_lock().unwrap().wait();
        assert!(!is_ready(&mut wait));
        waits.push(wait);
    }
    condition.try_lock().unwrap().notify_all();
    // One after the other they lock, and let go.
    assert!(waits.iter_mut().all(is_ready));
}

#[test]
fn many_wait_at_the_ends_of_a_channel() {
    let (sends, receives) = open_memory_channel::<usize>(0);
    let waits = waiting(MANY, || sends.send(1));
    drop_from_the_middle(waits);
    let mut waits = waiting(MANY, || receives.receive());
    for item in 0..MANY {
        sends.send_nowait(item).unwrap();
    }
    let mut last = waits.split_off(MANY / 2);
    assert!(waits.iter_mut().all(is_ready));
    drop(sends);
    drop(waits);
    assert!(last.iter_mut().all(is_ready));
}

/// Everybody is cancelled in one turn, and in the next everybody is gone: a resume for each.
#[test]
fn a_storm_of_cancellations_takes_a_step_for_each() {
    let count = MANY as u64;
    let event_loop = Loop::simulated();
    let (lock, semaphore) = (Lock::new(()), Semaphore::new(0));
    let (locked, empty) = (lock.clone(), semaphore.clone());
    let resumes = event_loop
        .run(async move {
            let held = lock.try_lock().unwrap();
            let tasks: Vec<_> = (0..count)
                .map(|_| {
                    let (lock, semaphore) = (lock.clone(), semaphore.clone());
                    spawn(async move {
                        let either = futures::future::select(lock.lock(), semaphore.acquire());
                        drop(pin!(either).await);
                    })
                })
                .collect();
            yield_now().await;
            // They are counted at the end of a turn.
            yield_now().await;
            let before = Loop::current().unwrap().metrics().resumes;
            drop(held);
            semaphore.release().unwrap();
            assert!(tasks.iter().all(JoinHandle::cancel));
            yield_now().await;
            yield_now().await;
            assert!(tasks.iter().all(JoinHandle::is_done));
            Loop::current().unwrap().metrics().resumes - before
        })
        .unwrap();
    assert!((count..count + 10).contains(&resumes), "{resumes}");
    assert!(locked.try_lock().is_ok() && empty.try_acquire().is_ok());
}
