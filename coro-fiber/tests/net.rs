//! TCP for synchronous code: what `std::net` promises, and who takes turns.

mod net_common;

use std::io::{self, BufRead, BufReader, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use coro_core::sim::Sim;
use coro_core::time;
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::sleep;
use net_common::*;

#[test]
fn synchronous_code_talks_over_it_and_sees_the_end_after_the_data() {
    on_both(|| {
        let (mut client, server) = connected();
        let echo = spawn(move || {
            let mut lines = BufReader::new(&server).lines();
            let first = lines.next().unwrap().unwrap();
            writeln!(&server, "{first}!").unwrap();
            server.shutdown(Shutdown::Write).unwrap();
            assert_eq!((&server).write(b"more").unwrap_err().kind(), ErrorKind::BrokenPipe);
            lines.map(Result::unwrap).collect::<Vec<_>>()
        });
        let parts = [IoSlice::new(b""), IoSlice::new(b"hel"), IoSlice::new(b"lo\n")];
        assert_eq!(client.write_vectored(&parts).unwrap(), 6);
        assert_eq!(client.write_vectored(&parts[..1]).unwrap(), 0);
        let mut answer = String::new();
        assert_eq!(client.read_to_string(&mut answer).unwrap(), 7);
        assert_eq!(answer, "hello!\n");
        client.write_all(b"two\nlines").unwrap();
        client.flush().unwrap();
        drop(client);
        assert_eq!(join(echo), ["two", "lines"]);
    });
}

#[test]
fn a_connection_to_nobody_is_refused() {
    on_both(|| {
        let listener = FiberListener::bind(anywhere()).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(FiberListener::bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(listener);
        assert_eq!(FiberStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        let refused = FiberStream::connect_timeout(address, SECOND).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_writer_that_is_faster_than_the_reader_waits() {
    on_both(|| {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
        let expected = bytes.clone();
        let (mut client, mut server) = connected();
        spawn(move || client.write_all(&bytes).unwrap()).detach();
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert!(received == expected);
    });
}

#[test]
fn fibers_take_turns_at_one_connection_while_others_run() {
    let log = Log::default();
    let own = log.clone();
    simulated(move || {
        let (client, mut server) = connected();
        // Two that read, from two handles, and one that writes meanwhile.
        let readers: Vec<_> = ["first", "second"]
            .into_iter()
            .map(|name| {
                let (mut client, log) = (client.try_clone().unwrap(), own.clone());
                spawn(move || {
                    for _ in 0..2 {
                        let mut byte = [0];
                        client.read_exact(&mut byte).unwrap();
                        log.add(format_args!("{name} {}", char::from(byte[0])));
                    }
                })
            })
            .collect();
        (&client).write_all(b"go").unwrap();
        let mut go = [0; 2];
        server.read_exact(&mut go).unwrap();
        assert_eq!(&go, b"go");
        for byte in b"abcd" {
            sleep(SECOND).unwrap();
            server.write_all(&[*byte]).unwrap();
        }
        readers.into_iter().for_each(join);
    });
    assert_eq!(log.0.take(), ["1: first a", "2: second b", "3: first c", "4: second d"]);
}

#[test]
fn a_read_that_takes_too_long_is_told_and_loses_nothing() {
    let log = Log::default();
    let own = log.clone();
    simulated(move || {
        let (client, mut server) = connected();
        client.set_read_timeout(Some(2 * SECOND)).unwrap();
        assert_eq!(client.try_clone().unwrap().read_timeout().unwrap(), Some(2 * SECOND));
        let log = own.clone();
        let reader = spawn(move || {
            let mut word = [0; 5];
            let mut client = &client;
            log.add(client.read_exact(&mut word).unwrap_err().kind());
            // A byte that comes in time begins the wait for the next one anew.
            client.read_exact(&mut word).unwrap();
            log.add(str::from_utf8(&word).unwrap());
            client.set_read_timeout(None).unwrap();
            let ended = client.read(&mut word).unwrap();
            log.add(format_args!("{ended} more"));
        });
        sleep(2 * SECOND + SECOND / 2).unwrap();
        for byte in b"hello" {
            sleep(SECOND).unwrap();
            server.write_all(&[*byte]).unwrap();
        }
        sleep(60 * SECOND).unwrap();
        drop(server);
        join(reader);
    });
    assert_eq!(log.0.take(), ["2: timed out", "7: hello", "67: 0 more"]);
}

#[test]
fn a_write_that_takes_too_long_is_told_and_has_sent_nothing_of_its_own() {
    simulated(|| {
        let (mut client, mut server) = connected();
        client.set_write_timeout(Some(SECOND)).unwrap();
        assert_eq!(client.write_timeout().unwrap(), Some(SECOND));
        let begun = time::now();
        let mut accepted = 0;
        let error = loop {
            match client.write(&[7; 10_000]) {
                Ok(count) => accepted += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(client.shutdown(Shutdown::Write).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(time::now() - begun, 3 * SECOND);
        let reader = spawn(move || io::copy(&mut server, &mut io::sink()).unwrap());
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(join(reader), accepted as u64);
    });
}

#[test]
fn a_connect_that_takes_too_long_is_told() {
    let ran = Sim::new(0).run(|world| {
        let server = world.host("server", || async {});
        world.partition(&world.own_host(), &server);
        coro_fiber::task(move |_| {
            let error = FiberStream::connect_timeout(server.at(80), 5 * SECOND).unwrap_err();
            Ok((error.kind(), time::now() - time::Time::ZERO))
        })
    });
    assert_eq!(ran.unwrap(), (ErrorKind::TimedOut, 5 * SECOND));
}

#[test]
fn no_time_at_all_is_refused_as_a_timeout() {
    simulated(|| {
        let (client, _server) = connected();
        let zero = Some(Duration::ZERO);
        for refused in [
            client.set_read_timeout(zero),
            client.set_write_timeout(zero),
            FiberStream::connect_timeout(anywhere(), Duration::ZERO).map(drop),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("set_nonblocking"), "{error}");
        }
        assert_eq!(client.read_timeout().unwrap(), None);
    });
}

#[test]
fn where_it_must_not_wait_it_says_so() {
    simulated(|| {
        let (mut client, mut server) = connected();
        client.set_nonblocking(true).unwrap();
        assert_eq!(client.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        server.write_all(b"news").unwrap();
        sleep(SECOND).unwrap();
        let mut word = [0; 8];
        assert_eq!(client.read(&mut word).unwrap(), 4);
        // While another fiber waits for it.
        client.set_nonblocking(false).unwrap();
        let mut own = client.try_clone().unwrap();
        let waits = spawn(move || own.read(&mut [0; 8]).unwrap());
        coro_fiber::yield_now().unwrap();
        client.set_nonblocking(true).unwrap();
        assert_eq!(client.read(&mut word).unwrap_err().kind(), ErrorKind::WouldBlock);
        server.write_all(b"more").unwrap();
        assert_eq!(join(waits), 4);
    });
}

#[test]
fn a_shutdown_for_reading_ends_the_read_that_waits_and_those_behind_it() {
    simulated(|| {
        let (client, mut server) = connected();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let mut client = client.try_clone().unwrap();
                spawn(move || client.read(&mut [0; 8]).unwrap())
            })
            .collect();
        sleep(SECOND).unwrap();
        client.shutdown(Shutdown::Read).unwrap();
        assert!(readers.into_iter().all(|reader| join(reader) == 0));
        // Nobody told the peer.
        server.write_all(b"unread").unwrap();
        assert_eq!((&client).read(&mut [0; 8]).unwrap(), 0);
        client.shutdown(Shutdown::Both).unwrap();
        assert_eq!(server.read(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
fn several_fibers_accept_in_the_order_in_which_they_came() {
    let log = Log::default();
    let own = log.clone();
    simulated(move || {
        let listener = Rc::new(FiberListener::bind(anywhere()).unwrap());
        let address = listener.local_addr().unwrap();
        let tasks = ["first", "second"].map(|name| {
            let (listener, log) = (Rc::clone(&listener), own.clone());
            spawn(move || {
                for _ in 0..2 {
                    listener.accept().unwrap();
                    log.add(name);
                }
            })
        });
        for _ in 0..4 {
            sleep(SECOND).unwrap();
            FiberStream::connect(address).unwrap();
        }
        tasks.into_iter().for_each(join);
    });
    assert_eq!(log.0.take(), ["1: first", "2: second", "3: first", "4: second"]);
}

#[test]
fn the_asynchronous_stream_comes_out_of_the_last_handle() {
    simulated(|| {
        let (client, server) = connected();
        let peer = client.peer_addr().unwrap();
        let other = client.try_clone().unwrap();
        let client = client.into_inner().unwrap_err();
        drop(other);
        assert_eq!(client.into_inner().unwrap().peer_address(), peer);
        let (local, peer) = (server.local_addr().unwrap(), server.peer_addr().unwrap());
        assert_eq!(format!("{server:?}"), format!("FiberStream {{ local: {local}, peer: {peer}, .. }}"));
    });
}
