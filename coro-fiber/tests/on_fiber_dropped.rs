//! Synchronous code that is dropped in the middle of its I/O: nothing points into its stack, and no byte is lost. Run under
//! the address sanitizer.

mod net_common;

use std::io::{Read, Write};
use std::net::Shutdown;

use coro_core::{EventLoop, Loop};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{OnFiber, on_fiber, sleep};
use net_common::*;

const BLOCK: usize = 4 * 1024;

/// Runs a test in virtual time, and over the kernel.
fn on_both<F: Future<Output = ()> + 'static>(test: fn() -> F) {
    Loop::simulated().run(test()).unwrap();
    Loop::new().unwrap().run(test()).unwrap();
}

/// Lets it run until it waits, and drops it when `meanwhile` is over. Then its stack is used by others.
async fn cut_off<T: 'static>(mut code: OnFiber<T>, meanwhile: impl FnOnce() + 'static) {
    assert!(futures::poll!(&mut code).is_pending());
    on_fiber(move || {
        meanwhile();
        sleep(SECOND / 20).unwrap();
    })
    .await;
    drop(code);
    let others = (0..3).map(|_| {
        on_fiber(|| {
            let own = std::hint::black_box([0xAA_u8; 2 * BLOCK]);
            sleep(SECOND / 20).unwrap();
            own.iter().all(|byte| *byte == 0xAA)
        })
    });
    assert_eq!(futures::future::join_all(others).await, [true; 3]);
}

async fn ends() -> (FiberStream, FiberStream) {
    on_fiber(connected).await
}

#[test]
fn what_arrives_for_a_read_that_is_dropped_is_there_for_the_next_one() {
    on_both(|| async {
        for arrives_before in [true, false] {
            let (client, mut server) = ends().await;
            let reads = client.try_clone().unwrap();
            let reads = on_fiber(move || (&reads).read(&mut [0; BLOCK]));
            let send = move || server.write_all(b"not lost").unwrap();
            if arrives_before {
                cut_off(reads, send).await;
            } else {
                cut_off(reads, || ()).await;
                on_fiber(send).await;
            }
            assert_eq!(on_fiber(|| std::io::read_to_string(client)).await.unwrap(), "not lost");
        }
    });
}

#[test]
fn what_a_write_that_is_dropped_has_sent_is_the_beginning_of_what_it_was_given() {
    on_both(|| async {
        let (client, mut server) = ends().await;
        let mut writes = client.try_clone().unwrap();
        let writes = on_fiber(move || {
            for number in 0..=u8::MAX {
                // On this stack, which is gone while it is sent. More than fits on the way.
                (0..160).try_for_each(|_| writes.write_all(&[number; BLOCK]))?;
            }
            std::io::Result::Ok(())
        });
        cut_off(writes, || ()).await;
        let received = on_fiber(move || {
            let shuts = spawn(move || client.shutdown(Shutdown::Write).unwrap());
            let mut received = Vec::new();
            server.read_to_end(&mut received).unwrap();
            join(shuts);
            received
        });
        let received = received.await;
        assert!(received.len() > BLOCK && received.len() < 160 * 256 * BLOCK, "{}", received.len());
        let as_given = |(at, byte): (usize, &u8)| usize::from(*byte) == at / (160 * BLOCK);
        assert!(received.iter().enumerate().all(as_given));
    });
}

#[test]
fn a_connection_for_an_accept_that_is_dropped_is_there_for_the_next_one() {
    on_both(|| async {
        let listener = std::rc::Rc::new(FiberListener::bind(anywhere()).unwrap());
        let (address, accepts) = (listener.local_addr().unwrap(), std::rc::Rc::clone(&listener));
        let connect = move || {
            let mut client = FiberStream::connect(address).unwrap();
            client.write_all(b"not lost").unwrap();
        };
        cut_off(on_fiber(move || accepts.accept().map(drop)), connect).await;
        let said = on_fiber(move || std::io::read_to_string(listener.accept().unwrap().0));
        assert_eq!(said.await.unwrap(), "not lost");
    });
}
