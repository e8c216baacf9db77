//! What the loop does not see: what becomes of operations that are cancelled, and of sockets that are closed.

#![cfg(target_os = "linux")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use coro_completion::CompletionDriver;
use coro_core::driver::{Completed, Completion, Driver, Operation, Slot, Socket, Wait};

fn driver() -> CompletionDriver {
    CompletionDriver::new().unwrap()
}

/// Waits for so many completions, and gives them by their slot.
fn completions(driver: &mut CompletionDriver, count: usize) -> Vec<(u64, Completed)> {
    let (mut all, bound) = (Vec::new(), driver.now() + Duration::from_secs(30));
    while all.len() < count {
        assert!(driver.now() < bound, "a completion is lost");
        driver.wait(Wait::Until(bound), &mut all).unwrap();
    }
    let mut all: Vec<_> = all.into_iter().map(|Completion { slot, result }| (slot.0, result)).collect();
    all.sort_by_key(|(slot, _)| *slot);
    all
}

fn one(driver: &mut CompletionDriver) -> Completed {
    completions(driver, 1).remove(0).1
}

fn submit(driver: &mut CompletionDriver, slot: u64, operation: Operation) {
    assert!(driver.submit(Slot(slot), operation).is_none(), "it is over later");
}

fn is_cancelled(completed: &Completed) -> bool {
    matches!(completed, Completed::Failed(error) if error.kind() == ErrorKind::Interrupted)
}

fn listen(driver: &mut CompletionDriver, backlog: u32) -> (Socket, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    match driver.submit(Slot(0), Operation::Listen { address, backlog }) {
        Some(Completed::Opened { socket, local, .. }) => (socket, local),
        other => panic!("{other:?}"),
    }
}

/// A socket of the driver, and its peer.
fn connected(driver: &mut CompletionDriver) -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    submit(driver, 1, Operation::Connect { address: listener.local_addr().unwrap() });
    let Completed::Opened { socket, .. } = one(driver) else { panic!("it is connected") };
    (socket, listener.accept().unwrap().0)
}

#[test]
fn a_cancelled_receive_completes_once_and_takes_nothing() {
    let mut driver = driver();
    let (socket, mut peer) = connected(&mut driver);
    submit(&mut driver, 2, Operation::Receive { socket, buffer: vec![0; 8] });
    driver.cancel(Slot(2));
    driver.cancel(Slot(2));
    driver.cancel(Slot(77));
    assert!(is_cancelled(&one(&mut driver)));
    peer.write_all(b"hello").unwrap();
    let buffer = vec![0; 8];
    let lent = buffer.as_ptr();
    submit(&mut driver, 3, Operation::Receive { socket, buffer });
    match one(&mut driver) {
        Completed::Transferred { buffer, count } => {
            assert_eq!((&buffer[..count], buffer.as_ptr()), (&b"hello"[..], lent));
        }
        other => panic!("{other:?}"),
    }
    // What was cancelled twice has not completed twice.
    submit(&mut driver, 4, Operation::ShutdownWrite { socket });
    assert!(matches!(completions(&mut driver, 1)[..], [(4, Completed::Done)]));
}

#[test]
fn an_accept_that_was_cancelled_too_late_gives_its_socket() {
    let mut driver = driver();
    let (listener, address) = listen(&mut driver, 8);
    let mut client = TcpStream::connect(address).unwrap();
    submit(&mut driver, 1, Operation::Accept { socket: listener });
    driver.cancel(Slot(1));
    let Completed::Opened { socket, .. } = one(&mut driver) else { panic!("it was there") };
    // Whoever is told of it closes it.
    driver.close(socket);
    submit(&mut driver, 2, Operation::Accept { socket: listener });
    driver.cancel(Slot(2));
    assert!(is_cancelled(&one(&mut driver)));
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_close_waits_for_what_is_being_sent_and_cancels_what_is_received() {
    const BYTES: usize = 32_000_000;
    let mut driver = driver();
    let (socket, mut peer) = connected(&mut driver);
    submit(&mut driver, 2, Operation::Receive { socket, buffer: vec![0; 8] });
    submit(&mut driver, 3, Operation::Send { socket, buffer: vec![7; BYTES] });
    driver.close(socket);
    submit(&mut driver, 4, Operation::Connect { address: peer.local_addr().unwrap() });
    // The receive is over, and the connect to nobody. The send is not: nobody reads.
    let over = completions(&mut driver, 2);
    assert!(matches!(&over[..], [(2, received), (4, _)] if is_cancelled(received)), "{over:?}");
    let reader = std::thread::spawn(move || {
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        received.len()
    });
    match one(&mut driver) {
        Completed::Transferred { buffer, count } => assert_eq!((buffer.len(), count), (BYTES, BYTES)),
        other => panic!("{other:?}"),
    }
    assert_eq!(reader.join().unwrap(), BYTES);
}

#[test]
fn an_operation_on_no_socket_is_refused_once() {
    let mut driver = driver();
    let (socket, _peer) = connected(&mut driver);
    driver.close(socket);
    submit(&mut driver, 2, Operation::Send { socket, buffer: vec![1] });
    submit(&mut driver, 3, Operation::Accept { socket: Socket(99) });
    let over = completions(&mut driver, 2);
    let refused = |completed: &Completed| matches!(completed, Completed::Failed(error) if error.kind() == ErrorKind::InvalidInput);
    assert!(over.iter().all(|(_, completed)| refused(completed)), "{over:?}");
}

#[test]
fn a_host_is_told_of_what_it_must_not_wait_for() {
    let mut driver = driver();
    assert!(!driver.has_more());
    let (socket, mut peer) = connected(&mut driver);
    submit(&mut driver, 2, Operation::Receive { socket, buffer: vec![0; 8] });
    // Not handed over yet.
    assert!(driver.has_more());
    driver.wait(Wait::Poll, &mut Vec::new()).unwrap();
    assert!(!driver.has_more());
    peer.write_all(b"x").unwrap();
    let descriptor = driver.pollable().unwrap().try_clone_to_owned().unwrap();
    let polled = &mut [rustix::event::PollFd::new(&descriptor, rustix::event::PollFlags::IN)];
    assert_eq!(rustix::event::poll(polled, None), Ok(1));
    assert!(driver.has_more());
    let mut over = Vec::new();
    driver.waited(Wait::Forever, &mut over).unwrap();
    assert_eq!(over.len(), 1);
    assert!(!driver.has_more());
}
