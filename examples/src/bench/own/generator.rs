//! The work in generators.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use coro_core::group::TaskGroup;
use coro_core::prelude::*;
use coro_core::scope::timeout;
use coro_core::{gather, sync};
use coro_gen::{TaskCo, spawn, task};

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
    let measured = match scenario {
        Scenario::Yield | Scenario::Cold => event_loop.run(task(async move |co| yields(co, size).await)),
        Scenario::SpawnAll => event_loop.run(task(async move |co| spawn_all(co, size).await)),
        Scenario::SpawnOne => event_loop.run(task(async move |co| spawn_one(co, size).await)),
        Scenario::Pingpong => event_loop.run(task(async move |co| pingpong(co, size).await)),
        Scenario::Prodcons => event_loop.run(task(async move |co| prodcons(co, size).await)),
        Scenario::Lock => event_loop.run(task(async move |co| lock(co, size).await)),
        Scenario::Semaphore => event_loop.run(task(async move |co| semaphore(co, size).await)),
        Scenario::Queue => event_loop.run(task(async move |co| queue(co, size).await)),
        Scenario::HandOver => event_loop.run(task(async move |co| hand_over(co, size).await)),
        Scenario::Gather => event_loop.run(task(async move |co| gathered(co, size).await)),
        Scenario::Group => event_loop.run(task(async move |co| group(co, size).await)),
        Scenario::Timeout => event_loop.run(task(async move |co| timeouts(co, size).await)),
        Scenario::Oneshot => event_loop.run(task(async move |co| oneshot(co, size).await)),
        Scenario::Remote => event_loop.run(task(async move |co| remote(co, size).await)),
        Scenario::RemoteLoad => event_loop.run(task(async move |co| remote_load(co, size).await)),
        Scenario::TimersPending => event_loop.run(task(async move |co| timers_pending(co, size).await)),
        Scenario::TimersCancel => event_loop.run(task(async move |co| timers_cancel(co, size).await)),
        Scenario::Chained => event_loop.run(task(async move |co| chained(co, size).await)),
        Scenario::Memory => event_loop.run(task(async move |co| memory(co, size).await)),
    };
    measured.map(|measured| *measured)
}

/// The sum of what the tasks give.
async fn sum_of(co: &mut TaskCo<'_>, tasks: Vec<JoinHandle<u64>>) -> TaskResult<u64> {
    let mut sum = 0;
    for task in tasks {
        sum += co.wait(task).await??;
    }
    Ok(sum)
}

async fn yields(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let yielding = move |_| {
        spawn(async move |co| {
            for _ in 0..size.rounds {
                co.wait(yield_now()).await?;
            }
            Ok(size.rounds)
        })
    };
    let meter = Meter::start();
    let tasks = (0..size.tasks).map(yielding).collect();
    let mut measured = meter.stop(sum_of(co, tasks).await?);
    let noting = |task| {
        spawn(async move |co| {
            for _ in 0..turns::YIELDS {
                turns::note(task);
                co.wait(yield_now()).await?;
            }
            Ok(turns::YIELDS)
        })
    };
    sum_of(co, (0..turns::TASKS).map(noting).collect()).await?;
    measured.same_task = Some(turns::same_task());
    Ok(measured)
}

async fn spawn_all(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let meter = Meter::start();
    let tasks = (0..size.tasks).map(|_| spawn(async |_| Ok(1))).collect();
    Ok(meter.stop(sum_of(co, tasks).await?))
}

async fn spawn_one(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let meter = Meter::start();
    let mut done = 0;
    for _ in 0..size.rounds {
        done += co.wait(spawn(async |_| Ok(1))).await??;
    }
    Ok(meter.stop(done))
}

async fn pingpong(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let (there, back) = (Queue::new(1), Queue::new(1));
    let meter = Meter::start();
    let returning = spawn({
        let (there, back) = (there.clone(), back.clone());
        async move |co| {
            for _ in 0..size.rounds {
                let ball: u64 = co.wait(there.get()).await?.unwrap();
                co.wait(back.put(ball + 1)).await?.unwrap();
            }
            Ok(())
        }
    });
    let mut ball = 0;
    for _ in 0..size.rounds {
        co.wait(there.put(ball)).await?.unwrap();
        ball = co.wait(back.get()).await?.unwrap();
    }
    co.wait(returning).await??;
    Ok(meter.stop(ball))
}

