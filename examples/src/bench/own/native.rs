//! The work in async bodies.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use coro_core::group::TaskGroup;
use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::scope::timeout;
use coro_core::{gather, sync};

use super::{Asked, answer_all};
use crate::bench::shared::meter::{Meter, resident_bytes};
use crate::bench::shared::record::Measured;
use crate::bench::shared::remote::Woken;
use crate::bench::shared::scenario::{CAPACITY, CONSUMERS, PRODUCERS, Scenario, Size, WORK_PER_YIELD};
use crate::bench::shared::schedule::{Schedule, Seen};
use crate::bench::shared::turns;

/// Does the work of `scenario` on `event_loop`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn perform(event_loop: &Loop, scenario: Scenario, size: Size) -> Result<Measured, RunError> {
    Ok(*match scenario {
        Scenario::Yield | Scenario::Cold => event_loop.run(yields(size)),
        Scenario::SpawnAll => event_loop.run(spawn_all(size)),
        Scenario::SpawnOne => event_loop.run(spawn_one(size)),
        Scenario::Pingpong => event_loop.run(pingpong(size)),
        Scenario::Prodcons => event_loop.run(prodcons(size)),
        Scenario::Lock => event_loop.run(lock(size)),
        Scenario::Semaphore => event_loop.run(semaphore(size)),
        Scenario::Queue => event_loop.run(queue(size)),
        Scenario::HandOver => event_loop.run(hand_over(size)),
        Scenario::Gather => event_loop.run(gathered(size)),
        Scenario::Group => event_loop.run(group(size)),
        Scenario::Timeout => event_loop.run(timeouts(size)),
        Scenario::Oneshot => event_loop.run(oneshot(size)),
        Scenario::Remote => event_loop.run(remote(size)),
        Scenario::RemoteLoad => event_loop.run(remote_load(size)),
        Scenario::TimersPending => event_loop.run(timers_pending(size)),
        Scenario::TimersCancel => event_loop.run(timers_cancel(size)),
        Scenario::Chained => event_loop.run(chained(size)),
        Scenario::Memory => event_loop.run(memory(size)),
    }??)
}

type Result<T, E = TaskError> = std::result::Result<T, E>;

/// The sum of what the tasks give.
async fn sum_of(tasks: Vec<JoinHandle<u64>>) -> Result<u64> {
    let mut sum = 0;
    for task in tasks {
        sum += task.await?;
    }
    Ok(sum)
}

async fn yields(size: Size) -> Result<Box<Measured>> {
    let yielding = async move |rounds| {
        for _ in 0..rounds {
            yield_now().await;
        }
        rounds
    };
    let meter = Meter::start();
    let tasks = (0..size.tasks).map(|_| spawn(yielding(size.rounds))).collect();
    let mut measured = meter.stop(sum_of(tasks).await?);
    let noting = async |task| {
        for _ in 0..turns::YIELDS {
            turns::note(task);
            yield_now().await;
        }
        turns::YIELDS
    };
    sum_of((0..turns::TASKS).map(|task| spawn(noting(task))).collect()).await?;
    measured.same_task = Some(turns::same_task());
    Ok(measured)
}

async fn spawn_all(size: Size) -> Result<Box<Measured>> {
    let meter = Meter::start();
    let tasks = (0..size.tasks).map(|_| spawn(async { 1 })).collect();
    Ok(meter.stop(sum_of(tasks).await?))
}

async fn spawn_one(size: Size) -> Result<Box<Measured>> {
    let meter = Meter::start();
    let mut done = 0;
    for _ in 0..size.rounds {
        done += spawn(async { 1 }).await?;
    }
    Ok(meter.stop(done))
}

async fn pingpong(size: Size) -> Result<Box<Measured>> {
    let (there, back) = (Queue::new(1), Queue::new(1));
    let meter = Meter::start();
    let returning = spawn({
        let (there, back) = (there.clone(), back.clone());
        async move {
            for _ in 0..size.rounds {
                back.put(there.get().await.unwrap() + 1).await.unwrap();
            }
        }
    });
    let mut ball = 0;
    for _ in 0..size.rounds {
        there.put(ball).await.unwrap();
        ball = back.get().await.unwrap();
    }
    returning.await?;
    Ok(meter.stop(ball))
}

