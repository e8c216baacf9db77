//! Bugs of the network that were, each with the program that showed it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;

use coro_core::conformance::reports;
#[cfg(unix)]
use coro_core::driver::{self, Driver};
use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use futures::{AsyncReadExt, AsyncWrite};

/// A loop on each driver. The clocks of the real ones run fast, in step with the timers.
fn loops() -> Vec<Loop> {
    #[cfg(unix)]
    fn paced<D: Driver + 'static>(driver: std::io::Result<D>) -> Loop {
        Loop::with_driver(driver::Paced::new(driver.unwrap(), 10_000.0).unwrap())
    }
    vec![
        Loop::simulated(),
        #[cfg(target_os = "linux")]
        paced(driver::Epoll::new()),
        #[cfg(unix)]
        paced(driver::Poll::new()),
        #[cfg(unix)]
        paced(driver::Select::new()),
    ]
}

#[test]
fn a_connection_that_nobody_waits_for_is_closed() {
    for event_loop in loops() {
        let main = async {
            let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            {
                // Near enough a connect is over at once; dropped unread, it is nobody's.
                let connect = spawn(TcpStream::connect(listener.local_address()));
                yield_now().await;
                drop(connect);
            }
            let (mut server, _) = listener.accept().await.unwrap();
            assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
        };
        event_loop.run(main).unwrap();
    }
}

#[test]
fn simulated_ports_run_out_with_an_error() {
    Loop::simulated()
        .run(async {
            let anywhere = "127.0.0.1:0".parse().unwrap();
            let mut listeners = Vec::new();
            let error = loop {
                match TcpListener::bind(anywhere) {
                    Ok(listener) => listeners.push(listener),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), std::io::ErrorKind::AddrNotAvailable);
            assert_eq!(listeners.len(), 32_768);
        })
        .unwrap();
}

#[test]
fn what_a_dropped_stream_could_not_send_is_reported() {
    let event_loop = Loop::simulated();
    let reported = reports(&event_loop);
    let server = Rc::new(RefCell::new(None));
    let kept = Rc::clone(&server);
    let main = async move {
        let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut client = TcpStream::connect(listener.local_address()).await.unwrap();
        // It never reads.
        kept.replace(Some(listener.accept().await.unwrap()));
        for _ in 0..2 {
            let wrote = poll_fn(|cx| Pin::new(&mut client).poll_write(cx, &[0; 60_000])).await;
            assert_eq!(wrote.unwrap(), 60_000);
        }
    };
    event_loop.run(main).unwrap();
    reported.expect(&["1 unsent"]);
    drop(server);
}

#[cfg(unix)]
#[test]
fn a_connection_that_failed_before_it_was_accepted_is_no_failure_of_the_listener() {
    // The simulated network has no such connections.
    for event_loop in loops().into_iter().skip(1) {
        let main = async {
            let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let reset = std::net::TcpStream::connect(listener.local_address()).unwrap();
            rustix::net::sockopt::set_socket_linger(&reset, Some(std::time::Duration::ZERO)).unwrap();
            drop(reset);
            let good = std::net::TcpStream::connect(listener.local_address()).unwrap();
            // The first may be given out, to fail when it is read; it is no failure of the listener.
            while listener.accept().await.unwrap().1 != good.local_addr().unwrap() {}
        };
        event_loop.run(main).unwrap();
    }
}
