//! What does it cost to ask the kernel what is ready, by select, poll and epoll, while many connections are idle?
//!
//! One connection is active: a byte goes there and comes back. Beside it are 10, 1,000 or 10,000 descriptors, each a
//! connection's end that a task of its own reads from, and nothing ever comes. All ends are on the one loop.
//!
//! ```text
//! cargo bench -p coro-examples --bench drivers
//! ```

mod common;

use std::rc::Rc;
use std::time::{Duration, Instant};

use coro_core::driver::DescriptorTooLarge;
use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use coro_examples::loop_kind::LoopKind;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures::{AsyncReadExt, AsyncWriteExt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const IDLE: [u64; 3] = [10, 1_000, 10_000];
/// What is open besides: the standard streams, the loop's own, the listener, the active connection, criterion's files.
const OTHERS: u64 = 20;

/// Allows as many descriptors as the process may have, and gives their number.
fn allowed_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // If it cannot be raised, there are fewer.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

async fn connected(listener: &mut TcpListener) -> (TcpStream, TcpStream) {
    let near = TcpStream::connect(listener.local_address()).await.expect("a connection");
    (near, listener.accept().await.expect("a connection").0)
}

/// An active connection beside `idle` ends that are read from.
async fn beside(idle: u64) -> TcpStream {
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("an address")).expect("a listener");
    for _ in 0..idle / 2 {
        let (near, far) = connected(&mut listener).await;
        for mut end in [near, far] {
            _ = spawn(async move { end.read(&mut [0; 1]).await });
        }
    }
    let (near, mut far) = connected(&mut listener).await;
    _ = spawn(async move {
        let mut byte = [0; 1];
        while far.read_exact(&mut byte).await.is_ok() {
            far.write_all(&byte).await.expect("it is read");
        }
    });
    near
}

async fn echo(mut near: TcpStream, rounds: u64) -> (TcpStream, Duration) {
    let mut byte = [7; 1];
    let start = Instant::now();
    for _ in 0..rounds {
        near.write_all(&byte).await.expect("it is read");
        near.read_exact(&mut byte).await.expect("it is answered");
    }
    (near, start.elapsed())
}

/// A loop with idle connections, and the active one.
struct Setting {
    event_loop: Loop,
    active: Option<TcpStream>,
}

impl Setting {
    fn new(event_loop: Loop, idle: u64) -> Self {
        // Those that are idle die with the loop, and that is no news.
        event_loop.set_exception_handler(Some(Rc::new(|_| ())));
        let task = event_loop.spawn(beside(idle));
        let active = event_loop.run_until_complete(task).expect("it runs");
        Self { event_loop, active: Some(active) }
    }

    fn echo(&mut self, rounds: u64) -> Duration {
        let active = self.active.take().expect("it comes back each time");
        let task = self.event_loop.spawn(echo(active, rounds));
        let (active, took) = self.event_loop.run_until_complete(task).expect("it runs");
        self.active = Some(active);
        took
    }
}

/// A loop that `idle` descriptors find room on, or why there is none.
fn make(kind: LoopKind, idle: u64, allowed: u64) -> Result<Loop, String> {
    let most = if kind == LoopKind::Select { DescriptorTooLarge::LIMIT as u64 } else { allowed };
    if idle + OTHERS > most {
        return Err(format!("there can be {most} descriptors only"));
    }
    kind.make(None).map_err(|error| error.to_string())
}

fn drivers(criterion: &mut Criterion) {
    let allowed = allowed_descriptors();
    let mut group = criterion.benchmark_group("drivers");
    for kind in LoopKind::ALL.into_iter().filter(|kind| *kind != LoopKind::Sim) {
        for idle in IDLE {
            let event_loop = match make(kind, idle, allowed) {
                Ok(event_loop) => event_loop,
                Err(why) => {
                    eprintln!("drivers/{kind}/{idle} SKIPPED: {why}");
                    continue;
                }
            };
            let mut setting = None;
            group.bench_function(BenchmarkId::new(kind.to_string(), idle), |bench| {
                let setting = setting.get_or_insert_with(|| Setting::new(event_loop.clone(), idle));
                bench.iter_custom(|rounds| setting.echo(rounds));
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = common::quick();
    targets = drivers
}
criterion_main!(benches);