async fn prodcons(size: Size) -> Result<Box<Measured>> {
    let queue = Queue::new(CAPACITY);
    let produce = |queue: Queue<u64>| async move {
        for _ in 0..size.rounds / PRODUCERS {
            queue.put(1).await.unwrap();
        }
        0
    };
    let consume = |queue: Queue<u64>| async move {
        let mut sum = 0;
        for _ in 0..size.rounds / CONSUMERS {
            sum += queue.get().await.unwrap();
        }
        sum
    };
    let meter = Meter::start();
    let mut tasks: Vec<_> = (0..PRODUCERS).map(|_| spawn(produce(queue.clone()))).collect();
    tasks.extend((0..CONSUMERS).map(|_| spawn(consume(queue.clone()))));
    Ok(meter.stop(sum_of(tasks).await?))
}

async fn lock(size: Size) -> Result<Box<Measured>> {
    let lock = sync::Lock::new(0);
    let meter = Meter::start();
    for round in 0..size.rounds {
        *lock.lock().await += 1;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    Ok(meter.stop(*lock.lock().await))
}

async fn semaphore(size: Size) -> Result<Box<Measured>> {
    let semaphore = sync::Semaphore::new(2);
    let meter = Meter::start();
    let mut taken = 0;
    for round in 0..size.rounds {
        let _permit = semaphore.acquire().await;
        taken += 1;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    Ok(meter.stop(taken))
}

async fn queue(size: Size) -> Result<Box<Measured>> {
    let queue = Queue::new(1);
    let meter = Meter::start();
    let mut sum = 0;
    for round in 0..size.rounds {
        queue.put(1).await.unwrap();
        sum += queue.get().await.unwrap();
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    Ok(meter.stop(sum))
}

async fn hand_over(size: Size) -> Result<Box<Measured>> {
    let lock = sync::Lock::new(0);
    let held = lock.lock().await;
    let take = |lock: sync::Lock<u64>| async move {
        for _ in 0..size.rounds {
            *lock.lock().await += 1;
        }
        0
    };
    let tasks: Vec<_> = (0..size.tasks).map(|_| spawn(take(lock.clone()))).collect();
    // Now everybody waits, and the lock is never free again before the end.
    yield_now().await;
    let meter = Meter::start();
    drop(held);
    let zero = sum_of(tasks).await?;
    Ok(meter.stop(zero + *lock.lock().await))
}

async fn gathered(size: Size) -> Result<Box<Measured>> {
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..size.rounds {
        sum += gather((0..size.tasks).map(|_| spawn(async { 1 }))).await?.into_iter().sum::<u64>();
    }
    Ok(meter.stop(sum))
}

async fn group(size: Size) -> Result<Box<Measured>> {
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..size.rounds {
        let group = TaskGroup::new();
        let children = group.run(async {
            (0..size.tasks).map(|_| Ok(group.create_task(async { Ok(1) })?)).collect::<Result<Vec<_>>>()
        });
        for child in children.await? {
            sum += child.await?;
        }
    }
    Ok(meter.stop(sum))
}

async fn timeouts(size: Size) -> Result<Box<Measured>> {
    let meter = Meter::start();
    let mut sum = 0;
    for round in 0..size.rounds {
        sum += timeout(Duration::from_secs(1), async { 1 }).await?;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    Ok(meter.stop(sum))
}

async fn oneshot(size: Size) -> Result<Box<Measured>> {
    let asked = Asked::default();
    let ask = |asked: Asked| async move {
        let mut answers = 0;
        for _ in 0..size.rounds {
            let (sender, answer) = sync::oneshot();
            asked.borrow_mut().push(sender);
            answers += answer.await.unwrap_or(0);
        }
        answers
    };
    let meter = Meter::start();
    let asking = (0..size.tasks).map(|_| spawn(ask(asked.clone()))).collect();
    let answering = spawn(async move {
        let mut left = size.tasks * size.rounds;
        while left > 0 {
            left -= answer_all(&asked);
            yield_now().await;
        }
    });
    let answers = sum_of(asking).await?;
    answering.await?;
    Ok(meter.stop(answers))
}

/// Tasks that another thread wakes.
async fn woken(tasks: u64, size: Size) -> Result<Box<Measured>> {
    let group: Vec<_> = Woken::group(tasks, size.rounds).map(spawn).collect();
    let mut measured = None;
    for task in group {
        measured = measured.or(task.await?);
    }
    Ok(measured.unwrap_or_default())
}

async fn remote(size: Size) -> Result<Box<Measured>> {
    woken(1, size).await
}

async fn remote_load(size: Size) -> Result<Box<Measured>> {
    let over = Rc::new(Cell::new(false));
    let yielding = |over: Rc<Cell<bool>>| async move {
        while !over.get() {
            yield_now().await;
        }
        0
    };
    let load = (0..size.tasks).map(|_| spawn(yielding(Rc::clone(&over)))).collect();
    let measured = woken(size.tasks, size).await?;
    over.set(true);
    sum_of(load).await?;
    Ok(measured)
}

async fn timers_pending(size: Size) -> Result<Box<Measured>> {
    let schedule = Schedule::new(size.tasks);
    let seen = Rc::new(RefCell::new(Vec::<Seen>::with_capacity(size.tasks as usize)));
    let timer = |timer, seen: Rc<RefCell<Vec<Seen>>>| async move {
        let (due, now) = (schedule.due(timer), Instant::now());
        sleep(due.saturating_duration_since(now)).await;
        seen.borrow_mut().push((now, due.elapsed()));
    };
    let meter = Meter::start();
    let tasks: Vec<_> = (0..size.tasks).map(|task| spawn(timer(task, Rc::clone(&seen)))).collect();
    for task in tasks {
        task.await?;
    }
    Ok(schedule.measured(&meter, &seen.borrow()))
}

/// Begins to wait, and gives up. What waits stays where it was made, as in a program that awaits it.
async fn begin(waiting: Pin<&mut impl Future<Output = ()>>) -> u64 {
    let mut waiting = waiting;
    poll_fn(|cx| Poll::Ready(u64::from(waiting.as_mut().poll(cx).is_pending()))).await
}

async fn timers_cancel(size: Size) -> Result<Box<Measured>> {
    let longer = spawn(sleep(Duration::from_secs(3_600)));
    yield_now().await;
    let meter = Meter::start();
    let mut begun = 0;
    for round in 0..size.rounds {
        begun += begin(pin!(sleep(Duration::from_secs(30)))).await;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    let measured = meter.stop(begun);
    longer.cancel();
    Ok(measured)
}

/// A task that spawns the next one, or tells that it is the last.
fn link(number: u64, last: u64, end: Queue<u64>) {
    spawn(async move {
        if number < last {
            link(number + 1, last, end);
        } else {
            end.put(number).await.unwrap();
        }
    })
    .detach();
}

async fn chained(size: Size) -> Result<Box<Measured>> {
    let end = Queue::new(1);
    let meter = Meter::start();
    link(1, size.tasks, end.clone());
    Ok(meter.stop(end.get().await.unwrap()))
}

async fn memory(size: Size) -> Result<Box<Measured>> {
    let asleep = Rc::new(Cell::new(0));
    let sleeper = |asleep: Rc<Cell<u64>>| async move {
        asleep.set(asleep.get() + 1);
        sleep(Duration::from_secs(3_600)).await;
    };
    let future_bytes = size_of_val(&sleeper(Rc::clone(&asleep))) as u64;
    let before = resident_bytes();
    let meter = Meter::start();
    for _ in 0..size.tasks {
        spawn(sleeper(Rc::clone(&asleep))).detach();
    }
    while asleep.get() < size.tasks {
        sleep(Duration::from_millis(1)).await;
    }
    let mut measured = meter.stop(asleep.get()).with_memory(before, resident_bytes());
    measured.future_bytes = Some(future_bytes);
    Ok(measured)
}
