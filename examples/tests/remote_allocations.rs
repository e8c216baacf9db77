//! What wakes from other threads, and loops that come and go, take of memory: nothing that grows.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use allocation_counter::measure;
use coro_core::prelude::*;

/// A loop with a task that waits, and the waker of the task.
fn waiting(event_loop: &Loop) -> (JoinHandle<()>, Waker) {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let mut polls = 0;
    let task = event_loop.spawn(poll_fn(move |cx| {
        polls += 1;
        *keep.lock().unwrap() = Some(cx.waker().clone());
        if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
    }));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    let waker = kept.lock().unwrap().take().unwrap();
    (task, waker)
}

/// Neither while the loop is awake nor to end its sleep, nor when it is gone.
#[test]
fn a_wake_from_another_thread_takes_none() {
    let mut loops = vec![Loop::simulated()];
    if cfg!(target_os = "linux") {
        loops.push(Loop::new().unwrap());
    }
    for event_loop in loops {
        let (task, waker) = waiting(&event_loop);
        let remote = event_loop.remote();
        let wake = |waker: Waker| thread::spawn(move || measure(|| waker.wake()).count_total);
        assert_eq!(wake(waker.clone()).join().unwrap(), 0, "awake");
        event_loop.run_until_complete(task).unwrap();
        let (task, again) = waiting(&event_loop);
        let asleep = wake(again);
        event_loop.run_until_complete(task).unwrap();
        assert_eq!(asleep.join().unwrap(), 0, "asleep");
        drop((event_loop, remote));
        assert_eq!(wake(waker).join().unwrap(), 0, "gone");
    }
}

/// A life of a loop, with a task, a timer that is left, a call and a waker from elsewhere.
fn life(event_loop: &Loop) -> Waker {
    let remote = event_loop.remote();
    remote.call_soon_threadsafe(|| ()).unwrap();
    event_loop.call_later(std::time::Duration::from_secs(60), || ());
    event_loop.run(poll_fn(|cx| Poll::Ready(cx.waker().clone()))).unwrap()
}

#[test]
fn a_hundred_thousand_loops_leave_none_behind() {
    drop(life(&Loop::simulated()));
    let mut old: Vec<Waker> = Vec::with_capacity(10);
    let taken = measure(|| {
        for _ in 0..100_000 {
            let waker = life(&Loop::simulated());
            if old.len() < old.capacity() {
                old.push(waker);
            }
        }
        // Their places have been given to others many times.
        old.drain(..).for_each(Waker::wake);
    });
    assert_eq!((taken.count_current, taken.bytes_current), (0, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn loops_over_the_kernel_leave_no_files_open() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    (0..1_000).for_each(|_| drop(life(&Loop::new().unwrap())));
    // The other tests have some open.
    assert!(open() < before + 100);
}