async fn prodcons(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let queue = Queue::new(CAPACITY);
    let producer = |queue: Queue<u64>| {
        spawn(async move |co| {
            for _ in 0..size.rounds / PRODUCERS {
                co.wait(queue.put(1)).await?.unwrap();
            }
            Ok(0)
        })
    };
    let consumer = |queue: Queue<u64>| {
        spawn(async move |co| {
            let mut sum = 0;
            for _ in 0..size.rounds / CONSUMERS {
                sum += co.wait(queue.get()).await?.unwrap();
            }
            Ok(sum)
        })
    };
    let meter = Meter::start();
    let mut tasks: Vec<_> = (0..PRODUCERS).map(|_| producer(queue.clone())).collect();
    tasks.extend((0..CONSUMERS).map(|_| consumer(queue.clone())));
    Ok(meter.stop(sum_of(co, tasks).await?))
}

async fn lock(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let lock = sync::Lock::new(0);
    let meter = Meter::start();
    for round in 0..size.rounds {
        *co.wait(lock.lock()).await? += 1;
        if round % WORK_PER_YIELD == 0 {
            co.wait(yield_now()).await?;
        }
    }
    Ok(meter.stop(*co.wait(lock.lock()).await?))
}

async fn semaphore(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let semaphore = sync::Semaphore::new(2);
    let meter = Meter::start();
    let mut taken = 0;
    for round in 0..size.rounds {
        let _permit = co.wait(semaphore.acquire()).await?;
        taken += 1;
        if round % WORK_PER_YIELD == 0 {
            co.wait(yield_now()).await?;
        }
    }
    Ok(meter.stop(taken))
}

async fn queue(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let queue = Queue::new(1);
    let meter = Meter::start();
    let mut sum = 0;
    for round in 0..size.rounds {
        co.wait(queue.put(1)).await?.unwrap();
        sum += co.wait(queue.get()).await?.unwrap();
        if round % WORK_PER_YIELD == 0 {
            co.wait(yield_now()).await?;
        }
    }
    Ok(meter.stop(sum))
}

async fn hand_over(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let lock = sync::Lock::new(0);
    let held = co.wait(lock.lock()).await?;
    let take = |lock: sync::Lock<u64>| {
        spawn(async move |co| {
            for _ in 0..size.rounds {
                *co.wait(lock.lock()).await? += 1;
            }
            Ok(0)
        })
    };
    let tasks: Vec<_> = (0..size.tasks).map(|_| take(lock.clone())).collect();
    // Now everybody waits, and the lock is never free again before the end.
    co.wait(yield_now()).await?;
    let meter = Meter::start();
    drop(held);
    let zero = sum_of(co, tasks).await?;
    Ok(meter.stop(zero + *co.wait(lock.lock()).await?))
}

async fn gathered(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..size.rounds {
        let tasks = (0..size.tasks).map(|_| spawn(async |_| Ok(1)));
        sum += co.wait(gather(tasks)).await??.into_iter().sum::<u64>();
    }
    Ok(meter.stop(sum))
}

async fn group(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..size.rounds {
        let group = TaskGroup::new();
        let children = co.group(&group, async |_| {
            let children = (0..size.tasks).map(|_| Ok(group.create_task(task(async |_| Ok(1)))?));
            children.collect::<TaskResult<Vec<_>>>()
        });
        for child in children.await?? {
            sum += co.wait(child).await??;
        }
    }
    Ok(meter.stop(sum))
}

async fn timeouts(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let meter = Meter::start();
    let mut sum = 0;
    for round in 0..size.rounds {
        sum += co.wait(timeout(Duration::from_secs(1), async { 1 })).await??;
        if round % WORK_PER_YIELD == 0 {
            co.wait(yield_now()).await?;
        }
    }
    Ok(meter.stop(sum))
}

async fn oneshot(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let asked = Asked::default();
    let asker = |asked: Asked| {
        spawn(async move |co| {
            let mut answers = 0;
            for _ in 0..size.rounds {
                let (sender, answer) = sync::oneshot();
                asked.borrow_mut().push(sender);
                answers += co.wait(answer).await?.unwrap_or(0);
            }
            Ok(answers)
        })
    };
    let meter = Meter::start();
    let asking = (0..size.tasks).map(|_| asker(asked.clone())).collect();
    let answering = spawn(async move |co| {
        let mut left = size.tasks * size.rounds;
        while left > 0 {
            left -= answer_all(&asked);
            co.wait(yield_now()).await?;
        }
        Ok(())
    });
    let answers = sum_of(co, asking).await?;
    co.wait(answering).await??;
    Ok(meter.stop(answers))
}

