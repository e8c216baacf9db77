//! The drivers that ask what is ready: a wait lasts until something happens that is waited for.

#![cfg(unix)]

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use coro_core::driver::{self, Driver, Paced, Wait};
use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use coro_core::time::yield_now;
use futures::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

fn paced<D: Driver + 'static>(driver: io::Result<D>) -> Loop {
    Loop::with_driver(Paced::new(driver.unwrap(), 10_000.0).unwrap())
}

async fn connected(listener: &mut TcpListener) -> (TcpStream, TcpStream) {
    let near = TcpStream::connect(listener.local_address()).await.unwrap();
    (near, listener.accept().await.unwrap().0)
}

/// Writes until there is no room, and then waits in a task of its own.
async fn full(mut stream: TcpStream) {
    let mut written = 0;
    poll_fn(|cx| {
        while let std::task::Poll::Ready(count) = Pin::new(&mut stream).poll_write(cx, &[0; 60_000]) {
            written += count.unwrap();
        }
        std::task::Poll::Ready(())
    })
    .await;
    assert!(written > 0);
    _ = spawn(async move { stream.write_all(b"more").await });
}

/// How often a loop waits while everybody sleeps, and much is ready that nobody waits for.
async fn waits_of_a_sleep() -> u64 {
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // Read, but there is nothing to be read; there is room to write.
    let (mut reader, _silent) = connected(&mut listener).await;
    _ = spawn(async move { reader.read(&mut [0; 8]).await });
    // Written to, but there is no room; there is something to be read.
    let (writer, mut unheard) = connected(&mut listener).await;
    unheard.write_all(b"unread").await.unwrap();
    full(writer).await;
    // Neither, and there is something to be read, or the peer is gone.
    let (_idle, mut peer) = connected(&mut listener).await;
    peer.write_all(b"unread").await.unwrap();
    let (_ended, peer) = connected(&mut listener).await;
    drop(peer);
    let reset = std::net::TcpStream::connect(listener.local_address()).unwrap();
    let _reset = listener.accept().await.unwrap();
    rustix::net::sockopt::set_socket_linger(&reset, Some(Duration::ZERO)).unwrap();
    drop(reset);
    // Nobody accepts it.
    let _waiting = std::net::TcpStream::connect(listener.local_address()).unwrap();
    for _ in 0..100 {
        yield_now().await;
    }
    let waits = || Loop::current().unwrap().metrics().system_calls.waits;
    let before = waits();
    sleep(Duration::from_secs(100)).await;
    waits() - before
}

/// Of epoll as well, but an edge may come late.
#[test]
fn what_nobody_waits_for_ends_no_wait() {
    for event_loop in [paced(driver::Poll::new()), paced(driver::Select::new())] {
        event_loop.set_exception_handler(Some(std::rc::Rc::new(|_| ())));
        assert_eq!(event_loop.run(waits_of_a_sleep()).unwrap(), 1, "{}", event_loop.driver_name());
    }
}

/// Notified before, it waits once in vain, and then to the end.
fn is_notified_once(mut driver: impl Driver) {
    let notifier = driver.notifier();
    let mut completions = Vec::new();
    for _ in 0..3 {
        notifier.notify();
        notifier.notify();
        driver.wait(Wait::Forever, &mut completions).unwrap();
        let deadline = driver.now() + Duration::from_millis(1);
        driver.wait(Wait::Until(deadline), &mut completions).unwrap();
        assert!(driver.now() >= deadline, "{}", driver.name());
    }
    assert!(completions.is_empty());
    assert_eq!((driver.system_calls().waits, driver.system_calls().notifications), (6, 6));
}

#[test]
fn a_notification_ends_one_wait() {
    #[cfg(target_os = "linux")]
    is_notified_once(driver::Epoll::new().unwrap());
    is_notified_once(driver::Poll::new().unwrap());
    is_notified_once(driver::Select::new().unwrap());
}
