//! The work, over the few functions that a runtime's file has. Compiled once for each runtime: `super` is that file.
//!
//! It is that of `coro bench` for our own flavours, step by step: see `examples/src/bench/own/native.rs`.

// A task may give nothing, and `value` takes what it gives.
#![allow(clippy::unit_arg)]

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender, bounded};
use futures_util::future::join_all;
use tokio::sync;

use super::{
    HAS_GROUPS, State, block_on, channel, detach, group, one_shot, receive, send, sleep, spawn, timeout,
    value, with, yield_now,
};
use crate::shared::meter::{Meter, resident_bytes};
use crate::shared::record::Measured;
use crate::shared::remote::Woken;
use crate::shared::scenario::{CAPACITY, CONSUMERS, PRODUCERS, WORK_PER_YIELD, Scenario, Size};
use crate::shared::schedule::{Schedule, Seen};
use crate::shared::turns;

/// Runs it as a task, as our own work is: what `block_on` polls itself may be woken in another way.
macro_rules! run {
    ($work:expr) => {
        block_on(async {
            let mut measured = value(spawn($work).await);
            measured.with = Some(with());
            measured
        })
    };
}

/// Does the work of `scenario`.
pub fn perform(scenario: Scenario, size: Size) -> io::Result<Measured> {
    let measured = match scenario {
        Scenario::Yield | Scenario::Cold => run!(yields(size)),
        Scenario::SpawnAll => run!(spawn_all(size)),
        Scenario::SpawnOne => run!(spawn_one(size)),
        Scenario::Pingpong => run!(pingpong(size)),
        Scenario::Prodcons => run!(prodcons(size)),
        Scenario::Lock => run!(lock(size)),
        Scenario::Semaphore => run!(semaphore(size)),
        Scenario::Queue => run!(queue(size)),
        Scenario::HandOver => run!(hand_over(size)),
        Scenario::Gather => run!(gathered(size)),
        Scenario::Group if !HAS_GROUPS => return Err(io::Error::other("it has no groups of tasks")),
        Scenario::Group => run!(groups(size)),
        Scenario::Timeout => run!(timeouts(size)),
        Scenario::Oneshot => run!(oneshot(size)),
        Scenario::Remote => run!(remote(size)),
        Scenario::RemoteLoad => run!(remote_load(size)),
        Scenario::TimersPending => run!(timers_pending(size)),
        Scenario::TimersCancel => run!(timers_cancel(size)),
        Scenario::Chained => run!(chained(size)),
        Scenario::Memory => run!(memory(size)),
    };
    measured.map(|measured| *measured)
}

/// The sum of what the tasks give.
macro_rules! sum_of {
    ($tasks:expr) => {{
        let mut sum = 0;
        for task in $tasks {
            sum += value(task.await);
        }
        sum
    }};
}

async fn yielding(rounds: u64) -> u64 {
    for _ in 0..rounds {
        yield_now().await;
    }
    rounds
}

async fn noting(task: u64) -> u64 {
    for _ in 0..turns::YIELDS {
        turns::note(task);
        yield_now().await;
    }
    turns::YIELDS
}

async fn yields(size: Size) -> Box<Measured> {
    let meter = Meter::start();
    let tasks: Vec<_> = (0..size.tasks).map(|_| spawn(yielding(size.rounds))).collect();
    let mut measured = meter.stop(sum_of!(tasks));
    let tasks: Vec<_> = (0..turns::TASKS).map(|task| spawn(noting(task))).collect();
    let _: u64 = sum_of!(tasks);
    measured.same_task = Some(turns::same_task());
    measured
}

async fn spawn_all(size: Size) -> Box<Measured> {
    let meter = Meter::start();
    let tasks: Vec<_> = (0..size.tasks).map(|_| spawn(async { 1 })).collect();
    meter.stop(sum_of!(tasks))
}

async fn spawn_one(size: Size) -> Box<Measured> {
    let meter = Meter::start();
    let mut done = 0;
    for _ in 0..size.rounds {
        done += value(spawn(async { 1 }).await);
    }
    meter.stop(done)
}

