//! Loops as guests of tokio: who wakes whom, and who gives way.

#![cfg(target_os = "linux")]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::time::Duration;

use coro_core::guest::Guest;
use coro_core::native::spawn;
use coro_core::net::{TcpListener, TcpStream};
use coro_core::prelude::*;
use coro_core::sync::oneshot;
use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::LocalRuntime;
use tokio::task::spawn_local;

/// A guest of its own driver: the kernel's, at its pace.
fn guest() -> Guest {
    Guest::new(Loop::new().unwrap()).unwrap()
}

fn on_tokio<T>(main: impl Future<Output = T>) -> T {
    LocalRuntime::new().unwrap().block_on(main)
}

#[test]
fn tasks_of_both_await_each_other() {
    on_tokio(async {
        let (to_ours, mut from_theirs) = tokio::sync::mpsc::channel(1);
        let (to_theirs, from_ours) = oneshot();
        let queue = Queue::unbounded();
        let (put, guest) = (queue.clone(), guest());
        // Ours, awaited by one of theirs.
        let ours = guest.event_loop().spawn(async move {
            let number: i32 = from_theirs.recv().await.unwrap();
            to_theirs.send(number * 2).unwrap();
            number + queue.get().await.unwrap()
        });
        let theirs = spawn_local(async move {
            to_ours.send(20).await.unwrap();
            put.put(from_ours.await.unwrap()).await.unwrap();
            ours.await.unwrap()
        });
        let main = async move { theirs.await.unwrap() };
        assert_eq!(guest.run(main).await.unwrap(), 60);
        assert!(guest.event_loop().is_closed());
    });
}

#[test]
fn timers_of_both_are_kept() {
    on_tokio(async {
        let start = std::time::Instant::now();
        let main = async {
            sleep(Duration::from_millis(2)).await;
            // A timer of tokio in a task of ours, and in one of theirs.
            tokio::time::sleep(Duration::from_millis(2)).await;
            spawn_local(tokio::time::sleep(Duration::from_millis(2))).await.unwrap();
        };
        guest().run(main).await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(6));
    });
}

#[test]
fn streams_of_both_talk_to_each_other() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    on_tokio(async {
        let main = async {
            let mut ours = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let theirs = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (to_ours, to_theirs) = (ours.local_address(), theirs.local_addr().unwrap());
            let client = spawn_local(async move {
                let mut stream = tokio::net::TcpStream::connect(to_ours).await.unwrap();
                stream.write_all(b"question").await.unwrap();
                let mut answer = [0; 6];
                stream.read_exact(&mut answer).await.unwrap();
                answer
            });
            let (mut stream, _) = ours.accept().await.unwrap();
            let mut question = [0; 8];
            AsyncReadExt::read_exact(&mut stream, &mut question).await.unwrap();
            AsyncWriteExt::write_all(&mut stream, b"answer").await.unwrap();
            assert_eq!((&question, &client.await.unwrap()), (b"question", b"answer"));
            // Ours in a task of theirs: it waits for what our driver finds.
            let server = spawn(async move {
                let (mut stream, _) = theirs.accept().await.unwrap();
                stream.write_all(b"hello").await.unwrap();
            });
            let mut stream = TcpStream::connect(to_theirs).await.unwrap();
            let reader = spawn_local(async move {
                let mut text = String::new();
                AsyncReadExt::read_to_string(&mut stream, &mut text).await.unwrap();
                text
            });
            assert_eq!(reader.await.unwrap(), "hello");
            server.await.unwrap();
        };
        guest().run(main).await.unwrap();
    });
}

/// A thousand sockets become readable at once: one look does not take all of them.
#[test]
fn no_event_is_left_behind() {
    const SOCKETS: usize = 600;
    on_tokio(async {
        let main = async {
            let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let (mut writers, mut readers) = (Vec::new(), Vec::new());
            for _ in 0..SOCKETS {
                let stream = TcpStream::connect(listener.local_address()).await.unwrap();
                let (mut accepted, _) = listener.accept().await.unwrap();
                writers.push(stream);
                readers.push(spawn(async move { accepted.read(&mut [0; 1]).await.unwrap() }));
            }
            yield_now().await;
            for writer in &mut writers {
                writer.write_all(b"x").await.unwrap();
            }
            for reader in readers {
                assert_eq!(reader.await.unwrap(), 1);
            }
        };
        guest().run(main).await.unwrap();
    });
}

/// A loop that always has work, and one of tokio's tasks that always has: neither waits for the other for ever.
#[test]
fn neither_starves_the_other() {
    for event_loop in [Loop::new().unwrap(), Loop::simulated()] {
        on_tokio(async {
            let (theirs, ours) = (Rc::new(Cell::new(0_u32)), Rc::new(Cell::new(0_u32)));
            let (count, other) = (Rc::clone(&theirs), Rc::clone(&ours));
            let task = spawn_local(async move {
                // At least until the other one has seen it go on: that one gets many turns for each of these.
                while other.get() < 20_000 || count.get() < 50 {
                    count.set(count.get() + 1);
                    tokio::task::yield_now().await;
                }
            });
            let (count, other) = (Rc::clone(&ours), Rc::clone(&theirs));
            let main = async move {
                while other.get() < 50 {
                    count.set(count.get() + 1);
                    yield_now().await;
                }
                // As often again, so that the task ends only if it is not starved either.
                for _ in 0..20_000 {
                    count.set(count.get() + 1);
                    yield_now().await;
                }
            };
            Guest::new(event_loop).unwrap().run(main).await.unwrap();
            task.await.unwrap();
            assert!(theirs.get() >= 50 && ours.get() >= 20_000);
        });
    }
}

