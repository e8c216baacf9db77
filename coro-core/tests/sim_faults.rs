//! Partitions, crashes, resets.

mod sim_common;

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;

use coro_core::native::spawn;
use coro_core::net::TcpStream;
use coro_core::sim::{Crash, Policy, Sim};
use coro_core::time::{now, sleep, yield_now};
use futures::{AsyncReadExt, AsyncWriteExt};
use sim_common::{PORT, ask, at, echo, millis};

#[test]
fn a_partition_keeps_what_was_sent_until_it_is_healed() {
    let (during, after) = Sim::new(0)
        .run(|world| {
            let (server, own, world) = (echo(world), world.own_host(), world.clone());
            async move {
                let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
                world.partition(&own, &server);
                let healing = spawn(async move {
                    sleep(millis(500)).await;
                    world.heal(&own, &server);
                });
                let asked = now();
                ask(&mut stream, b"one").await.unwrap();
                let answered = now().since(asked);
                healing.await.unwrap();
                ask(&mut stream, b"two").await.unwrap();
                (answered, now().since(asked))
            }
        })
        .unwrap();
    assert_eq!((during, after), (millis(500), millis(500)));
}

#[test]
fn a_connect_into_a_partition_is_given_up() {
    let (error, when) = Sim::new(0)
        .run(|world| {
            let server = echo(world);
            world.partition(&world.own_host(), &server);
            async move { (TcpStream::connect(server.at(PORT)).await.unwrap_err().kind(), now()) }
        })
        .unwrap();
    assert_eq!((error, when), (ErrorKind::TimedOut, at(127_000)));
}

#[test]
fn a_killed_process_ends_its_connections() {
    let seen = Sim::new(0)
        .run(|world| {
            let server = echo(world);
            async move {
                let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
                ask(&mut stream, b"hello").await.unwrap();
                server.crash(Crash::Process);
                let mut byte = [0];
                let read = stream.read(&mut byte).await.unwrap();
                let refused = TcpStream::connect(server.at(PORT)).await.unwrap_err().kind();
                server.restart();
                sleep(millis(1)).await;
                let mut again = TcpStream::connect(server.at(PORT)).await.unwrap();
                (read, refused, ask(&mut again, b"hello").await.unwrap())
            }
        })
        .unwrap();
    assert_eq!(seen, (0, ErrorKind::ConnectionRefused, b"hello".to_vec()));
}

#[test]
fn a_loss_of_power_is_silent_until_the_host_is_back() {
    let seen = Sim::new(0)
        .run(|world| {
            let server = echo(world);
            async move {
                let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
                server.crash(Crash::Power);
                sleep(millis(1)).await;
                // Half open: this end cannot know.
                stream.write_all(b"anybody there?").await.unwrap();
                let waiting = spawn(async move {
                    let error = stream.read(&mut [0]).await.unwrap_err().kind();
                    (error, now())
                });
                sleep(millis(999)).await;
                server.restart();
                waiting.await.unwrap()
            }
        })
        .unwrap();
    assert_eq!(seen, (ErrorKind::ConnectionReset, at(1_000)));
}

#[test]
fn a_crashed_host_loses_its_memory_and_keeps_its_disk() {
    let starts = Rc::new(RefCell::new(Vec::new()));
    let disk = Rc::clone(&starts);
    let memory = Sim::new(0).run(move |world| {
        let server = world.host("server", move || {
            let disk = Rc::clone(&disk);
            async move {
                for ticks in 0.. {
                    disk.borrow_mut().push((now(), ticks));
                    sleep(millis(100)).await;
                }
            }
        });
        async move {
            sleep(millis(150)).await;
            server.restart();
            sleep(millis(20)).await;
        }
    });
    memory.unwrap();
    assert_eq!(*starts.borrow(), [(at(0), 0), (at(100), 1), (at(150), 0)]);
}