async fn pingpong(size: Size) -> Box<Measured> {
    let ((to, mut there), (from, mut back)) = (channel::<u64>(1), channel::<u64>(1));
    let meter = Meter::start();
    let returning = spawn(async move {
        for _ in 0..size.rounds {
            send(&from, receive(&mut there).await + 1).await;
        }
    });
    let mut ball = 0;
    for _ in 0..size.rounds {
        send(&to, ball).await;
        ball = receive(&mut back).await;
    }
    value(returning.await);
    meter.stop(ball)
}

async fn produce(queue: Sender<u64>, items: u64) -> u64 {
    for _ in 0..items {
        queue.send(1).await.expect("a consumer lives");
    }
    0
}

async fn consume(queue: Receiver<u64>, items: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..items {
        sum += queue.recv().await.expect("an item is left");
    }
    sum
}

/// All use async-channel here: no runtime has a queue of its own with several consumers.
async fn prodcons(size: Size) -> Box<Measured> {
    let (sender, receiver) = bounded(CAPACITY);
    let meter = Meter::start();
    let mut tasks: Vec<_> =
        (0..PRODUCERS).map(|_| spawn(produce(sender.clone(), size.rounds / PRODUCERS))).collect();
    tasks.extend((0..CONSUMERS).map(|_| spawn(consume(receiver.clone(), size.rounds / CONSUMERS))));
    meter.stop(sum_of!(tasks))
}

