//! What do ten thousand connections cost, as fibers, as native tasks, and as greenlets of gevent?
//!
//! A server in a process of its own echoes messages of 64 bytes, with a fiber, a task or a greenlet for each connection. A
//! client in this process opens all connections, and then sends over a hundred of them at a time, each in its turn. Told
//! are the memory of the server when all are open and have been used, and how long an echo takes. An echo over the loopback
//! is mostly the kernel's work, and the client's.
//!
//! ```text
//! cargo bench -p coro-examples --bench connections
//! PYTHON=…/bin/python cargo bench -p coro-examples --bench connections    # one that has gevent
//! ```

use std::cell::RefCell;
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use coro_core::{gather, native};
use coro_fiber::net::{FiberListener, FiberStream};
use futures::{AsyncReadExt, AsyncWriteExt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CONNECTIONS: usize = 10_000;
const AT_ONCE: usize = 100;
const ROUNDS: usize = 20;
const MESSAGE: [u8; 64] = [b'x'; 64];

fn main() {
    let limit = getrlimit(Resource::Nofile);
    // If it cannot be raised, there are fewer.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("fiber") => serve_fibers(),
        Some("native") => serve_tasks(),
        _ => {
            let tried = arguments.iter().any(|argument| argument == "--test");
            let connections = if tried { 2 * AT_ONCE } else { CONNECTIONS };
            for server in ["native", "fiber", "gevent"] {
                measure(server, connections);
            }
        }
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn serve_fibers() {
    let ended = coro_fiber::run(|_| {
        let listener = FiberListener::bind(anywhere()).expect("a listener");
        println!("{}", listener.local_addr().expect("its address"));
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            coro_fiber::spawn(move |_| {
                echo(stream);
                Ok(())
            })
            .detach();
        }
        Ok(())
    });
    ended.expect("it serves until it is killed");
}

fn echo(mut stream: FiberStream) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

fn serve_tasks() {
    let event_loop = Loop::new().expect("a loop");
    let ended = event_loop.run(async {
        let mut listener = TcpListener::bind(anywhere()).expect("a listener");
        println!("{}", listener.local_address());
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let echo = async move {
                let mut buffer = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    if stream.write_all(&buffer[..count]).await.is_err() {
                        return;
                    }
                }
            };
            native::spawn(echo).detach();
        }
    });
    ended.expect("it serves until it is killed")
}

/// A server, killed when it is dropped.
struct Server(Child);

impl Server {
    fn start(name: &str) -> Option<(Self, SocketAddr)> {
        let mut command = match name {
            "gevent" => {
                let mut python = Command::new(env::var("PYTHON").unwrap_or("python3".to_string()));
                python.args(["-c", include_str!("python/echo_gevent.py")]);
                python
            }
            flavour => {
                let mut own = Command::new(env::current_exe().expect("this program"));
                own.arg(flavour);
                own
            }
        };
        let mut process = Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take()?).read_line(&mut line).ok()?;
        Some((process, line.trim().parse().ok()?))
    }

    /// Kilobytes, under this name in its status.
    fn memory(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.0.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().ok()).unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn measure(name: &str, connections: usize) {
    let Some((server, address)) = Server::start(name) else {
        return println!("{name} is left out: it does not start");
    };
    let before = ["VmRSS", "VmPTE"].map(|kind| server.memory(kind));
    let begun = Instant::now();
    let event_loop = Loop::new().expect("a loop");
    let (mut latencies, opened, open) = event_loop.run(ask(address, connections)).expect("the client");
    let took = begun.elapsed() - opened;
    let after = ["VmRSS", "VmPTE"].map(|kind| server.memory(kind));
    drop(open);
    latencies.sort_unstable();
    let percentile = |per_mille: usize| latencies[(latencies.len() - 1) * per_mille / 1_000];
    let each = |kind: usize| (after[kind].saturating_sub(before[kind])) as f64 * 1_024.0 / connections as f64;
    println!(
        "{name:<7} {connections} connections: {:.0} MB ({:.0} bytes each, page tables {:.0}); an echo p50 {:.0?}, p99 {:.0?}, p99.9 {:.0?}; {:.0} a second",
        after[0] as f64 / 1_024.0,
        each(0),
        each(1),
        percentile(500),
        percentile(990),
        percentile(999),
        latencies.len() as f64 / took.as_secs_f64(),
    );
    let _ = std::io::stdout().flush();
}

/// How long each echo took, how long it took to open the connections and use each once, and the connections.
async fn ask(address: SocketAddr, connections: usize) -> (Vec<Duration>, Duration, Vec<Vec<TcpStream>>) {
    let begun = Instant::now();
    let latencies = Rc::new(RefCell::new(Vec::with_capacity(connections * ROUNDS)));
    let mut groups = Vec::new();
    for _ in 0..AT_ONCE {
        let mut streams = Vec::new();
        for _ in 0..connections / AT_ONCE {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            exchange(&mut stream).await;
            streams.push(stream);
        }
        groups.push(streams);
    }
    let opened = begun.elapsed();
    let clients = groups.into_iter().map(|mut streams| {
        let latencies = Rc::clone(&latencies);
        native::spawn(async move {
            for _ in 0..ROUNDS {
                for stream in &mut streams {
                    let sent = Instant::now();
                    exchange(stream).await;
                    latencies.borrow_mut().push(sent.elapsed());
                }
            }
            streams
        })
    });
    let open = gather(clients).await.expect("the clients");
    (latencies.take(), opened, open)
}

async fn exchange(stream: &mut TcpStream) {
    let mut answer = [0; MESSAGE.len()];
    stream.write_all(&MESSAGE).await.expect("it is read");
    stream.read_exact(&mut answer).await.expect("an echo");
}
