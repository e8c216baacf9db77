//! Random programs over what tasks agree with, under random schedules, with random cancellations and wakes for nothing.
//!
//! A program is drawn from the loop's random numbers, so that it is part of what a seed repeats and shrinks. Each is so
//! made that it ends, if no wake-up is lost: a run that stalls is a failure, and so is a task that is left.
//!
//! `CORO_SCHEDULES=100000 cargo test --release -p coro-core --test sim_sync` runs so many of each instead of a few.

mod channels;
#[path = "../sim_common/explored.rs"]
mod explored;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro_core::native::spawn;
use coro_core::sync::{
    Barrier, BoundedSemaphore, CapacityLimiter, Condition, Event, Lock, RwLock, Semaphore,
};
use coro_core::time::{sleep, yield_now};
use coro_core::{JoinHandle, TaskError};

use explored::{below, explore};

/// Perhaps until nobody moves, so that the next ones to move do so at the same time.
async fn pause() {
    match below(4) {
        0 => {}
        times @ 1..3 => {
            for _ in 0..times {
                yield_now().await;
            }
        }
        _ => sleep(Duration::from_millis(1)).await,
    }
}

/// So many tasks, some of which are cancelled at some time. They have ended when this has.
async fn crowd<F: Future<Output = ()> + 'static>(count: u64, mut task: impl FnMut(u64) -> F) {
    let tasks: Vec<JoinHandle<()>> = (0..count).map(|number| spawn(task(number))).collect();
    for task in &tasks {
        pause().await;
        if below(3) == 0 {
            task.cancel();
        }
    }
    for task in tasks {
        if let Err(error @ TaskError::Panicked(_)) = task.await {
            panic!("{error}");
        }
    }
}

/// How many are somewhere at once.
#[derive(Clone, Default)]
struct Inside(Rc<Cell<usize>>);

