//! A client that asks until it is answered, and a server that must do once what it is asked twice.
//!
//! The network loses, delays, refuses and resets; it is cut in two for a while, and the server crashes and starts
//! again. What it keeps on its disk it knows then, and nothing else.
//!
//! This demonstrates:
//!
//! 1. a world of two hosts, its weather, and what survives a crash: what the program of a host captures;
//! 2. exactly-once by two simple means: the client asks again with the same number, and the server keeps each answer in
//!    the same write as what it did;
//! 3. flavours side by side: the server is made of fibers, the client is native.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use coro_core::random;
use coro_core::sim::{Crash, Host, ReplayError, World};
use coro_fiber::TaskCo;
use futures::future::{Either, select};
use futures::{AsyncReadExt, AsyncWriteExt};

use super::{Found, Study};

/// What the server keeps of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Nothing.
    Forgetful,
    /// Its answer, once that is sent.
    Late,
    /// Its answer, in the same write as what it did.
    ExactlyOnce,
}

const PORT: u16 = 80;
const DEPOSITS: u64 = 4;
/// How long an answer may take, before the client asks again.
const PATIENCE: Duration = Duration::from_millis(300);

/// A deposit: its number, and how much it is.
#[derive(Debug, Clone, Copy)]
struct Request {
    number: u64,
    amount: u64,
}

impl Request {
    fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.number) << 64 | u128::from(self.amount)).to_be_bytes()
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        Self { number: (both >> 64) as u64, amount: both as u64 }
    }
}

/// What is on the server's disk. An answer is the balance after the deposit.
#[derive(Debug, Default)]
struct Disk {
    balance: u64,
    answers: BTreeMap<u64, u64>,
}

/// Studies the program.
///
/// # Errors
///
/// [`ReplayError`], if it is to be repeated by the line of another program.
pub fn study(version: Version, study: &Study) -> Result<Found, ReplayError> {
    study.of(|world: &World| {
        let disk = Rc::<RefCell<Disk>>::default();
        let server = world.host("server", move || {
            let disk = Rc::clone(&disk);
            coro_fiber::task(move |co| server::listen(co, disk, version))
        });
        let links = world.links().latency(Duration::from_millis(1)..=Duration::from_millis(50));
        links.loss(50).refusals(50).resets(50);
        client::main(world.clone(), server)
    })
}

mod server {
    use super::*;

    pub(super) fn listen(
        co: &mut TaskCo<'_>,
        disk: Rc<RefCell<Disk>>,
        version: Version,
    ) -> TaskResult<io::Result<Infallible>> {
        let mut listener = match TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], PORT))) {
            Ok(listener) => listener,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            let (stream, _) = match co.wait(listener.accept())? {
                Ok(accepted) => accepted,
                Err(error) => return Ok(Err(error)),
            };
            let disk = Rc::clone(&disk);
            coro_fiber::spawn(move |co| answer(co, stream, &disk, version)).named("answer").detach();
        }
    }

    /// Answers the request of a connection. If that is broken, the client will come again.
    fn answer(
        co: &mut TaskCo<'_>,
        mut stream: TcpStream,
        disk: &RefCell<Disk>,
        version: Version,
    ) -> TaskResult<()> {
        let mut bytes = [0; 16];
        if co.wait(stream.read_exact(&mut bytes))?.is_err() {
            return Ok(());
        }
        let request = Request::from_bytes(bytes);
        let answer = disk.borrow_mut().deposit(request, version);
        let sent = co.wait(stream.write_all(&answer.to_be_bytes()))?;
        let sent = if sent.is_ok() { co.wait(stream.flush())? } else { sent };
        if version == Version::Late && sent.is_ok() {
            disk.borrow_mut().answers.insert(request.number, answer);
        }
        Ok(())
    }
}

impl Disk {
    fn deposit(&mut self, request: Request, version: Version) -> u64 {
        if let Some(answer) = self.answers.get(&request.number) {
            return *answer;
        }
        self.balance += request.amount;
        if version == Version::ExactlyOnce {
            self.answers.insert(request.number, self.balance);
        }
        self.balance
    }
}

mod client {
    use super::*;
    use coro_core::native::spawn;

    pub(super) async fn main(world: World, server: Host) {
        let address = server.at(PORT);
        spawn(partition(world, server.clone())).named("partition").detach();
        spawn(crash(server)).named("crash").detach();
        let mut balance = 0;
        for number in 1..=DEPOSITS {
            let request = Request { number, amount: number * 10 };
            balance += request.amount;
            assert_eq!(insist(address, request).await, balance, "after deposit {number}");
        }
    }

    /// Asks until it is answered. What became of an attempt that failed nobody knows.
    async fn insist(server: SocketAddr, request: Request) -> u64 {
        loop {
            let (attempt, timeout) = (pin!(ask(server, request)), pin!(sleep(PATIENCE)));
            match select(attempt, timeout).await {
                Either::Left((Ok(answer), _)) => return answer,
                Either::Left((Err(_), timeout)) => timeout.await,
                Either::Right(_) => {}
            }
        }
    }

    async fn ask(server: SocketAddr, request: Request) -> io::Result<u64> {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(&request.to_bytes()).await?;
        stream.flush().await?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await?;
        Ok(u64::from_be_bytes(answer))
    }

    async fn partition(world: World, server: Host) {
        let here = world.own_host();
        sleep(a_while()).await;
        world.partition(&here, &server);
        sleep(a_while()).await;
        world.heal(&here, &server);
    }

    async fn crash(server: Host) {
        sleep(a_while()).await;
        server.crash(if random::number().is_multiple_of(2) { Crash::Process } else { Crash::Power });
        sleep(a_while()).await;
        server.restart();
    }

    /// Up to a second, and one millisecond at least, so that a schedule shows it as a wait.
    fn a_while() -> Duration {
        Duration::from_millis(1 + random::number() % 1_000)
    }
}
