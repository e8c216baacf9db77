//! What the tests of TCP for synchronous code share.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro_core::{EventLoop, JoinHandle, Loop, time};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{WaitError, wait};

pub const SECOND: Duration = Duration::from_secs(1);

pub fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// What happened, with the second.
#[derive(Clone, Default)]
pub struct Log(pub Rc<RefCell<Vec<String>>>);

impl Log {
    pub fn add(&self, what: impl Display) {
        let second = (time::now() - time::Time::ZERO).as_secs();
        self.0.borrow_mut().push(format!("{second}: {what}"));
    }
}

/// Runs the body of a fiber on a loop.
pub fn run_on<T: 'static>(event_loop: &Loop, body: impl FnOnce() -> T + 'static) -> T {
    event_loop.run(coro_fiber::task(|_| Ok(body()))).unwrap()
}

pub fn simulated<T: 'static>(body: impl FnOnce() -> T + 'static) -> T {
    run_on(&Loop::simulated(), body)
}

/// Runs a test in virtual time, and over the kernel.
pub fn on_both(body: fn()) {
    simulated(body);
    run_on(&Loop::new().unwrap(), body);
}

pub fn spawn<T: 'static>(body: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    coro_fiber::spawn(|_| Ok(body()))
}

pub fn join<T: 'static>(task: JoinHandle<T>) -> T {
    wait(task).unwrap().unwrap()
}

/// Both ends of a connection.
pub fn connected() -> (FiberStream, FiberStream) {
    let listener = FiberListener::bind(anywhere()).unwrap();
    let address = listener.local_addr().unwrap();
    let client = spawn(move || FiberStream::connect(address).unwrap());
    let (server, peer) = listener.accept().unwrap();
    let client = join(client);
    assert_eq!(client.local_addr().unwrap(), peer);
    assert_eq!((server.peer_addr().unwrap(), client.peer_addr().unwrap()), (peer, address));
    (client, server)
}

#[track_caller]
pub fn assert_cancelled(error: io::Error) {
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(matches!(error.downcast(), Ok(WaitError::Cancelled(_))));
}
