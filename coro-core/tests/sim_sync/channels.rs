//! Programs over what carries items.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro_core::native::spawn;
use coro_core::queue::Queue;
use coro_core::sync::{OnceCell, broadcast, open_memory_channel, watch};
use coro_core::time::{sleep, yield_now};

use super::{Inside, below, crowd, pause};

pub async fn queues() {
    let size = below(3) as usize;
    let queue = Queue::new(size);
    let (put, got) = (Rc::new(RefCell::new(vec![])), Rc::new(RefCell::new(vec![])));
    let both = spawn({
        let (queue, put, got) = (queue.clone(), Rc::clone(&put), Rc::clone(&got));
        async move {
            crowd(2 + below(5), |task| {
                let (queue, put, got) = (queue.clone(), Rc::clone(&put), Rc::clone(&got));
                async move {
                    for round in 0..1 + below(3) {
                        pause().await;
                        if task.is_multiple_of(2) {
                            let item = (task, round);
                            match queue.put(item).await {
                                Ok(()) => put.borrow_mut().push(item),
                                Err(refused) => assert_eq!(refused.0, item),
                            }
                        } else if let Ok(item) = queue.get().await {
                            got.borrow_mut().push(item);
                            queue.task_done().unwrap();
                        }
                    }
                }
            })
            .await;
        }
    });
    sleep(Duration::from_secs(1)).await;
    let statistics = queue.statistics();
    assert!(statistics.getting == 0 || statistics.len == 0, "a getter sleeps: {statistics:?}");
    assert!(statistics.putting == 0 || statistics.len == size, "a putter sleeps: {statistics:?}");
    queue.shutdown();
    both.await.unwrap();
    while let Ok(item) = queue.get().await {
        got.borrow_mut().push(item);
        queue.task_done().unwrap();
    }
    queue.join().await;
    assert_eq!(got, put, "in this order");
    let statistics = queue.statistics();
    assert_eq!((statistics.getting, statistics.putting, statistics.unfinished), (0, 0, 0));
}

pub async fn channels() {
    let capacity = below(3) as usize;
    let (sends, receives) = open_memory_channel(capacity);
    let (sent, received) = (Rc::new(RefCell::new(vec![])), Rc::new(RefCell::new(vec![])));
    let count = below(6);
    let senders = spawn({
        let sent = Rc::clone(&sent);
        async move {
            crowd(1 + below(3), |task| {
                let (sends, sent) = (sends.clone(), Rc::clone(&sent));
                async move {
                    for round in 0..1 + below(3) {
                        pause().await;
                        match sends.send((task, round)).await {
                            Ok(()) => sent.borrow_mut().push((task, round)),
                            Err(broken) => return assert_eq!(broken.0, (task, round)),
                        }
                    }
                }
            })
            .await;
        }
    });
    let last = receives.clone();
    crowd(1 + below(3), |_| {
        let (receives, received) = (receives.clone(), Rc::clone(&received));
        async move {
            for _ in 0..count {
                pause().await;
                match receives.receive().await {
                    Ok(item) => received.borrow_mut().push(item),
                    Err(_) => return,
                }
            }
        }
    })
    .await;
    drop(receives);
    if below(2) == 0 {
        // Then those who send are told.
        while let Ok(item) = last.receive_nowait() {
            received.borrow_mut().push(item);
        }
        drop(last);
        senders.await.unwrap();
        return assert_eq!(received, sent, "in this order");
    }
    while let Ok(item) = last.receive().await {
        received.borrow_mut().push(item);
    }
    senders.await.unwrap();
    assert_eq!(received, sent, "in this order");
    let statistics = last.statistics();
    assert_eq!((statistics.sending, statistics.receiving, statistics.senders), (0, 0, 0));
}

pub async fn cells() {
    let (cell, inside, made) = (OnceCell::new(), Inside::default(), Rc::new(Cell::new(0)));
    crowd(2 + below(4), |task| {
        let (cell, inside, made) = (cell.clone(), inside.clone(), Rc::clone(&made));
        async move {
            pause().await;
            let make = || async {
                let _inside = inside.enter(1);
                pause().await;
                if below(3) == 0 {
                    return Err("not now");
                }
                made.set(made.get() + 1);
                Ok(task)
            };
            if let Ok(value) = cell.get_or_try_init(make).await {
                assert_eq!(cell.get(), Some(value));
            }
        }
    })
    .await;
    assert_eq!(made.get(), usize::from(cell.get().is_some()));
    assert_eq!(*cell.get_or_init(|| async { 7 }).await, *cell.get().unwrap());
}

pub async fn news() {
    let (sends, first) = broadcast::channel(1 + below(3) as usize);
    let (sets, watches) = watch::channel(0);
    let count = 1 + below(6);
    let heard = Rc::new(RefCell::new(vec![]));
    let audience = spawn({
        let heard = Rc::clone(&heard);
        async move {
            crowd(1 + below(4), |_| {
                let (mut receives, mut watches) = (first.clone(), watches.clone());
                let heard = Rc::clone(&heard);
                async move {
                    let (mut next, mut last) = (1, 0);
                    loop {
                        match receives.receive().await {
                            Ok(item) => {
                                assert_eq!(item, next);
                                next += 1;
                            }
                            Err(broadcast::ReceiveError::Lagged(missed)) => next += missed,
                            Err(_) => break,
                        }
                        pause().await;
                    }
                    while watches.changed().await.is_ok() {
                        assert!(*watches.latest() > last);
                        last = *watches.latest_seen();
                    }
                    heard.borrow_mut().push((next - 1, last));
                }
            })
            .await;
        }
    });
    yield_now().await;
    for item in 1..=count {
        pause().await;
        let _ = sends.send(item);
        sets.send(item);
    }
    drop((sends, sets));
    audience.await.unwrap();
    assert!(heard.borrow().iter().all(|heard| *heard == (count, count)), "{heard:?} of {count}");
}
