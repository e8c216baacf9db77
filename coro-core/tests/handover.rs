//! Hand-over under foreign wakers: they come back to what calls them, and are let go of with the wait.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use coro_core::Queue;
use coro_core::conformance::Trace;
use coro_core::sync::oneshot::Closed;
use coro_core::sync::{Event, Lock, oneshot};

thread_local! {
    static PLANS: RefCell<HashMap<String, Box<dyn FnOnce()>>> = RefCell::default();
    static WOKEN: Trace = Trace::new();
}

/// What is to happen inside of a call or a drop of a waker.
fn when(event: &str, then: impl FnOnce() + 'static) {
    PLANS.with_borrow_mut(|plans| plans.insert(event.to_string(), Box::new(then)));
}

fn happen(event: String) {
    let plan = PLANS.with_borrow_mut(|plans| plans.remove(&event));
    if let Some(then) = plan {
        then();
    }
}

#[track_caller]
fn expect_woken(names: &[&str]) {
    WOKEN.with(|woken| woken.expect(names));
    let left: Vec<_> = PLANS.with_borrow(|plans| plans.keys().cloned().collect());
    assert!(left.is_empty(), "did not happen: {left:?}");
}

struct Foreign(&'static str);

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {
        WOKEN.with(|woken| woken.log(self.0));
        happen(format!("{} is woken", self.0));
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        happen(format!("{} is dropped", self.0));
    }
}

/// Polls with a waker of that name.
fn poll<F: Future + Unpin>(future: &mut F, name: &'static str) -> Poll<F::Output> {
    let waker = Waker::from(Arc::new(Foreign(name)));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

/// Waits under that name, in a place that a waker can reach.
#[track_caller]
fn waits<F: Future + Unpin>(mut future: F, name: &'static str) -> Rc<RefCell<Option<F>>> {
    assert!(poll(&mut future, name).is_pending(), "{name} does not wait");
    Rc::new(RefCell::new(Some(future)))
}

#[track_caller]
fn result<F: Future + Unpin>(waiting: &Rc<RefCell<Option<F>>>) -> F::Output {
    let mut future = waiting.take().expect("it was dropped");
    match poll(&mut future, "again") {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it still waits"),
    }
}

#[test]
fn a_getter_is_woken_through_the_waker_of_its_last_poll() {
    let queue = Queue::unbounded();
    let mut get = queue.get();
    assert!(poll(&mut get, "first").is_pending());
    assert!(poll(&mut get, "second").is_pending());
    queue.put_nowait(1).unwrap();
    expect_woken(&["second"]);
    assert_eq!(poll(&mut get, "third"), Poll::Ready(Ok(1)));
}

#[test]
fn a_woken_getter_may_put_in_the_same_queue_and_drop_another_one() {
    let queue = Queue::unbounded();
    let [a, b, c] = ["a", "b", "c"].map(|name| waits(queue.get(), name));
    let again = queue.clone();
    when("a is woken", move || {
        drop(b.take());
        again.put_nowait(2).unwrap();
    });
    queue.put_nowait(1).unwrap();
    expect_woken(&["a", "c"]);
    assert_eq!((result(&a), result(&c)), (Ok(1), Ok(2)));
}

#[test]
fn a_woken_putter_may_be_dropped_by_its_own_waker() {
    let queue = Queue::new(1);
    queue.put_nowait(0).unwrap();
    let [a, b] = [1, 2].map(|item| waits(queue.put(item), if item == 1 { "a" } else { "b" }));
    when("a is woken", move || drop(a.take()));
    assert_eq!(queue.get_nowait(), Ok(0));
    expect_woken(&["a", "b"]);
    assert_eq!(result(&b), Ok(()));
    assert_eq!(queue.get_nowait(), Ok(2));
}

#[test]
fn a_waker_that_is_dropped_may_use_the_queue() {
    let queue = Queue::new(1);
    let (first, second) = (queue.clone(), queue.clone());
    let mut get = queue.get();
    assert!(poll(&mut get, "a").is_pending());
    // It is displaced by the next one, which is there to be woken when it goes.
    when("a is dropped", move || first.put_nowait(1).unwrap());
    assert!(poll(&mut get, "b").is_pending());
    expect_woken(&["b"]);
    assert_eq!(poll(&mut get, "b"), Poll::Ready(Ok(1)));

    // It goes with its wait, and then the other one is called.
    let [c, d] = ["c", "d"].map(|name| waits(queue.get(), name));
    when("c is dropped", move || second.put_nowait(2).unwrap());
    drop(c);
    expect_woken(&["d"]);
    assert_eq!(result(&d), Ok(2));
}

#[test]
fn a_set_wakes_who_waited_then_though_their_wakers_come_back() {
    let event = Event::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| waits(event.wait(), name));
    let late: Rc<RefCell<Option<_>>> = Rc::default();
    let (again, later) = (event.clone(), Rc::clone(&late));
    when("a is woken", move || {
        drop(b.take());
        again.clear();
        later.replace(waits(again.wait(), "late").take());
    });
    event.set();
    expect_woken(&["a", "c"]);
    result(&a);
    result(&c);
    event.set();
    expect_woken(&["late"]);
    result(&late);
}

