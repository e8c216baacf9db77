//! What `select` does with descriptors that it cannot watch. Alone in its process, for it uses up those that it can.

#![cfg(unix)]

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd};

use coro_core::driver::{DescriptorTooLarge, Poll, Select};
use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use futures::{AsyncReadExt, AsyncWriteExt};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const LIMIT: i32 = DescriptorTooLarge::LIMIT;

fn allow_descriptors(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        let raised = Rlimit { current: Some(count), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).expect("the limit of descriptors can be raised");
    }
}

/// Uses up the descriptors that select can watch.
fn small_ones() -> Vec<OwnedFd> {
    let null = File::open("/dev/null").unwrap();
    let mut all = vec![OwnedFd::from(null.try_clone().unwrap())];
    while next_descriptor() < LIMIT {
        all.push(fcntl_dupfd_cloexec(&null, 0).unwrap());
    }
    drop(null);
    // In the place of that.
    all.push(fcntl_dupfd_cloexec(&all[0], 0).unwrap());
    assert_eq!(next_descriptor(), LIMIT);
    all
}

/// The number that the next one will have: the smallest that is free.
fn next_descriptor() -> i32 {
    fcntl_dupfd_cloexec(io::stdin(), 0).unwrap().as_raw_fd()
}

fn refused<T: std::fmt::Debug>(result: io::Result<T>, descriptor: i32) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let typed = error.get_ref().and_then(|error| error.downcast_ref::<DescriptorTooLarge>());
    assert_eq!(typed.unwrap().descriptor, descriptor);
    let advice = "only for those below 1024: use the driver `Poll` or `Epoll`, or have fewer open";
    assert_eq!(error.to_string(), format!("select cannot wait for descriptor {descriptor}, {advice}"));
    assert_eq!(next_descriptor(), LIMIT, "nothing leaks");
}

async fn echo(near: &mut TcpStream, far: &mut TcpStream) {
    let mut buffer = [0; 4];
    near.write_all(b"ping").await.unwrap();
    far.read_exact(&mut buffer).await.unwrap();
    far.write_all(&buffer).await.unwrap();
    near.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"ping");
}

#[test]
fn select_refuses_large_descriptors_and_works_on() {
    allow_descriptors(2_048);
    let event_loop = Loop::with_driver(Select::new().unwrap());
    event_loop
        .run(async {
            let anywhere = "127.0.0.1:0".parse().unwrap();
            let mut listener = TcpListener::bind(anywhere).unwrap();
            let address = listener.local_address();
            let mut near = TcpStream::connect(address).await.unwrap();
            let (mut far, _) = listener.accept().await.unwrap();

            let small_ones = small_ones();
            refused(TcpStream::connect(address).await, LIMIT);
            // The system had made a connection of it.
            refused(listener.accept().await, LIMIT);
            refused(TcpListener::bind(anywhere), LIMIT);
            refused(Select::new(), LIMIT);
            let mut client = std::net::TcpStream::connect(address).unwrap();
            assert_eq!(client.as_raw_fd(), LIMIT);
            let accepted = listener.accept().await;
            assert_eq!(client.read(&mut [0; 1]).unwrap(), 0, "closed");
            drop(client);
            refused(accepted, LIMIT + 1);
            echo(&mut near, &mut far).await;

            drop(small_ones);
            let mut near = TcpStream::connect(address).await.unwrap();
            let (mut far, _) = listener.accept().await.unwrap();
            echo(&mut near, &mut far).await;
        })
        .unwrap();
    drop(event_loop);

    // As the error says.
    let _small_ones = small_ones();
    Loop::with_driver(Poll::new().unwrap())
        .run(async {
            let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let mut near = TcpStream::connect(listener.local_address()).await.unwrap();
            let (mut far, _) = listener.accept().await.unwrap();
            assert!(next_descriptor() > LIMIT + 3);
            echo(&mut near, &mut far).await;
        })
        .unwrap();
}
