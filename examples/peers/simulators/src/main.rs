//! Two hosts that send each other messages of 64 bytes over one connection, in turn, on other simulators: the work of
//! `examples/benches/sim.rs`, with a latency of a millisecond.
//!
//! ```text
//! RUSTFLAGS="--cfg madsim" cargo run --release
//! ```

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const MESSAGE: usize = 64;
const ROUNDS: u64 = 10_000;
/// The best of these counts.
const RUNS: usize = 7;
const LATENCY: Duration = Duration::from_millis(1);

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut message = [0; MESSAGE];
    for _ in 0..ROUNDS {
        stream.write_all(&[7; MESSAGE]).await?;
        stream.flush().await?;
        stream.read_exact(&mut message).await?;
    }
    Ok(())
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut message = [0; MESSAGE];
    while stream.read_exact(&mut message).await.is_ok() {
        stream.write_all(&message).await?;
        stream.flush().await?;
    }
    Ok(())
}

fn turmoil(seed: u64) -> Duration {
    use turmoil::net::{TcpListener, TcpStream};

    let mut builder = turmoil::Builder::new();
    builder.rng_seed(seed).simulation_duration(Duration::from_secs(1_000_000));
    builder.min_message_latency(LATENCY).max_message_latency(LATENCY);
    let mut sim = builder.build();
    sim.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        let (stream, _) = listener.accept().await?;
        Ok(answer(stream).await?)
    });
    sim.client("client", async { Ok(ask(TcpStream::connect("server:80").await?).await?) });
    sim.run().expect("nothing is wrong with it");
    sim.elapsed()
}

#[cfg(madsim)]
fn madsim(seed: u64) -> Duration {
    use std::net::SocketAddr;

    use madsim::net::{TcpListener, TcpStream};
    use madsim::runtime::Runtime;

    let mut config = madsim::Config::default();
    config.net.send_latency = LATENCY..LATENCY + Duration::from_nanos(1);
    let runtime = Runtime::with_seed_and_config(seed, config);
    let address = SocketAddr::from(([10, 0, 0, 1], 80));
    let server = runtime.create_node().ip(address.ip()).build();
    let client = runtime.create_node().ip([10, 0, 0, 2].into()).build();
    drop(server.spawn(async move {
        let listener = TcpListener::bind(address).await?;
        let (stream, _) = listener.accept().await?;
        answer(stream).await
    }));
    let client = client.spawn(async move {
        // The server may not listen yet.
        madsim::time::sleep(LATENCY).await;
        let begun = madsim::time::Instant::now();
        ask(TcpStream::connect(address).await?).await?;
        io::Result::Ok(begun.elapsed())
    });
    runtime.block_on(client).expect("it ends").expect("nothing is wrong with it")
}

fn measure(name: &str, run: fn(u64) -> Duration) {
    let timed = |seed| {
        let begun = Instant::now();
        let passed = black_box(run(seed));
        (begun.elapsed(), passed)
    };
    let Some((best, passed)) = (0..RUNS as u64).map(timed).min() else { return };
    let messages = (2 * ROUNDS) as f64;
    println!(
        "{name}: {:.0} messages a second, {:.2} µs each; {passed:.1?} of virtual time",
        messages / best.as_secs_f64(),
        best.as_secs_f64() * 1e6 / messages,
    );
}

fn main() {
    measure("turmoil", turmoil);
    #[cfg(madsim)]
    measure("madsim", madsim);
    #[cfg(not(madsim))]
    println!("madsim: build with RUSTFLAGS=\"--cfg madsim\"");
}
