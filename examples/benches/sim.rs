//! How fast does simulated time pass?
//!
//! `exchange`: two hosts send each other messages of 64 bytes over one connection, in turn; a message that is delivered
//! is an element. Other simulators do the same in `examples/peers/simulators`. `bank`: `examples/src/simulated/bank.rs`
//! without its bug under many seeds, each as `explore` runs it, twice, or once; a seed is an element.
//!
//! ```text
//! cargo bench -p coro-examples --bench sim
//! ```

mod common;

use std::time::Duration;

use coro_core::net::{TcpListener, TcpStream};
use coro_core::sim::{Explorer, Policy, Sim, World};
use coro_core::stats::Flavour;
use coro_core::time::sleep;
use coro_examples::simulated::{Study, bank};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::{AsyncReadExt, AsyncWriteExt};

const MESSAGE: usize = 64;
const ROUNDS: u64 = 10_000;

async fn say(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(&[7; MESSAGE]).await?;
    stream.flush().await
}

async fn hear(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut message = [0; MESSAGE];
    stream.read_exact(&mut message).await
}

/// Two messages a round.
fn exchange(world: &World, latency: Duration) -> impl Future<Output = std::io::Result<()>> + use<> {
    let server = world.host("server", || async {
        let mut listener = TcpListener::bind(([0, 0, 0, 0], 80).into())?;
        let (mut stream, _) = listener.accept().await?;
        while hear(&mut stream).await.is_ok() {
            say(&mut stream).await?;
        }
        std::io::Result::Ok(())
    });
    world.links().latency(latency..=latency);
    let address = server.at(80);
    async move {
        sleep(Duration::from_millis(1)).await; // the server begins to listen
        let mut stream = TcpStream::connect(address).await?;
        for _ in 0..ROUNDS {
            say(&mut stream).await?;
            hear(&mut stream).await?;
        }
        Ok(())
    }
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exchange");
    group.throughput(Throughput::Elements(2 * ROUNDS));
    for latency in [Duration::ZERO, Duration::from_millis(1)] {
        for policy in [Policy::Fifo, Policy::Random] {
            let explorer = Explorer::new(Sim::new(0).policy(policy)).once();
            let explore = || {
                let explored = explorer.explore(0..1, |world| exchange(world, latency));
                explored.expect("nothing is wrong with it")
            };
            let steps_per_message = explore().steps as f64 / (2 * ROUNDS) as f64;
            let name = format!("{policy:?}, {latency:?}, {steps_per_message:.2} steps each");
            group.bench_function(BenchmarkId::new("simulated", name), |bench| bench.iter(explore));
        }
    }
    group.finish();
}

fn seeds(criterion: &mut Criterion) {
    const SEEDS: u64 = 100;
    let mut group = criterion.benchmark_group("bank");
    group.throughput(Throughput::Elements(SEEDS));
    for flavour in Flavour::ALL {
        let twice = Study::seeds(Policy::Random, 0..SEEDS);
        for (how, study) in [("twice", twice.clone()), ("once", twice.once())] {
            group.bench_function(BenchmarkId::new(flavour.to_string(), how), |bench| {
                bench.iter(|| bank::study(flavour, bank::Version::Locked, &study));
            });
        }
    }
    group.finish();
}

criterion_group!(name = sim; config = common::quick(); targets = messages, seeds);
criterion_main!(sim);