#[test]
fn a_lock_is_passed_on_by_a_waker_that_drops_its_waiter() {
    let lock = Lock::new(7);
    let held = lock.try_lock().unwrap();
    let [a, b] = ["a", "b"].map(|name| waits(lock.lock(), name));
    let newcomer = lock.clone();
    when("a is woken", move || {
        assert!(newcomer.try_lock().is_err());
        drop(a.take());
    });
    drop(held);
    expect_woken(&["a", "b"]);
    assert!(lock.try_lock().is_err());
    assert_eq!(*result(&b), 7);
    assert_eq!(*lock.try_lock().unwrap(), 7);
}

#[test]
fn a_waker_that_runs_its_waiter_at_once_has_the_lock() {
    let lock = Lock::new(7);
    let held = lock.try_lock().unwrap();
    let (a, guard) = (waits(lock.lock(), "a"), Rc::new(RefCell::new(None)));
    let taken = Rc::clone(&guard);
    when("a is woken", move || _ = taken.replace(Some(result(&a))));
    drop(held);
    expect_woken(&["a"]);
    assert!(lock.is_locked());
    drop(guard.take());
    assert_eq!(*lock.try_lock().unwrap(), 7);
}

#[test]
fn the_ends_of_a_oneshot_may_go_away_in_each_others_wakers() {
    let (sender, receiver) = oneshot();
    let receiver = waits(receiver, "receiver");
    when("receiver is woken", move || drop(receiver.take()));
    assert_eq!(sender.send(1), Ok(()));
    expect_woken(&["receiver"]);

    let (mut sender, receiver) = oneshot::<i64>();
    assert!(poll(&mut sender.closed(), "given up").is_pending());
    drop(receiver);
    expect_woken(&[]);
    assert!(poll(&mut sender.closed(), "at once").is_ready());

    // A waker that is displaced and sends is not too late.
    let (sender, mut receiver) = oneshot();
    assert!(poll(&mut receiver, "a").is_pending());
    when("a is dropped", move || sender.send(2).unwrap());
    assert_eq!(poll(&mut receiver, "b"), Poll::Ready(Ok(2)));
    assert_eq!(poll(&mut receiver, "b"), Poll::Ready(Err(Closed)));
    expect_woken(&["b"]);
}

/// How many hold the waker while `wait` does, and after it was dropped.
fn held<F: Future + Unpin>(mut wait: F) -> [usize; 2] {
    let foreign = Arc::new(Foreign("nobody"));
    let waker = Waker::from(Arc::clone(&foreign));
    assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    let waiting = Arc::strong_count(&foreign) - 1;
    drop(wait);
    [waiting, Arc::strong_count(&foreign) - 1]
}

#[test]
fn a_wait_that_is_given_up_leaves_no_waker_behind() {
    let (lock, event) = (Lock::new(()), Event::new());
    let guard = lock.try_lock().unwrap();
    assert_eq!(held(lock.lock()), [1, 0]);
    assert_eq!(held(event.wait()), [1, 0]);
    let (mut sender, receiver) = oneshot::<()>();
    assert_eq!(held(sender.closed()), [1, 0]);
    assert_eq!(held(receiver), [1, 0]);
    drop(guard);
}
