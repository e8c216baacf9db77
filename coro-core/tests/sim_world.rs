//! Hosts, links, clocks and crashes.

mod sim_common;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::sim::{Backwards, Clock, Explorer, FailureKind, Policy, Sim};
use coro_core::sync::Event;
use coro_core::time::{Time, now, sleep, wall_clock};
use coro_core::{EventLoop, Loop};
use futures::{AsyncReadExt, AsyncWriteExt};
use sim_common::{PORT, ask, at, echo, listen, millis};

#[test]
fn a_round_takes_twice_the_latency() {
    let times = Sim::new(0).policy(Policy::Fifo).run(|world| {
        let server = echo(world);
        world.link(&world.own_host(), &server).latency(millis(10)..=millis(10));
        async move {
            let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
            let connected = now();
            assert_eq!(ask(&mut stream, b"hello").await.unwrap(), b"hello");
            assert_eq!(stream.peer_address().ip(), server.ip());
            assert_eq!(stream.local_address().ip().to_string(), "10.0.0.1");
            (connected, now())
        }
    });
    assert_eq!(times.unwrap(), (at(20), at(40)));
}

#[test]
fn a_way_can_be_slow_in_one_direction_and_narrow() {
    let times = Sim::new(0).run(|world| {
        let server = echo(world);
        world.way(&server, &world.own_host()).latency(millis(7)..=millis(7));
        world.way(&world.own_host(), &server).bandwidth(1_000);
        async move {
            let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
            let connected = now();
            ask(&mut stream, &[1; 500]).await.unwrap();
            (connected, now())
        }
    });
    assert_eq!(times.unwrap(), (at(7), at(7 + 500 + 7)));
}

/// Whatever the choices are: what arrives is what was sent, in order.
#[test]
fn streams_are_whole_and_in_order_under_every_choice() {
    let sim = Sim::new(0).short_transfers().window(50);
    let explored = Explorer::new(sim).explore(0..100, |world| {
        let server = echo(world);
        world.links().latency(millis(0)..=millis(30)).loss(100).bandwidth(10_000);
        async move {
            let stream = TcpStream::connect(server.at(PORT)).await.unwrap();
            let (mut reader, mut writer) = stream.split();
            let sent: Vec<u8> = (0..=255).cycle().take(700).collect();
            let bytes = sent.clone();
            let writing = spawn(async move {
                writer.write_all(&bytes).await.unwrap();
                writer.close().await.unwrap();
            });
            let mut received = Vec::new();
            reader.read_to_end(&mut received).await.unwrap();
            writing.await.unwrap();
            assert_eq!(received, sent);
        }
    });
    assert_eq!(explored.unwrap().runs, 100);
}

#[test]
fn nobody_is_reached_where_nobody_is() {
    let errors = Sim::new(0).run(|world| {
        let quiet = world.host("quiet", std::future::pending::<()>);
        async move {
            let mut errors = Vec::new();
            for address in [quiet.at(PORT), ([10, 9, 9, 9], PORT).into(), ([127, 0, 0, 1], PORT).into()] {
                errors.push(TcpStream::connect(address).await.unwrap_err().kind());
            }
            errors.push(TcpListener::bind(quiet.at(PORT)).unwrap_err().kind());
            errors
        }
    });
    let refused = ErrorKind::ConnectionRefused;
    assert_eq!(errors.unwrap(), [refused, ErrorKind::HostUnreachable, refused, ErrorKind::AddrNotAvailable]);
}

/// Those who knock at the same time are accepted in any order.
#[test]
fn who_is_accepted_first_is_left_to_chance() {
    let accepted = |seed| {
        let run = Sim::new(seed).policy(Policy::Fifo).run(|world| {
            world.links().latency(millis(5)..=millis(5));
            let server = world.own_host().at(PORT);
            for client in ["a", "b", "c"] {
                world.host(client, move || async move {
                    let _stream = TcpStream::connect(server).await?;
                    sleep(Duration::from_secs(1)).await;
                    Ok::<_, std::io::Error>(())
                });
            }
            async {
                let mut listener = listen();
                let mut order = Vec::new();
                for _ in 0..3 {
                    let (_stream, peer) = listener.accept().await.unwrap();
                    order.push(peer.ip().to_string());
                }
                order
            }
        });
        run.unwrap()
    };
    let orders: HashSet<_> = (0..100).map(accepted).collect();
    assert_eq!(orders.len(), 6);
}

/// What does not fit between the two ends waits for the reader.
#[test]
fn a_slow_reader_holds_the_writer_up() {
    let flushed = Sim::new(0).window(10).run(|world| {
        let server = world.host("slow", || async {
            let (mut stream, _) = listen().accept().await?;
            for _ in 0..10 {
                sleep(millis(100)).await;
                assert_eq!(stream.read(&mut [0; 100]).await?, 10);
            }
            Ok::<_, std::io::Error>(())
        });
        async move {
            sleep(millis(0)).await;
            let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
            stream.write_all(&[7; 100]).await.unwrap();
            stream.flush().await.unwrap();
            now()
        }
    });
    // The last ten bytes have left when ninety are read.
    assert_eq!(flushed.unwrap(), at(900));
}