/// What is always ready uses up the budget that tokio gives to one of its tasks: then the guest gives way.
#[test]
fn the_budget_of_tokio_is_kept() {
    on_tokio(async {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        (0..10_000).for_each(|number| sender.send(number).unwrap());
        let (polls, resumes) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let resumed = Rc::clone(&resumes);
        let main = async move {
            let mut all = Box::pin(async move {
                for expected in 0..10_000 {
                    assert_eq!(receiver.recv().await, Some(expected));
                }
            });
            let counted = poll_fn(|cx| {
                resumed.set(resumed.get() + 1);
                all.as_mut().poll(cx)
            });
            counted.await;
        };
        let guest = guest();
        let mut run = Box::pin(guest.run(main));
        let counted = Rc::clone(&polls);
        let ran = poll_fn(|cx| {
            counted.set(counted.get() + 1);
            run.as_mut().poll(cx)
        });
        ran.await.unwrap();
        // 128 operations a poll; then nothing is tried in vain.
        assert!((10_000 / 128..200).contains(&polls.get()), "{}", polls.get());
        assert!(resumes.get() <= 2 * polls.get(), "{} of {}", resumes.get(), polls.get());
    });
}

#[test]
fn two_guests_share_a_runtime() {
    on_tokio(async {
        let queue = Queue::new(1);
        let (put, trace) = (queue.clone(), Rc::new(RefCell::new(Vec::new())));
        let log = Rc::clone(&trace);
        let producer = async move {
            for number in 0..3 {
                put.put(number).await.unwrap();
                sleep(Duration::from_millis(1)).await;
            }
        };
        let consumer = async move {
            for _ in 0..3 {
                let item = queue.get().await.unwrap();
                log.borrow_mut().push(item);
            }
        };
        let one = spawn_local(async move { guest().run(producer).await });
        guest().run(consumer).await.unwrap();
        one.await.unwrap().unwrap();
        assert_eq!(*trace.borrow(), [0, 1, 2]);
    });
}

/// A task of tokio that is ready, because one of ours has woken it, runs before the clock jumps.
#[test]
fn virtual_time_waits_for_what_is_ready() {
    on_tokio(async {
        let guest = Guest::new(Loop::simulated()).unwrap();
        let (ask, asked) = tokio::sync::oneshot::channel();
        let (answer, answered) = tokio::sync::oneshot::channel();
        spawn_local(async move { answer.send(asked.await.unwrap()).unwrap() });
        let main = async move {
            let stamped = spawn(async move {
                assert_eq!(answered.await, Ok("asked"));
                coro_core::time::now().as_secs_f64()
            });
            ask.send("asked").unwrap();
            sleep(Duration::from_secs(3_600)).await;
            stamped.await.unwrap()
        };
        assert_eq!(guest.run(main).await.unwrap(), 0.0);
    });
}

/// There is no stall: a task of tokio, outside of the simulated world, may do something.
#[test]
fn virtual_time_passes_when_tokio_has_nothing_ready() {
    on_tokio(async {
        let guest = Guest::new(Loop::simulated()).unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        spawn_local(async move {
            for number in 0..3 {
                tokio::task::yield_now().await;
                sender.send(number).await.unwrap();
            }
            // From now on it waits for real.
            tokio::time::sleep(Duration::from_millis(2)).await;
            sender.send(3).await.unwrap();
        });
        let main = async move {
            let start = coro_core::time::now();
            let first = receiver.recv().await;
            sleep(Duration::from_secs(3_600)).await;
            let mut rest = Vec::new();
            while let Some(number) = receiver.recv().await {
                rest.push(number);
            }
            (first, rest, coro_core::time::now() - start)
        };
        let ran = guest.run(main).await.unwrap();
        assert_eq!(ran, (Some(0), vec![1, 2, 3], Duration::from_secs(3_600)));
    });
}

/// Wakes from other threads, while the guest falls asleep and wakes.
#[test]
fn every_wake_from_other_threads_reaches_a_guest() {
    on_tokio(async {
        let guest = guest();
        let remote = guest.event_loop().remote();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let thread = std::thread::spawn(move || {
            for number in 0..2_000 {
                let sent = sender.clone();
                remote.call_soon_threadsafe(move || sent.send(number).unwrap()).unwrap();
                if number % 3 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let main = async move {
            let mut expected = 0;
            while let Some(number) = receiver.recv().await {
                assert_eq!(number, expected);
                expected += 1;
            }
            expected
        };
        assert_eq!(guest.run(main).await.unwrap(), 2_000);
        thread.join().unwrap();
    });
}