/// All use tokio's lock and semaphore here, which need no runtime of their own.
async fn lock(size: Size) -> Box<Measured> {
    let lock = sync::Mutex::new(0);
    let meter = Meter::start();
    for round in 0..size.rounds {
        *lock.lock().await += 1;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    meter.stop(*lock.lock().await)
}

async fn semaphore(size: Size) -> Box<Measured> {
    let semaphore = sync::Semaphore::new(2);
    let meter = Meter::start();
    let mut taken = 0;
    for round in 0..size.rounds {
        let _permit = semaphore.acquire().await.expect("it is open");
        taken += 1;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    meter.stop(taken)
}

async fn queue(size: Size) -> Box<Measured> {
    let (puts, mut gets) = channel::<u64>(1);
    let meter = Meter::start();
    let mut sum = 0;
    for round in 0..size.rounds {
        send(&puts, 1).await;
        sum += receive(&mut gets).await;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    meter.stop(sum)
}

async fn hand_over(size: Size) -> Box<Measured> {
    let lock = Arc::new(sync::Mutex::new(0));
    let held = lock.lock().await;
    let take = |lock: Arc<sync::Mutex<u64>>| async move {
        for _ in 0..size.rounds {
            *lock.lock().await += 1;
        }
        0
    };
    let tasks: Vec<_> = (0..size.tasks).map(|_| spawn(take(Arc::clone(&lock)))).collect();
    // Now everybody waits, and the lock is never free again before the end.
    yield_now().await;
    let meter = Meter::start();
    drop(held);
    let zero: u64 = sum_of!(tasks);
    meter.stop(zero + *lock.lock().await)
}

/// All use the join of futures here, of the runtime's own handles.
async fn gathered(size: Size) -> Box<Measured> {
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..size.rounds {
        let joined = join_all((0..size.tasks).map(|_| spawn(async { 1 }))).await;
        sum += joined.into_iter().map(|joined| value(joined)).sum::<u64>();
    }
    meter.stop(sum)
}

async fn groups(size: Size) -> Box<Measured> {
    let meter = Meter::start();
    let mut sum = 0;
    for _ in 0..size.rounds {
        sum += group((0..size.tasks).map(|_| async { 1 })).await;
    }
    meter.stop(sum)
}

async fn timeouts(size: Size) -> Box<Measured> {
    let meter = Meter::start();
    let mut sum = 0;
    for round in 0..size.rounds {
        sum += timeout(Duration::from_secs(1), async { 1 }).await.unwrap_or(0);
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    meter.stop(sum)
}

async fn oneshot(size: Size) -> Box<Measured> {
    let asked = State::default();
    let ask = |asked: State<Vec<_>>| async move {
        let mut answers = 0;
        for _ in 0..size.rounds {
            let (sender, answer) = one_shot::<u64>();
            asked.with(|asked| asked.push(sender));
            answers += answer.await.expect("it is answered");
        }
        answers
    };
    let meter = Meter::start();
    let asking: Vec<_> = (0..size.tasks).map(|_| spawn(ask(asked.clone()))).collect();
    let answering = spawn(async move {
        let mut left = size.tasks * size.rounds;
        while left > 0 {
            for sender in asked.with(std::mem::take) {
                let _ = sender.send(1);
                left -= 1;
            }
            yield_now().await;
        }
    });
    let answers = sum_of!(asking);
    value(answering.await);
    meter.stop(answers)
}

async fn woken(tasks: u64, size: Size) -> Box<Measured> {
    let group: Vec<_> = Woken::group(tasks, size.rounds).map(spawn).collect();
    let mut measured = None;
    for task in group {
        measured = measured.or(value(task.await));
    }
    measured.unwrap_or_default()
}

async fn remote(size: Size) -> Box<Measured> {
    woken(1, size).await
}

async fn yielding_until(over: Arc<AtomicBool>) -> u64 {
    while !over.load(Relaxed) {
        yield_now().await;
    }
    0
}

async fn remote_load(size: Size) -> Box<Measured> {
    let over = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..size.tasks).map(|_| spawn(yielding_until(Arc::clone(&over)))).collect();
    let measured = woken(size.tasks, size).await;
    over.store(true, Relaxed);
    let _: u64 = sum_of!(load);
    measured
}

async fn timers_pending(size: Size) -> Box<Measured> {
    let schedule = Schedule::new(size.tasks);
    let seen = State::<Vec<Seen>>::default();
    seen.with(|seen| seen.reserve(size.tasks as usize));
    let timer = |timer, seen: State<Vec<Seen>>| async move {
        let (due, now) = (schedule.due(timer), Instant::now());
        sleep(due.saturating_duration_since(now)).await;
        seen.with(|seen| seen.push((now, due.elapsed())));
    };
    let meter = Meter::start();
    let tasks: Vec<_> = (0..size.tasks).map(|task| spawn(timer(task, seen.clone()))).collect();
    for task in tasks {
        value(task.await);
    }
    seen.with(|seen| schedule.measured(&meter, seen))
}

/// Begins to wait, and gives up. What waits stays where it was made, as in a program that awaits it.
async fn begin(waiting: Pin<&mut impl Future<Output = ()>>) -> u64 {
    let mut waiting = waiting;
    poll_fn(|cx| Poll::Ready(u64::from(waiting.as_mut().poll(cx).is_pending()))).await
}

async fn timers_cancel(size: Size) -> Box<Measured> {
    detach(spawn(sleep(Duration::from_secs(3_600))));
    yield_now().await;
    let meter = Meter::start();
    let mut begun = 0;
    for round in 0..size.rounds {
        begun += begin(pin!(sleep(Duration::from_secs(30)))).await;
        if round % WORK_PER_YIELD == 0 {
            yield_now().await;
        }
    }
    meter.stop(begun)
}

/// A task that spawns the next one, or tells that it is the last.
fn link(number: u64, last: u64, end: Sender<u64>) {
    detach(spawn(async move {
        if number < last {
            link(number + 1, last, end);
        } else {
            let _ = end.send(number).await;
        }
    }));
}

async fn chained(size: Size) -> Box<Measured> {
    let (sender, end) = bounded(1);
    let meter = Meter::start();
    link(1, size.tasks, sender);
    meter.stop(end.recv().await.expect("the last one tells"))
}

async fn sleeper(asleep: Arc<AtomicU64>) {
    asleep.fetch_add(1, Relaxed);
    sleep(Duration::from_secs(3_600)).await;
}

async fn memory(size: Size) -> Box<Measured> {
    let asleep = Arc::new(AtomicU64::new(0));
    let future_bytes = size_of_val(&sleeper(Arc::clone(&asleep))) as u64;
    let before = resident_bytes();
    let meter = Meter::start();
    for _ in 0..size.tasks {
        detach(spawn(sleeper(Arc::clone(&asleep))));
    }
    while asleep.load(Relaxed) < size.tasks {
        sleep(Duration::from_millis(1)).await;
    }
    let mut measured = meter.stop(asleep.load(Relaxed)).with_memory(before, resident_bytes());
    measured.future_bytes = Some(future_bytes);
    measured
}