/// In one process, hosts may share what a test looks at.
#[test]
fn hosts_can_wake_each_other() {
    let explored = Explorer::new(Sim::new(0)).explore(0..50, |world| {
        let (opened, closed) = (Event::new(), Event::new());
        let (open, close) = (opened.clone(), closed.clone());
        world.host("shop", move || {
            let (open, close) = (open.clone(), close.clone());
            async move {
                sleep(millis(9)).await;
                open.set();
                close.wait().await;
            }
        });
        let world = world.clone();
        async move {
            opened.wait().await;
            assert_eq!(now(), at(9));
            world.advance(millis(1)).await;
            closed.set();
            let called = Arc::new(AtomicBool::new(false));
            let call = Arc::clone(&called);
            let remote = Loop::current().unwrap().remote();
            remote.call_soon_threadsafe(move || call.store(true, Ordering::Relaxed)).unwrap();
            sleep(millis(1)).await;
            assert!(called.load(Ordering::Relaxed));
        }
    });
    assert_eq!(explored.unwrap().runs, 50);
}

#[test]
fn a_host_can_wait_for_the_clock_that_is_moved_by_hand() {
    let run = Sim::new(0).clock(Clock::Manual).run(|world| {
        let (done, elsewhere) = (Event::new(), world.clone());
        let said = done.clone();
        world.host("mover", move || {
            let (world, said) = (elsewhere.clone(), said.clone());
            async move {
                world.advance(millis(5)).await;
                said.set();
            }
        });
        async move {
            done.wait().await;
            now()
        }
    });
    assert_eq!(run.unwrap(), at(5));
}

#[test]
fn a_host_whose_main_fails_ends_the_run() {
    let failure = Sim::new(0).run(|world| {
        world.host("faulty", || async { Err::<(), _>("out of order") });
        sleep(Duration::from_secs(1))
    });
    let failed = FailureKind::Failed { host: "faulty".into(), error: "\"out of order\"".into() };
    assert_eq!(failure.unwrap_err().kind, failed);
}

#[test]
fn clocks_are_off_as_they_are_set() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&seen);
    let run = Sim::new(0).run(move |world| {
        let clock = move || {
            let notes = Rc::clone(&notes);
            async move {
                notes.borrow_mut().push(now());
                sleep(Duration::from_secs(100)).await;
                notes.borrow_mut().push(now());
            }
        };
        world.host("ahead and fast", clock).set_clock(Duration::from_secs(5), 10_000);
        let world = world.clone();
        async move {
            sleep(Duration::from_millis(99_009)).await;
            let before = world.now();
            sleep(millis(1)).await;
            (before, wall_clock().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
        }
    });
    // A hundred seconds of its clock are 99.0099 of the world's.
    let hosts = |millis: u64| Time::ZERO + Duration::from_millis(millis);
    assert_eq!(run.unwrap(), (hosts(99_009), 946_684_800 + 99));
    assert_eq!(seen.borrow()[0], hosts(5_000));
    assert_eq!(seen.borrow().get(1), Some(&hosts(105_000)));
}

#[test]
fn a_clock_that_is_moved_by_hand_stands_still_otherwise() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&log);
    let sim = Sim::new(0).clock(Clock::Manual);
    let run = sim.run(move |world| {
        let world = world.clone();
        async move {
            for seconds in 1..=3 {
                let notes = Rc::clone(&notes);
                spawn(async move {
                    sleep(Duration::from_secs(seconds)).await;
                    notes.borrow_mut().push((seconds, now()));
                })
                .detach();
            }
            world.advance(millis(2_500)).await;
            notes.borrow_mut().push((0, now()));
            let back = world.advance_to(at(1_000)).unwrap_err();
            world.advance_to(at(2_500)).unwrap().await;
            back
        }
    });
    assert_eq!(run.unwrap(), Backwards { now: at(2_500), time: at(1_000) });
    assert_eq!(*log.borrow(), [(1, at(1_000)), (2, at(2_000)), (0, at(2_500))]);
    let forgotten = sim.run(|_| sleep(Duration::from_secs(1))).unwrap_err();
    let FailureKind::Stalled(report) = &forgotten.kind else { panic!("{forgotten}") };
    assert!(report.contains("waits until 1.000000000") && report.contains("World::advance()"), "{report}");
}

#[test]
fn an_advance_of_a_clock_that_jumps_is_a_sleep() {
    let run = Sim::new(0).run(|world| {
        let world = world.clone();
        async move {
            world.advance(millis(30)).await;
            now()
        }
    });
    assert_eq!(run.unwrap(), at(30));
}

#[test]
#[should_panic = "is of another world"]
fn a_link_to_another_world_is_refused() {
    let host = Rc::new(RefCell::new(None));
    let kept = Rc::clone(&host);
    Sim::new(0)
        .run(move |world| {
            *kept.borrow_mut() = Some(world.own_host());
            async {}
        })
        .unwrap();
    let _ = Sim::new(0).run(|world| {
        world.link(&world.own_host(), host.borrow().as_ref().unwrap());
        async {}
    });
}
