//! TCP for synchronous code: waits that are cut off, or that cannot wait.

mod net_common;

use std::cell::Cell;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use coro_core::coroutine::{Coroutine, Outcome};
use coro_core::net::TcpStream;
use coro_core::task::TaskError;
use coro_core::{EventLoop, Loop};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{WaitError, sleep, wait};
use net_common::*;

#[test]
fn a_cancellation_ends_the_loops_of_the_standard_library() {
    simulated(|| {
        let (mut client, mut server) = connected();
        server.write_all(b"begun").unwrap();
        let mut into = Vec::new();
        let read = Rc::new(Cell::new(0));
        let count = Rc::clone(&read);
        let reader = spawn(move || {
            let error = client.read_to_end(&mut into).unwrap_err();
            count.set(into.len());
            assert_cancelled(error);
            // It was told once, as in asyncio: cleaning up may wait.
            sleep(SECOND).unwrap();
            let copied = io::copy(&mut BufReader::new(client), &mut io::sink());
            count.set(count.get() + copied.unwrap() as usize);
        });
        sleep(SECOND).unwrap();
        reader.cancel();
        sleep(SECOND / 2).unwrap();
        assert_eq!(read.get(), 5);
        server.write_all(b" and ended").unwrap();
        drop(server);
        join(reader);
        assert_eq!(read.get(), 15);
    });
}

#[test]
fn a_cancellation_reaches_each_wait() {
    let log = Log::default();
    let own = log.clone();
    simulated(move || {
        let (client, mut server) = connected();
        let listener = FiberListener::bind(anywhere()).unwrap();
        let attempt = |name: &'static str, body: Box<dyn FnOnce() -> io::Result<()>>| {
            let log = own.clone();
            spawn(move || {
                assert_cancelled(body().unwrap_err());
                log.add(name);
            })
        };
        let [read, turn] = [(); 2].map(|()| client.try_clone().unwrap());
        let [mut write, flush, shut] = [(); 3].map(|()| client.try_clone().unwrap());
        let tasks = [
            attempt("read", Box::new(move || (&read).read(&mut [0]).map(drop))),
            attempt("read, in line", Box::new(move || (&turn).read(&mut [0]).map(drop))),
            attempt("write", Box::new(move || write.write_all(&[0; 10_000_000]))),
            attempt("flush, in line", Box::new(move || (&flush).flush())),
            attempt("shutdown, in line", Box::new(move || shut.shutdown(Shutdown::Write))),
            attempt("accept", Box::new(move || listener.accept().map(drop))),
        ];
        sleep(SECOND).unwrap();
        // From the back, so that none gets its turn.
        for task in tasks.iter().rev() {
            task.cancel();
            sleep(SECOND).unwrap();
        }
        tasks.into_iter().for_each(join);
        // Not one turn is lost.
        let mut byte = [0];
        let bytes =
            spawn(move || (server.write_all(b"x").unwrap(), io::copy(&mut server, &mut io::sink())).1);
        (&client).read_exact(&mut byte).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert!(join(bytes).unwrap() > 0);
    });
    assert_eq!(
        log.0.take(),
        ["1: accept", "2: shutdown, in line", "3: flush, in line", "4: write", "5: read, in line", "6: read"]
    );
}

#[test]
fn a_loop_over_incoming_connections_that_skips_errors_ends_when_it_is_cancelled() {
    simulated(|| {
        let listener = FiberListener::bind(anywhere()).unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = spawn(move || {
            let (mut accepted, mut failed) = (0, 0);
            let mut incoming = listener.incoming();
            for stream in &mut incoming {
                match stream {
                    Ok(_) => accepted += 1,
                    Err(_) => failed += 1,
                }
            }
            assert!(incoming.next().is_none());
            // The listener itself goes on.
            assert!(listener.accept().is_ok());
            assert_eq!((accepted, failed), (2, 1));
        });
        for _ in 0..2 {
            FiberStream::connect(address).unwrap();
        }
        sleep(SECOND).unwrap();
        accepted.cancel();
        sleep(SECOND).unwrap();
        FiberStream::connect(address).unwrap();
        join(accepted);
    });
}

/// The wake of no loop of ours.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn outside_a_fiber_the_error_says_what_to_do() {
    let outside = |error: io::Error| {
        assert!(error.to_string().contains("coro_fiber::on_fiber()"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(matches!(error.downcast(), Ok(WaitError::Outside)));
    };
    // In a native task, on a loop.
    let ended = Loop::simulated().run(async move {
        let listener = FiberListener::bind(anywhere()).unwrap();
        let address = listener.local_addr().unwrap();
        outside(FiberStream::connect(address).unwrap_err());
        outside(FiberStream::connect_timeout(address, SECOND).unwrap_err());
        outside(listener.accept().unwrap_err());
        let skipped = listener.incoming().map(Result::unwrap_err).map(outside).count();
        let mut stream = FiberStream::from(TcpStream::connect(address).await.unwrap());
        outside(stream.read(&mut [0]).unwrap_err());
        outside(stream.read_to_end(&mut Vec::new()).unwrap_err());
        stream.set_read_timeout(Some(SECOND)).unwrap();
        outside(stream.read_exact(&mut [0]).unwrap_err());
        outside(stream.write_all(b"x").unwrap_err());
        stream.set_nonblocking(true).unwrap();
        assert_eq!(stream.write(b"x").unwrap(), 1);
        (skipped, stream)
    });
    let (skipped, mut stream) = ended.unwrap();
    assert_eq!(skipped, 1);
    // Where there is no loop, not even a fiber helps.
    let no_loop = |error: io::Error| {
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert!(error.to_string().contains("loop"), "{error}");
    };
    no_loop(FiberListener::bind(anywhere()).unwrap_err());
    stream.set_nonblocking(false).unwrap();
    coro_fiber::scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(move |_| {
            no_loop(stream.read(&mut [0]).unwrap_err());
            no_loop(FiberStream::connect(anywhere()).unwrap_err());
            no_loop(FiberStream::connect_timeout(anywhere(), SECOND).unwrap_err());
            Ok(())
        });
        let waker = Waker::from(Arc::new(Nobody));
        let mut cx = Context::from_waker(&waker);
        assert_eq!(fiber.poll_resume(&mut cx, None), Poll::Ready(Ok(Outcome::Returned(()))));
    });
}

#[test]
fn a_timeout_needs_a_loop_that_runs() {
    let event_loop = Loop::simulated();
    let (client, _server) = run_on(&event_loop, connected);
    client.set_read_timeout(Some(SECOND)).unwrap();
    coro_fiber::scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(move |_| {
            let error = (&client).read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotConnected);
            assert!(error.to_string().contains("where no event loop runs"), "{error}");
            Ok(())
        });
        let waker = Waker::from(Arc::new(Nobody));
        assert_eq!(
            fiber.poll_resume(&mut Context::from_waker(&waker), None),
            Poll::Ready(Ok(Outcome::Returned(())))
        );
    });
}

#[test]
fn a_buffered_writer_that_is_dropped_while_its_fiber_is_unwound_writes_what_can_be_written_at_once() {
    let received = simulated(|| {
        let (client, mut server) = connected();
        let panics = spawn(move || {
            let mut writer = io::BufWriter::new(client);
            writer.write_all(b"last words").unwrap();
            panic!("planted");
        });
        let mut received = String::new();
        server.read_to_string(&mut received).unwrap();
        assert!(matches!(wait(panics).unwrap(), Err(TaskError::Panicked(_))));
        received
    });
    assert_eq!(received, "last words");
}
