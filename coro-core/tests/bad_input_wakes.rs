//! Wakes that nobody should make, and that anybody may: too many, too late, from the wrong places.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use coro_core::conformance::{Trace, reports};
use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::time;

type Kept = Rc<RefCell<Option<Waker>>>;

/// Counts its polls, keeps the waker of the first, and is never done.
fn counted(polls: &Rc<Cell<u32>>, kept: &Kept) -> impl Future<Output = ()> + use<> {
    let (polls, kept) = (Rc::clone(polls), Rc::clone(kept));
    poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        kept.borrow_mut().get_or_insert_with(|| cx.waker().clone());
        Poll::Pending
    })
}

/// One turn.
fn turn(event_loop: &Loop) {
    event_loop.stop();
    event_loop.run_forever().unwrap();
}

#[test]
fn a_hundred_thousand_wakes_are_one_resume_wherever_they_come_from() {
    let event_loop = Loop::simulated();
    let (polls, kept) = (Rc::default(), Kept::default());
    event_loop.spawn(counted(&polls, &kept)).detach();
    turn(&event_loop);
    let waker = kept.borrow().clone().unwrap();
    let wake_often = move || (0..100_000).for_each(|_| waker.wake_by_ref());
    // By its own loop, with the loop not running, by another thread, and by all of them.
    event_loop.call_soon(wake_often.clone());
    turn(&event_loop);
    turn(&event_loop);
    assert_eq!(polls.get(), 2);
    wake_often();
    turn(&event_loop);
    assert_eq!(polls.get(), 3);
    let remote = wake_often.clone();
    thread::spawn(remote).join().unwrap();
    turn(&event_loop);
    assert_eq!(polls.get(), 4);
    let remote = wake_often.clone();
    event_loop.call_soon(move || {
        wake_often();
        thread::spawn(remote).join().unwrap();
    });
    turn(&event_loop);
    // What came from elsewhere is received in the next turn, in which the task is queued already.
    turn(&event_loop);
    assert_eq!(polls.get(), 5);
    turn(&event_loop);
    assert_eq!(polls.get(), 5);
    event_loop.set_exception_handler(Some(Rc::new(|_| ())));
}

/// The tenants of a slot are counted in few bits. A waker that is older than a whole round of them wakes a task that
/// has nothing to do with it, and that goes on waiting.
#[test]
fn a_waker_of_long_ago_wakes_another_task_which_sleeps_on() {
    const ROUND: usize = 1 << 16;
    let event_loop = Loop::simulated();
    let old = event_loop.spawn(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
    let old = event_loop.run_until_complete(old).unwrap();
    for _ in 1..ROUND {
        event_loop.run_until_complete(event_loop.spawn(async {})).unwrap();
    }
    let polls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&polls);
    let sleeper = event_loop.spawn(async move {
        let mut asleep = Box::pin(sleep(Duration::from_secs(2)));
        poll_fn(|cx| {
            counted.set(counted.get() + 1);
            asleep.as_mut().poll(cx)
        })
        .await;
        time::now()
    });
    event_loop.call_later(Duration::from_secs(1), move || old.wake());
    let woken = event_loop.run_until_complete(sleeper).unwrap();
    assert_eq!(woken.as_secs_f64(), 2.0);
    assert_eq!(polls.get(), 3, "the old waker has reached it");
}

/// Wakes when it is dropped, and says so.
struct WakesAtItsEnd(Kept, Trace);

impl Drop for WakesAtItsEnd {
    fn drop(&mut self) {
        self.1.log("dropped");
        if let Some(waker) = &*self.0.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// A future that keeps its waker and wakes it at its end, which is where `ends` says.
fn wakes_itself(trace: &Trace, ends: bool) -> impl Future<Output = ()> + use<> {
    let (kept, trace) = (Kept::default(), trace.clone());
    async move {
        let held = WakesAtItsEnd(Rc::clone(&kept), trace);
        poll_fn(|cx| {
            kept.replace(Some(cx.waker().clone()));
            Poll::Ready(())
        })
        .await;
        if !ends {
            pending::<()>().await;
        }
        drop(held);
    }
}

#[test]
fn a_task_that_wakes_itself_while_it_ends_is_not_run_again() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let reported = reports(&event_loop);
    // By itself, cancelled, and with its loop.
    event_loop.run_until_complete(event_loop.spawn(wakes_itself(&trace, true))).unwrap();
    let cancelled = event_loop.spawn(wakes_itself(&trace, false));
    turn(&event_loop);
    cancelled.cancel();
    assert!(event_loop.run_until_complete(cancelled).is_err());
    let left = event_loop.spawn(wakes_itself(&trace, false)).named("left");
    turn(&event_loop);
    trace.expect(&["dropped", "dropped"]);
    event_loop.close().unwrap();
    trace.expect(&["dropped"]);
    reported.expect(&["left destroyed"]);
    assert!(left.is_done());
}

/// Tasks are destroyed one after the other: one that is woken by the destructor of another is gone, or about to go.
#[test]
fn a_destructor_may_wake_another_task_while_the_loop_is_closed() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let reported = reports(&event_loop);
    let (polls, older, younger) = (Rc::new(Cell::new(0)), Kept::default(), Kept::default());
    event_loop.spawn(counted(&polls, &older)).named("older").detach();
    for wakes in [&older, &younger] {
        let held = WakesAtItsEnd(Rc::clone(wakes), trace.clone());
        event_loop
            .spawn(async move {
                let _held = held;
                pending::<()>().await;
            })
            .named("wakes")
            .detach();
    }
    event_loop.spawn(counted(&polls, &younger)).named("younger").detach();
    turn(&event_loop);
    event_loop.close().unwrap();
    reported.expect(&["younger destroyed", "wakes destroyed", "wakes destroyed", "older destroyed"]);
    trace.expect(&["dropped", "dropped"]);
    assert_eq!(polls.get(), 2, "the first poll of each");
    drop(event_loop);
    for waker in [older.take().unwrap(), younger.take().unwrap()] {
        waker.wake();
    }
}

/// Each task wakes the waker of the one before it, which is done, forgotten, or of another loop.
#[test]
fn a_wake_that_crosses_loops_reaches_the_task_it_names() {
    let (here, there) = (Loop::simulated(), Loop::simulated());
    let (polls, kept) = (Rc::default(), Kept::default());
    there.spawn(counted(&polls, &kept)).detach();
    turn(&there);
    let waker = kept.borrow().clone().unwrap();
    let again = waker.clone();
    here.run(async move { spawn(async move { again.wake() }).await.unwrap() }).unwrap();
    turn(&there);
    assert_eq!(polls.get(), 2);
    drop(here);
    waker.wake();
    turn(&there);
    assert_eq!(polls.get(), 3);
    there.set_exception_handler(Some(Rc::new(|_| ())));
}

/// A task that is resumed for nothing, at every turn, is neither done nor lost.
#[test]
fn a_future_that_is_polled_for_nothing_waits_on() {
    struct Restless(u32);
    impl Future for Restless {
        type Output = u32;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
            self.0 += 1;
            cx.waker().wake_by_ref();
            if self.0 == 1_000 { Poll::Ready(self.0) } else { Poll::Pending }
        }
    }
    let event_loop = Loop::simulated();
    let others = event_loop.spawn(async {
        for _ in 0..999 {
            yield_now().await;
        }
    });
    assert_eq!(event_loop.run_until_complete(event_loop.spawn(Restless(0))).unwrap(), 1_000);
    // It took its turns with the others.
    event_loop.run_until_complete(others).unwrap();
}
