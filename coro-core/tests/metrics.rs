//! What a loop says of what it has done.

use std::time::Duration;

use coro_core::time::{Time, sleep, yield_now};
use coro_core::{EventLoop, Loop, native};

#[test]
fn turns_resumes_and_wakes_are_told_apart() {
    let event_loop = Loop::simulated();
    event_loop.call_soon(|| ());
    event_loop
        .run(async {
            let others: Vec<_> = (0..3).map(|_| native::spawn(yield_now())).collect();
            for other in others {
                other.await.unwrap();
            }
        })
        .unwrap();
    let metrics = event_loop.metrics();
    // The others wake themselves, and the first the main task, which meets the two behind it ended.
    assert_eq!((metrics.spawned, metrics.local_wakes, metrics.remote_wakes), (4, 3 + 1, 0), "{metrics:?}");
    // The four begin, the wakes, the two callbacks: ours, and that which stops the loop.
    assert_eq!((metrics.resumes, metrics.deepest_queue), (4 + 4 + 2, 3), "{metrics:?}");
    assert!(metrics.turns >= 4, "{metrics:?}");
}

#[test]
fn timers_are_counted_with_how_late_they_are() {
    let event_loop = Loop::simulated();
    let second = |n: i64| Time::from_nanos(n * 1_000_000_000);
    event_loop.call_at(second(1), || coro_core::time::block_for(Duration::from_secs(3)));
    event_loop.call_at(second(2), || ());
    event_loop.call_at(second(3), || ());
    event_loop.call_at(second(60), || ()).cancel();
    event_loop.call_at(second(61), || ());
    event_loop.run_until_complete(event_loop.spawn(sleep(Duration::from_secs(30)))).unwrap();
    let metrics = event_loop.metrics();
    assert_eq!((metrics.timers_set, metrics.timers_fired, metrics.timers_pending), (6, 4, 1), "{metrics:?}");
    assert_eq!(metrics.latest_timer, Duration::from_secs(2));
    assert_eq!(metrics.lateness, Duration::from_secs(2 + 1));
}

#[test]
fn wakes_by_other_threads_are_counted() {
    let event_loop = Loop::simulated();
    let remote = event_loop.remote();
    std::thread::spawn(move || {
        remote.call_soon_threadsafe(|| ()).unwrap();
    })
    .join()
    .unwrap();
    event_loop.run(yield_now()).unwrap();
    let metrics = event_loop.metrics();
    assert_eq!((metrics.remote_wakes, metrics.local_wakes), (1, 1), "{metrics:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn ready_tasks_share_looks_at_the_driver() {
    let event_loop = Loop::new().unwrap();
    event_loop
        .run(async {
            for _ in 0..10_000 {
                yield_now().await;
            }
        })
        .unwrap();
    let metrics = event_loop.metrics();
    assert!(metrics.turns > 10_000);
    // How seldom depends on the machine; never at all turns, and at most 512 turns apart.
    assert!((10_000 / 512..9_000).contains(&metrics.system_calls.waits), "{metrics:?}");
    assert_eq!(metrics.system_calls.notifications, 0);
}