/// Tasks that another thread wakes.
async fn woken(co: &mut TaskCo<'_>, tasks: u64, size: Size) -> TaskResult<Box<Measured>> {
    let waiting = |woken| spawn(async move |co| co.wait(woken).await);
    let group: Vec<_> = Woken::group(tasks, size.rounds).map(waiting).collect();
    let mut measured = None;
    for task in group {
        measured = measured.or(co.wait(task).await??);
    }
    Ok(measured.unwrap_or_default())
}

async fn remote(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    woken(co, 1, size).await
}

async fn remote_load(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let over = Rc::new(Cell::new(false));
    let yielding = |over: Rc<Cell<bool>>| {
        spawn(async move |co| {
            while !over.get() {
                co.wait(yield_now()).await?;
            }
            Ok(0)
        })
    };
    let load = (0..size.tasks).map(|_| yielding(Rc::clone(&over))).collect();
    let measured = woken(co, size.tasks, size).await?;
    over.set(true);
    sum_of(co, load).await?;
    Ok(measured)
}

async fn timers_pending(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let schedule = Schedule::new(size.tasks);
    let seen = Rc::new(RefCell::new(Vec::<Seen>::with_capacity(size.tasks as usize)));
    let timer = |timer, seen: Rc<RefCell<Vec<Seen>>>| {
        spawn(async move |co| {
            let (due, now) = (schedule.due(timer), Instant::now());
            co.wait(sleep(due.saturating_duration_since(now))).await?;
            seen.borrow_mut().push((now, due.elapsed()));
            Ok(())
        })
    };
    let meter = Meter::start();
    let tasks: Vec<_> = (0..size.tasks).map(|task| timer(task, Rc::clone(&seen))).collect();
    for task in tasks {
        co.wait(task).await??;
    }
    Ok(schedule.measured(&meter, &seen.borrow()))
}

/// Begins to wait, and gives up. What waits stays where it was made, as in a program that awaits it.
async fn begin(co: &mut TaskCo<'_>, waiting: Pin<&mut impl Future<Output = ()>>) -> TaskResult<u64> {
    let mut waiting = waiting;
    co.wait(poll_fn(|cx| Poll::Ready(u64::from(waiting.as_mut().poll(cx).is_pending())))).await
}

async fn timers_cancel(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let longer = spawn(async |co| co.wait(sleep(Duration::from_secs(3_600))).await);
    co.wait(yield_now()).await?;
    let meter = Meter::start();
    let mut begun = 0;
    for round in 0..size.rounds {
        begun += begin(co, pin!(sleep(Duration::from_secs(30)))).await?;
        if round % WORK_PER_YIELD == 0 {
            co.wait(yield_now()).await?;
        }
    }
    let measured = meter.stop(begun);
    longer.cancel();
    Ok(measured)
}

/// A task that spawns the next one, or tells that it is the last.
fn link(number: u64, last: u64, end: Queue<u64>) {
    spawn(async move |co| {
        if number < last {
            link(number + 1, last, end);
        } else {
            co.wait(end.put(number)).await?.unwrap();
        }
        Ok(())
    })
    .detach();
}

async fn chained(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let end = Queue::new(1);
    let meter = Meter::start();
    link(1, size.tasks, end.clone());
    Ok(meter.stop(co.wait(end.get()).await?.unwrap()))
}

async fn memory(co: &mut TaskCo<'_>, size: Size) -> TaskResult<Box<Measured>> {
    let asleep = Rc::new(Cell::new(0));
    let sleeper = |asleep: Rc<Cell<u64>>| {
        spawn(async move |co| {
            asleep.set(asleep.get() + 1);
            co.wait(sleep(Duration::from_secs(3_600))).await
        })
    };
    let before = resident_bytes();
    let meter = Meter::start();
    for _ in 0..size.tasks {
        sleeper(Rc::clone(&asleep)).detach();
    }
    while asleep.get() < size.tasks {
        co.wait(sleep(Duration::from_millis(1))).await?;
    }
    Ok(meter.stop(asleep.get()).with_memory(before, resident_bytes()))
}
