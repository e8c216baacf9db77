//! Random programs against models that any reader believes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::queue::{GetNowaitError, PutNowaitError};
use coro_core::time::{self, Time};
use proptest::collection::vec;
use proptest::prelude::*;

/// Counts how many wakers are held somewhere.
struct Held;

impl std::task::Wake for Held {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn those_who_give_up_waiting_leave_nothing_behind() {
    let held = Arc::new(Held);
    let waker = Waker::from(Arc::clone(&held));
    let mut cx = Context::from_waker(&waker);
    let queue = Queue::new(1);
    queue.put_nowait(1).unwrap();
    let waits = Arc::strong_count(&held);
    for _ in 0..3 {
        let (mut put, mut join) = (queue.put(2), queue.join());
        assert!(Pin::new(&mut put).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut join).poll(&mut cx).is_pending());
    }
    queue.get_nowait().unwrap();
    let mut get = queue.get();
    assert!(Pin::new(&mut get).poll(&mut cx).is_pending());
    assert!(Arc::strong_count(&held) > waits);
    drop(get);
    assert_eq!(Arc::strong_count(&held), waits);
}

#[test]
fn time_saturates_and_never_goes_below_zero_durations() {
    let (early, late) = (Time::from_nanos(-5), Time::from_nanos(10));
    assert_eq!(late - early, Duration::from_nanos(15));
    assert_eq!(early - late, Duration::ZERO);
    assert_eq!(early + Duration::from_nanos(6), Time::from_nanos(1));
    assert_eq!(late + Duration::MAX, Time::MAX);
    assert_eq!(Time::MAX - Time::from_nanos(i64::MIN), Duration::from_nanos(i64::MAX as u64));
    assert_eq!(Time::from_nanos(1_500_000_000).to_string(), "1.500000000");
}

proptest! {
    /// Timers go off by deadline, equal ones in the order of their making, cancelled ones never.
    #[test]
    fn prop_timers_match_a_stable_sort(timers in vec((-5i64..20, any::<bool>()), 0..60)) {
        let event_loop = Loop::simulated();
        let fired: Rc<RefCell<Vec<usize>>> = Rc::default();
        let mut handles = Vec::new();
        for (index, (deadline, cancelled)) in timers.iter().enumerate() {
            let log = Rc::clone(&fired);
            let handle = event_loop.call_at(Time::from_nanos(*deadline), move || log.borrow_mut().push(index));
            handles.push((handle, *cancelled));
        }
        for (handle, cancelled) in &handles {
            if *cancelled {
                handle.cancel();
            }
        }
        event_loop.run_until_complete(event_loop.spawn(sleep(Duration::from_nanos(100)))).unwrap();
        let mut model: Vec<usize> = (0..timers.len()).filter(|index| !timers[*index].1).collect();
        model.sort_by_key(|index| timers[*index].0);
        prop_assert_eq!(&*fired.borrow(), &model);
    }

    /// Without waiting, the queue is a bounded first-in-first-out list.
    #[test]
    fn prop_queue_matches_a_list(bound in 0usize..4, operations in vec(any::<Option<u8>>(), 0..100)) {
        let (queue, mut model) = (Queue::new(bound), VecDeque::new());
        for operation in operations {
            match operation {
                Some(item) if bound > 0 && model.len() == bound => {
                    prop_assert_eq!(queue.put_nowait(item), Err(PutNowaitError::QueueFull(item)));
                }
                Some(item) => {
                    prop_assert_eq!(queue.put_nowait(item), Ok(()));
                    model.push_back(item);
                }
                None => prop_assert_eq!(queue.get_nowait(), model.pop_front().ok_or(GetNowaitError::QueueEmpty)),
            }
            prop_assert_eq!(queue.len(), model.len());
        }
    }

    /// Under random delays and cancellations no item is lost, doubled or reordered, and nobody waits for ever.
    #[test]
    fn prop_queue_loses_nothing_under_cancellation(
        bound in 0usize..3,
        puts in vec(0u64..6, 1..20),
        getters in vec((0u64..6, 0u64..40), 0..10),
    ) {
        let got: Rc<RefCell<Vec<usize>>> = Rc::default();
        let (log, count) = (Rc::clone(&got), puts.len());
        let ended = Loop::simulated().run(async move {
            let queue = Queue::new(bound);
            let producer = spawn({
                let queue = queue.clone();
                async move {
                    for (item, delay) in puts.into_iter().enumerate() {
                        sleep(Duration::from_nanos(delay)).await;
                        queue.put(item).await.unwrap();
                    }
                }
            });
            for (pause, life) in getters {
                let (queue, log) = (queue.clone(), Rc::clone(&log));
                let getter = spawn(async move {
                    loop {
                        let item = queue.get().await.unwrap();
                        log.borrow_mut().push(item);
                        sleep(Duration::from_nanos(pause)).await;
                    }
                });
                spawn(async move {
                    sleep(Duration::from_nanos(life)).await;
                    getter.cancel();
                }).detach();
            }
            // The last getter takes what the others left.
            sleep(Duration::from_nanos(50)).await;
            while log.borrow().len() < count {
                let item = queue.get().await.unwrap();
                log.borrow_mut().push(item);
            }
            producer.await
        });
        prop_assert!(ended.unwrap().is_ok());
        prop_assert_eq!(&*got.borrow(), &(0..count).collect::<Vec<_>>());
    }

    /// A sleep ends exactly at its deadline on the simulated clock, whoever else sleeps.
    #[test]
    fn prop_sleeps_end_on_time(durations in vec(0u64..1_000, 0..40)) {
        let expected = durations.clone();
        let ended = Loop::simulated().run(async move {
            let tasks: Vec<_> = durations
                .into_iter()
                .map(|nanos| spawn(async move {
                    sleep(Duration::from_nanos(nanos)).await;
                    time::now().as_nanos() as u64
                }))
                .collect();
            gather(tasks).await
        });
        prop_assert_eq!(ended.unwrap().unwrap(), expected);
    }
}
