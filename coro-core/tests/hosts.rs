//! Hosts that turn a loop by its parts, and wait in place of its driver.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use coro_core::driver::{Paced, Simulated, Wait};
use coro_core::native::spawn;
use coro_core::prelude::*;
use coro_core::time::{self, Time};

type Log = Rc<RefCell<Vec<&'static str>>>;

fn log(log: &Log, event: &'static str) -> impl FnOnce() + 'static {
    let log = Rc::clone(log);
    move || log.borrow_mut().push(event)
}

fn turn(event_loop: &Loop) {
    event_loop.poll(Wait::Forever).unwrap();
    event_loop.process().unwrap();
    event_loop.run_ready().unwrap();
}

#[test]
fn three_parts_are_one_turn() {
    let (event_loop, trace) = (Loop::simulated(), Log::default());
    let (inner, later) = (event_loop.clone(), Rc::clone(&trace));
    event_loop.call_at(Time::ZERO, log(&trace, "timer"));
    event_loop.call_soon(move || {
        inner.call_soon(log(&later, "what it scheduled"));
        log(&later, "call")();
    });
    event_loop.poll(Wait::Forever).unwrap();
    assert!(event_loop.has_ready());
    event_loop.process().unwrap();
    assert_eq!(*trace.borrow(), [""; 0]);
    event_loop.run_ready().unwrap();
    assert_eq!(trace.take(), ["call", "timer"]);
    turn(&event_loop);
    assert_eq!(trace.take(), ["what it scheduled"]);
    assert!(!event_loop.has_ready());
}

#[test]
fn a_poll_waits_no_longer_than_it_may() {
    let event_loop = Loop::simulated();
    event_loop.spawn(sleep(Duration::from_secs(5))).detach();
    turn(&event_loop);
    assert_eq!(event_loop.next_deadline(), Some(Time::from_nanos(5_000_000_000)));
    let mut poll = |wait| {
        event_loop.poll(wait).unwrap();
        event_loop.time().as_secs_f64()
    };
    let seconds = |seconds: i64| Wait::Until(Time::from_nanos(seconds * 1_000_000_000));
    assert_eq!([Wait::Poll, seconds(2), seconds(9)].map(&mut poll), [0.0, 2.0, 5.0]);
    event_loop.call_soon(|| ());
    assert_eq!(poll(seconds(9)), 5.0);
}

#[test]
fn a_loop_is_current_only_within_its_parts() {
    let event_loop = Loop::simulated();
    let (inner, refused) = (event_loop.clone(), Rc::new(RefCell::new(Vec::new())));
    let errors = Rc::clone(&refused);
    event_loop.call_soon(move || {
        assert!(Loop::current().is_some() && inner.is_running());
        let nested = [
            inner.run_forever(),
            inner.poll(Wait::Poll),
            inner.waited(Wait::Poll),
            inner.process(),
            inner.run_ready(),
            Loop::simulated().run_ready(),
        ];
        errors.borrow_mut().extend(nested.into_iter().map(Result::unwrap_err));
    });
    turn(&event_loop);
    assert!(Loop::current().is_none() && !event_loop.is_running());
    assert!(refused.borrow().iter().all(|error| matches!(error, RunError::Nested)), "{refused:?}");
    assert_eq!(refused.borrow().len(), 6);
    event_loop.close().unwrap();
    assert!(matches!(event_loop.run_ready(), Err(RunError::Closed)));
}

#[test]
fn a_host_is_told_of_a_stall_and_of_a_stop() {
    let event_loop = Loop::simulated();
    event_loop.spawn(std::future::pending::<()>()).detach();
    turn(&event_loop);
    // In a turn of its own they are asked what they wait for.
    turn(&event_loop);
    assert!(matches!(event_loop.poll(Wait::Forever), Err(RunError::Stalled(_))));
    event_loop.poll(Wait::Poll).unwrap();
    event_loop.stop();
    assert_eq!(event_loop.prepare_wait(), None);
    event_loop.poll(Wait::Forever).unwrap();
    assert!(event_loop.take_stop());
    assert!(!event_loop.take_stop());
    event_loop.set_exception_handler(Some(Rc::new(|_| ())));
}

#[test]
fn a_paced_clock_reads_the_deadline_that_a_host_has_waited_for() {
    let mut inner = Simulated::new();
    coro_core::driver::Driver::block_for(&mut inner, Duration::from_secs(1));
    let event_loop = Loop::with_driver(Paced::new(inner, 4.0).unwrap());
    let task = event_loop.spawn(async {
        sleep(Duration::from_secs(8)).await;
        time::now()
    });
    turn(&event_loop);
    let wait = event_loop.prepare_wait().unwrap();
    assert_eq!(wait, Wait::Until(Time::from_nanos(8_000_000_000)));
    event_loop.waited(wait).unwrap();
    assert_eq!(event_loop.time().as_secs_f64(), 8.0);
    event_loop.process().unwrap();
    event_loop.run_ready().unwrap();
    assert_eq!(event_loop.run_until_complete(task).unwrap().as_secs_f64(), 8.0);
}

#[cfg(target_os = "linux")]
mod with_a_descriptor {
    use std::os::fd::OwnedFd;

    use coro_core::driver::Epoll;
    use coro_core::net::{TcpListener, TcpStream};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_readable(descriptor: &OwnedFd, timeout: Option<Duration>) -> bool {
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).unwrap());
        poll(&mut [PollFd::new(descriptor, PollFlags::IN)], timeout.as_ref()).unwrap() == 1
    }

    fn turn_after(event_loop: &Loop, wait: Wait) {
        event_loop.waited(wait).unwrap();
        event_loop.process().unwrap();
        event_loop.run_ready().unwrap();
    }

    #[test]
    fn whatever_is_asked_of_a_loop_ends_the_wait_of_its_host() {
        let event_loop = Loop::new().unwrap();
        let descriptor = event_loop.pollable().unwrap().unwrap();
        let sleeper = event_loop.spawn(std::future::pending::<()>());
        let remote = event_loop.remote();
        event_loop.stop();
        event_loop.run_forever().unwrap();
        let asks: [(&str, &dyn Fn()); 6] = [
            ("call_soon", &|| drop(event_loop.call_soon(|| ()))),
            ("call_later", &|| drop(event_loop.call_later(Duration::ZERO, || ()))),
            ("spawn", &|| event_loop.spawn(async {}).detach()),
            ("stop", &|| event_loop.stop()),
            ("remote", &|| drop(remote.call_soon_threadsafe(|| ()).unwrap())),
            ("cancel", &|| assert!(sleeper.cancel())),
        ];
        for (name, ask) in asks {
            let wait = event_loop.prepare_wait().unwrap();
            assert!(!is_readable(&descriptor, Some(Duration::ZERO)), "{name}");
            ask();
            assert!(is_readable(&descriptor, Some(Duration::ZERO)), "{name}");
            turn_after(&event_loop, wait);
            event_loop.take_stop();
            turn_after(&event_loop, Wait::Poll);
        }
        assert!(sleeper.is_done());
    }

    #[test]
    fn a_wake_before_the_wait_is_not_waited_for() {
        let event_loop = Loop::new().unwrap();
        let remote = event_loop.remote();
        turn_after(&event_loop, Wait::Poll);
        assert_eq!(event_loop.prepare_wait(), Some(Wait::Forever));
        event_loop.poll(Wait::Poll).unwrap();
        std::thread::spawn(move || remote.call_soon_threadsafe(|| ()).unwrap()).join().unwrap();
        assert_eq!(event_loop.prepare_wait(), None);
        turn(&event_loop);
        assert_eq!(event_loop.prepare_wait(), Some(Wait::Forever));
    }

    #[test]
    fn every_wake_from_another_thread_reaches_a_host() {
        let event_loop = Loop::new().unwrap();
        let descriptor = event_loop.pollable().unwrap().unwrap();
        let (queue, remote) = (Queue::<u32>::unbounded(), event_loop.remote());
        let taken = queue.clone();
        let mut sum = event_loop.spawn(async move {
            let mut sum = 0;
            for _ in 0..1_000 {
                sum += taken.get().await.unwrap();
            }
            sum
        });
        thread_local!(static QUEUE: RefCell<Option<Queue<u32>>> = const { RefCell::new(None) });
        QUEUE.set(Some(queue));
        let thread = std::thread::spawn(move || {
            for number in 0..1_000 {
                let put =
                    move || QUEUE.with_borrow(|queue| queue.as_ref().unwrap().put_nowait(number).unwrap());
                remote.call_soon_threadsafe(put).unwrap();
            }
        });
        while !sum.is_done() {
            match event_loop.prepare_wait() {
                None => event_loop.poll(Wait::Poll).unwrap(),
                Some(wait) => {
                    // For ever: a wake that is lost would never come.
                    assert!(is_readable(&descriptor, None));
                    event_loop.waited(wait).unwrap();
                }
            }
            event_loop.process().unwrap();
            event_loop.run_ready().unwrap();
        }
        thread.join().unwrap();
        assert_eq!(sum.try_result().unwrap().unwrap(), 999 * 1_000 / 2);
    }

    /// Several hundred sockets become readable at once: one look does not take all of them. A host that sees edges
    /// only, as tokio does, is not told of the rest again.
    #[test]
    fn what_a_look_left_is_not_waited_for() {
        let event_loop = Loop::new().unwrap();
        let mut writers = Vec::new();
        let (listener, queue) = (std::net::TcpListener::bind("127.0.0.1:0").unwrap(), Queue::unbounded());
        let (address, got) = (listener.local_addr().unwrap(), queue.clone());
        let connecting = event_loop.spawn(async move {
            for _ in 0..400 {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let got = got.clone();
                let read = async move {
                    futures::AsyncReadExt::read(&mut stream, &mut [0; 1]).await.unwrap();
                    got.put_nowait(stream).unwrap();
                };
                spawn(read).detach();
            }
            yield_now().await;
        });
        while !connecting.is_done() {
            turn_after(&event_loop, Wait::Poll);
            if writers.len() < 400 {
                writers.push(listener.accept().unwrap().0);
            }
        }
        writers.iter_mut().for_each(|writer| std::io::Write::write_all(writer, b"x").unwrap());
        let descriptor = event_loop.pollable().unwrap().unwrap();
        turn_after(&event_loop, Wait::Poll);
        while queue.len() < 400 {
            if event_loop.prepare_wait().is_some() {
                assert!(!is_readable(&descriptor, Some(Duration::ZERO)), "after {}", queue.len());
            }
            turn_after(&event_loop, Wait::Poll);
        }
        drop(writers);
    }

    #[test]
    fn what_a_driver_has_finished_is_not_waited_for() {
        let event_loop = Loop::with_driver(Epoll::new().unwrap());
        let slot = Rc::new(RefCell::new(None));
        let kept = Rc::clone(&slot);
        let main = event_loop.spawn(async move {
            let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = listener.local_address();
            let server = spawn(async move { listener.accept().await });
            let client = TcpStream::connect(address).await.unwrap();
            kept.replace(Some((client, server.await.unwrap().unwrap())));
        });
        event_loop.run_until_complete(main).unwrap();
        let (client, _server) = slot.take().unwrap();
        let mut client = client;
        let reading =
            event_loop.spawn(async move { futures::AsyncReadExt::read(&mut client, &mut [0; 1]).await });
        turn_after(&event_loop, Wait::Poll);
        assert_eq!(event_loop.prepare_wait(), Some(Wait::Forever));
        reading.cancel();
        turn_after(&event_loop, Wait::Forever);
        // The cancelled read is over: its completion is there, and nothing makes the descriptor readable.
        assert_eq!(event_loop.prepare_wait(), None);
        turn_after(&event_loop, Wait::Poll);
        assert_eq!(event_loop.prepare_wait(), Some(Wait::Forever));
    }
}