impl Inside {
    /// Until the result is dropped.
    fn enter(&self, most: usize) -> impl Sized + use<> {
        struct Leaves(Rc<Cell<usize>>);
        impl Drop for Leaves {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        self.0.set(self.0.get() + 1);
        assert!(self.0.get() <= most, "{} are inside, of {most}", self.0.get());
        Leaves(Rc::clone(&self.0))
    }
}

async fn locks() {
    let (lock, inside, arrived, granted) =
        (Lock::new(0), Inside::default(), Rc::new(Cell::new(0)), Rc::new(RefCell::new(vec![])));
    crowd(2 + below(4), |_| {
        let (lock, inside) = (lock.clone(), inside.clone());
        let (arrived, granted) = (Rc::clone(&arrived), Rc::clone(&granted));
        async move {
            for _ in 0..1 + below(3) {
                pause().await;
                let ticket = arrived.replace(arrived.get() + 1);
                let mut value = lock.lock().await;
                granted.borrow_mut().push(ticket);
                let _inside = inside.enter(1);
                let before = *value;
                pause().await;
                assert_eq!(*value, before);
                *value += 1;
            }
        }
    })
    .await;
    // Who gave up is missing; nobody was overtaken.
    assert!(granted.borrow().is_sorted(), "{granted:?}");
    assert!(*lock.try_lock().expect("everybody is gone") <= granted.borrow().len());
    assert_eq!(lock.statistics().waiting, 0);
}

async fn semaphores() {
    let size = 1 + below(3) as usize;
    let (semaphore, bounded) = (Semaphore::new(size), BoundedSemaphore::new(size));
    let (inside, others) = (Inside::default(), Inside::default());
    crowd(2 + below(5), |_| {
        let (semaphore, bounded) = (semaphore.clone(), bounded.clone());
        let (inside, others) = (inside.clone(), others.clone());
        async move {
            for _ in 0..1 + below(3) {
                pause().await;
                if below(2) == 0 {
                    let _permit = semaphore.acquire().await;
                    let _inside = inside.enter(size);
                    pause().await;
                } else {
                    bounded.acquire().await.forget();
                    drop(others.enter(size));
                    bounded.release().unwrap();
                }
            }
        }
    })
    .await;
    for statistics in [semaphore.statistics(), bounded.statistics()] {
        assert_eq!((statistics.value, statistics.held, statistics.waiting), (size, 0, 0));
    }
}

async fn limiters() {
    let (limiter, inside) = (CapacityLimiter::new(1), Inside::default());
    let most = 1 + below(4) as usize;
    crowd(2 + below(5), |_| {
        let (limiter, inside) = (limiter.clone(), inside.clone());
        async move {
            pause().await;
            if below(3) == 0 {
                limiter.set_total_tokens(1 + below(most as u64) as usize);
            }
            let _token = limiter.acquire().await.unwrap();
            let _inside = inside.enter(most);
            assert!(limiter.acquire().await.is_err());
            pause().await;
        }
    })
    .await;
    let statistics = limiter.statistics();
    assert_eq!((statistics.borrowed, statistics.borrowers.len(), statistics.waiting), (0, 0, 0));
}

async fn readers_and_writers() {
    let (lock, readers, writers) = (RwLock::new(0), Inside::default(), Inside::default());
    crowd(2 + below(5), |_| {
        let (lock, readers, writers) = (lock.clone(), readers.clone(), writers.clone());
        async move {
            for _ in 0..1 + below(3) {
                pause().await;
                if below(3) > 0 {
                    let value = lock.read().await;
                    let _inside = readers.enter(usize::MAX);
                    assert_eq!(writers.0.get(), 0);
                    let before = *value;
                    pause().await;
                    assert_eq!(*value, before);
                    continue;
                }
                let mut value = lock.write().await;
                let inside = writers.enter(1);
                assert_eq!(readers.0.get(), 0);
                *value += 1;
                pause().await;
                drop(inside);
                if below(2) == 0 {
                    let value = value.downgrade();
                    let before = *value;
                    pause().await;
                    assert_eq!(*value, before);
                }
            }
        }
    })
    .await;
    drop(lock.try_write().expect("everybody is gone"));
    assert_eq!(lock.statistics().waiting, 0);
}

/// Each consumer wants one of what is there: with one notification for each, nobody who waits may miss it, though others go
/// away when they have been notified.
async fn conditions() {
    let store = Condition::new(0u64);
    let consumers: Vec<_> = (0..2 + below(4))
        .map(|_| {
            let store = store.clone();
            spawn(async move {
                pause().await;
                let mut stock = store.lock().await.wait_for(|stock| *stock > 0).await;
                *stock -= 1;
                pause().await;
            })
        })
        .collect();
    for _ in 1..consumers.len() {
        pause().await;
        let mut stock = store.lock().await;
        *stock += 1;
        stock.notify(1);
        drop(stock);
        if below(2) == 0 {
            consumers[below(consumers.len() as u64) as usize].cancel();
        }
    }
    // Nobody moves any more: those who wait do so because nothing is there.
    sleep(Duration::from_secs(1)).await;
    let mut stock = store.try_lock().expect("nobody works");
    assert!(*stock == 0 || store.statistics().waiting == 0, "{} are there, and somebody waits", *stock);
    *stock += consumers.len() as u64;
    stock.notify_all();
    drop(stock);
    for consumer in consumers {
        if let Err(error @ TaskError::Panicked(_)) = consumer.await {
            panic!("{error}");
        }
    }
    assert_eq!(store.statistics().waiting, 0);
}

/// Who waits when an event is set, if only for a moment, goes on before time does.
async fn events() {
    let (event, flashes) = (Event::new(), Rc::new(Cell::new(0)));
    let crowd = spawn({
        let (event, flashes) = (event.clone(), Rc::clone(&flashes));
        async move {
            crowd(2 + below(5), |_| {
                let (event, flashes) = (event.clone(), Rc::clone(&flashes));
                async move {
                    while !event.is_set() {
                        pause().await;
                        let before = flashes.get();
                        event.wait().await;
                        assert!(flashes.get() <= before + 1, "it was woken too late");
                        pause().await;
                    }
                }
            })
            .await;
        }
    });
    for _ in 0..3 {
        sleep(Duration::from_millis(1)).await;
        flashes.set(flashes.get() + 1);
        event.set();
        event.clear();
    }
    sleep(Duration::from_millis(1)).await;
    flashes.set(flashes.get() + 1);
    event.set();
    crowd.await.unwrap();
    assert_eq!(event.statistics().waiting, 0);
}

async fn barriers() {
    let parties = 1 + below(3) as usize;
    let barrier = Barrier::new(parties).unwrap();
    let (passed, tasks) = (Rc::new(RefCell::new(vec![0; parties])), 2 + below(5));
    let cancelled = spawn({
        let (barrier, passed) = (barrier.clone(), Rc::clone(&passed));
        async move {
            crowd(tasks, |_| {
                let (barrier, passed) = (barrier.clone(), Rc::clone(&passed));
                async move {
                    while let Ok(number) = barrier.wait().await {
                        passed.borrow_mut()[number] += 1;
                        if below(3) == 0 {
                            return;
                        }
                        pause().await;
                    }
                }
            })
            .await;
        }
    });
    // Nobody moves any more: those who are too few wait.
    sleep(Duration::from_secs(1)).await;
    assert!(barrier.statistics().waiting < parties);
    barrier.abort();
    cancelled.await.unwrap();
    // The last one of each pass has passed; of the others, those who lived to see it.
    let passed = passed.borrow();
    assert!(passed.iter().all(|times| *times <= passed[parties - 1]), "{passed:?}");
    assert_eq!(barrier.statistics().waiting, 0);
}

macro_rules! explored {
    ($($test:ident: $program:path,)*) => {
        $(
            #[test]
            fn $test() {
                explore(150, $program);
            }
        )*
    };
}

explored! {
    a_lock_is_held_by_one_in_the_order_of_arriving: locks,
    permits_are_never_too_many_and_none_is_lost: semaphores,
    tokens_are_never_too_many_and_none_is_lost: limiters,
    readers_and_writers_never_meet_and_all_go: readers_and_writers,
    no_notification_is_lost: conditions,
    who_waits_for_an_event_hears_of_it: events,
    barriers_let_pass_as_many_as_they_should: barriers,
    a_queue_loses_no_item_and_keeps_their_order: channels::queues,
    a_channel_loses_no_item_and_keeps_their_order: channels::channels,
    a_value_is_made_by_one_at_a_time_and_once: channels::cells,
    everybody_hears_all_the_news_or_how_much_it_missed: channels::news,
}