#[test]
fn what_a_crashed_host_held_is_dropped_and_heard_by_nobody() {
    /// Spawns and connects when it is dropped.
    struct Loud(Rc<RefCell<u32>>);
    impl Drop for Loud {
        fn drop(&mut self) {
            *self.0.borrow_mut() += 1;
            spawn(async { panic!("nobody runs this") }).detach();
        }
    }
    let dropped = Rc::new(RefCell::new(0));
    let count = Rc::clone(&dropped);
    let run = Sim::new(0).run(move |world| {
        let host = world.host("loud", move || {
            let loud = Loud(Rc::clone(&count));
            async move {
                let _loud = loud;
                std::future::pending::<()>().await;
            }
        });
        async move {
            sleep(millis(1)).await;
            host.crash(Crash::Process);
            sleep(millis(1)).await;
        }
    });
    run.unwrap();
    assert_eq!(*dropped.borrow(), 1);
}

#[test]
fn a_world_that_its_hosts_know_is_dropped_after_its_run() {
    let held = Rc::new(());
    let kept = Rc::clone(&held);
    let run = Sim::new(0).run(move |world| {
        let (world, own) = (world.clone(), world.own_host());
        world.clone().host("knowing", move || {
            let (_world, _own, _kept) = (world.clone(), own.clone(), Rc::clone(&kept));
            std::future::pending::<()>()
        });
        sleep(millis(1))
    });
    run.unwrap();
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn connections_can_be_reset_and_fail_by_chance() {
    let run = Sim::new(0).run(|world| {
        let (server, own, world) = (echo(world), world.own_host(), world.clone());
        async move {
            let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
            world.reset_connections(&own, &server);
            let reset = stream.read(&mut [0]).await.unwrap_err().kind();
            world.link(&own, &server).refusals(1_000);
            let refused = TcpStream::connect(server.at(PORT)).await.unwrap_err().kind();
            world.link(&own, &server).refusals(0).resets(1_000);
            let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
            let failed = stream.write_all(b"hello").await.unwrap_err().kind();
            [reset, refused, failed]
        }
    });
    let (reset, refused) = (ErrorKind::ConnectionReset, ErrorKind::ConnectionRefused);
    assert_eq!(run.unwrap(), [reset, refused, reset]);
}

#[test]
fn the_schedule_shows_what_went_wrong_between_hosts() {
    let failure = Sim::new(0).policy(Policy::Fifo).run(|world| {
        let (server, own, world) = (echo(world), world.own_host(), world.clone());
        async move {
            yield_now().await;
            let mut stream = TcpStream::connect(server.at(PORT)).await.unwrap();
            world.partition(&own, &server);
            world.heal(&own, &server);
            world.link(&own, &server).loss(1_000);
            stream.write_all(b"lost").await.unwrap();
            world.reset_connections(&own, &server);
            world.link(&own, &server).loss(0).refusals(1_000);
            TcpStream::connect(server.at(PORT)).await.unwrap_err();
            server.crash(Crash::Power);
            sleep(millis(1)).await;
            server.restart();
            sleep(millis(1)).await;
            panic!("so that there is a report");
        }
    });
    let failure: Box<_> = failure.map(|never: ()| never).unwrap_err();
    let events = failure.schedule.iter().filter(|line| !line.contains("(native)")).map(|line| &line[..]);
    assert_eq!(
        events.collect::<Vec<_>>(),
        [
            "0.000000000  from main to echo: nothing arrives any more",
            "0.000000000  from echo to main: nothing arrives any more",
            "0.000000000  from main to echo: all is well again",
            "0.000000000  from echo to main: all is well again",
            "0.000000000  from main to echo: lost, and sent again later",
            "0.000000000  between main and echo: a connection is reset",
            "0.000000000  from main to echo: lost, and sent again later",
            "0.000000000  from main to echo: a connection is refused",
            "0.000000000  echo loses its power",
            "0.001000000  echo is killed",
            "0.001000000  echo starts again",
        ]
    );
    assert!(failure.schedule.last().unwrap().ends_with("main (native), by a timer: panics"), "{failure}");
}
