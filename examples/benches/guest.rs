//! What does a turn cost where tokio turns the loop, against a loop of its own?
//!
//! - `one`: one task that yields, so that each turn runs one;
//! - `thousand`: a thousand tasks that yield, so that each turn runs a thousand;
//! - `switch`: a task of ours and one of tokio's that wake each other: a round is two polls of tokio and a turn of ours.
//!   Beside it, the same with two tasks of tokio.
//!
//! `hosted` is a loop that is the main future of its runtime, `spawned` one in a task of it.
//!
//! ```text
//! cargo bench -p coro-examples --bench guest
//! ```

mod common;

use std::time::{Duration, Instant};

use coro_core::guest::Guest;
use coro_core::native::spawn;
use coro_core::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::LocalRuntime;
use tokio::sync::mpsc;

/// So many tasks, each so many times.
type Run = fn(u64, u64) -> Duration;

/// How long it takes until each of `tasks` has yielded `rounds` times.
async fn yielding(tasks: u64, rounds: u64) -> Duration {
    let start = Instant::now();
    let tasks = (0..tasks).map(|_| {
        spawn(async move {
            for _ in 0..rounds {
                yield_now().await;
            }
        })
    });
    gather(tasks.collect::<Vec<_>>()).await.expect("they end");
    start.elapsed()
}

fn by_itself(tasks: u64, rounds: u64) -> Duration {
    Loop::new().expect("a driver").run(yielding(tasks, rounds)).expect("it runs")
}

fn runtime() -> LocalRuntime {
    LocalRuntime::new().expect("a runtime")
}

fn hosted(tasks: u64, rounds: u64) -> Duration {
    let event_loop = Loop::new().and_then(|event_loop| event_loop.hosted_by(runtime())).expect("a driver");
    event_loop.run(yielding(tasks, rounds)).expect("it runs")
}

fn spawned(tasks: u64, rounds: u64) -> Duration {
    runtime().block_on(async move {
        let guest = tokio::task::spawn_local(async move {
            Guest::new(Loop::new().expect("a driver")).expect("epoll").run(yielding(tasks, rounds)).await
        });
        guest.await.expect("it ends").expect("it runs")
    })
}

/// Sends back what it receives.
async fn echo(mut receiver: mpsc::Receiver<()>, sender: mpsc::Sender<()>) {
    while receiver.recv().await.is_some() && sender.send(()).await.is_ok() {}
}

async fn rounds(sender: mpsc::Sender<()>, mut receiver: mpsc::Receiver<()>, rounds: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        sender.send(()).await.expect("it is open");
        receiver.recv().await.expect("it answers");
    }
    start.elapsed()
}

fn with_tokio(count: u64) -> Duration {
    runtime().block_on(async move {
        let ((to, inbox), (back, answers)) = (mpsc::channel(1), mpsc::channel(1));
        tokio::task::spawn_local(echo(inbox, back));
        let ours = async move {
            Guest::new(Loop::new().expect("a driver")).expect("epoll").run(rounds(to, answers, count)).await
        };
        tokio::task::spawn_local(ours).await.expect("it ends").expect("it runs")
    })
}

fn within_tokio(count: u64) -> Duration {
    runtime().block_on(async move {
        let ((to, inbox), (back, answers)) = (mpsc::channel(1), mpsc::channel(1));
        tokio::task::spawn_local(echo(inbox, back));
        tokio::task::spawn_local(rounds(to, answers, count)).await.expect("it ends")
    })
}

fn guest(c: &mut Criterion) {
    for (name, tasks) in [("one", 1), ("thousand", 1_000)] {
        let mut group = c.benchmark_group(name);
        let kinds: [(&str, Run); 3] = [("by itself", by_itself), ("hosted", hosted), ("spawned", spawned)];
        for (kind, run) in kinds {
            group.bench_function(kind, |b| b.iter_custom(|turns| run(tasks, turns)));
        }
    }
    let mut group = c.benchmark_group("switch");
    group.bench_function("ours and tokio's", |b| b.iter_custom(with_tokio));
    group.bench_function("two of tokio's", |b| b.iter_custom(within_tokio));
}

criterion_group!(name = benches; config = common::quick(); targets = guest);
criterion_main!(benches);
