//! What is held: the value of a lock, and a permit. Run under Miri.

use std::cell::RefCell;
use std::future::Future;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use coro_core::sync::lock::Acquire;
use coro_core::sync::{Guard, Lock, Semaphore};

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn given<F: Future + Unpin>(future: &mut F) -> F::Output {
    match poll(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it has to wait"),
    }
}

/// What polling it once more says.
fn complaint_of<F: Future + Unpin>(future: &mut F) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(poll(future)))).expect_err("it is over");
    let text = panic.downcast::<&str>().map(|text| text.to_string());
    text.unwrap_or_else(|panic| *panic.downcast::<String>().unwrap())
}

#[test]
fn the_value_of_a_lock_stays_where_it_is() {
    let lock = Lock::new(String::from("a"));
    let mut held = lock.try_lock().unwrap();
    let place = &raw const *held;
    held.push('b');
    // The handle is gone, the guard has the lock still.
    let (moved, mut next) = ((held, ()), lock.lock());
    drop(lock);
    assert!(poll(&mut next).is_pending());
    assert_eq!(&raw const *moved.0, place);
    drop(moved);
    let held = given(&mut next);
    assert_eq!((&raw const *held, held.as_str()), (place, "ab"));
}

#[test]
fn a_wait_that_has_given_what_it_waited_for_says_so_when_it_is_polled_again() {
    let (lock, semaphore) = (Lock::new(1), Semaphore::new(1));
    let (mut locking, mut acquiring) = (lock.lock(), semaphore.acquire());
    let held = (given(&mut locking), given(&mut acquiring));
    assert_eq!(complaint_of(&mut locking), "an Acquire was polled after it gave the lock: await it once");
    assert_eq!(complaint_of(&mut acquiring), "an Acquire was polled after it gave a permit: await it once");
    // Nothing was taken or given back by that.
    drop((locking, acquiring));
    assert!(lock.is_locked() && semaphore.is_locked());
    drop(held);
    assert!(!lock.is_locked() && !semaphore.is_locked());
}

#[test]
fn a_forgotten_guard_leaves_the_lock_locked_and_the_value_to_the_last_handle() {
    let value = Rc::new(());
    let lock = Lock::new(Rc::clone(&value));
    forget(lock.try_lock().unwrap());
    assert!(lock.is_locked() && lock.try_lock().is_err());
    let other = lock.clone();
    drop(lock);
    assert!(other.is_locked());
    drop(other);
    // The guard has a handle too, which was forgotten with it.
    assert_eq!(Rc::strong_count(&value), 2);
}

/// Polls a wait for a lock when it is woken, inside of whatever wakes it.
struct AtOnce;

thread_local! {
    static WAIT: RefCell<Option<Acquire<u32>>> = const { RefCell::new(None) };
    static HELD: RefCell<Option<Guard<u32>>> = const { RefCell::new(None) };
}

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        let wait = WAIT.with_borrow_mut(Option::take);
        let mut held = given(&mut wait.expect("somebody waits"));
        *held += 1;
        HELD.set(Some(held));
    }
}

#[test]
fn a_waker_that_locks_at_once_has_the_lock_alone() {
    let lock = Lock::new(1);
    let mut held = lock.try_lock().unwrap();
    let mut wait = lock.lock();
    assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(&Waker::from(Arc::new(AtOnce)))).is_pending());
    WAIT.set(Some(wait));
    *held += 1;
    drop(held);
    // It has it still.
    assert!(lock.is_locked() && lock.try_lock().is_err());
    assert_eq!(HELD.take().as_deref(), Some(&3));
    assert_eq!(lock.try_lock().as_deref(), Ok(&3));
}
