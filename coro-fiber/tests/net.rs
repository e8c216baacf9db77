//! TCP for synchronous code: what `std::net` promises, what a wait in it may end with, and who takes turns.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use coro_core::coroutine::{Coroutine, Outcome};
use coro_core::net::TcpStream;
use coro_core::sim::Sim;
use coro_core::task::TaskError;
use coro_core::{EventLoop, JoinHandle, Loop, time};
use coro_fiber::net::{FiberListener, FiberStream};
use coro_fiber::{WaitError, sleep, wait};

const SECOND: Duration = Duration::from_secs(1);

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// What happened, with the second.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Display) {
        let second = (time::now() - time::Time::ZERO).as_secs();
        self.0.borrow_mut().push(format!("{second}: {what}"));
    }
}

/// Runs the body of a fiber on a loop.
fn run_on<T: 'static>(event_loop: &Loop, body: impl FnOnce() -> T + 'static) -> T {
    event_loop.run(coro_fiber::task(|_| Ok(body()))).unwrap()
}

fn simulated<T: 'static>(body: impl FnOnce() -> T + 'static) -> T {
    run_on(&Loop::simulated(), body)
}

/// Runs a test in virtual time, and over the kernel.
fn on_both(body: fn()) {
    simulated(body);
    run_on(&Loop::new().unwrap(), body);
}

fn spawn<T: 'static>(body: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    coro_fiber::spawn(|_| Ok(body()))
}

fn join<T: 'static>(task: JoinHandle<T>) -> T {
    wait(task).unwrap().unwrap()
}

/// Both ends of a connection.
fn connected() -> (FiberStream, FiberStream) {
    let listener = FiberListener::bind(anywhere()).unwrap();
    let address = listener.local_addr().unwrap();
    let client = spawn(move || FiberStream::connect(address).unwrap());
    let (server, peer) = listener.accept().unwrap();
    let client = join(client);
    assert_eq!(client.local_addr().unwrap(), peer);
    assert_eq!((server.peer_addr().unwrap(), client.peer_addr().unwrap()), (peer, address));
    (client, server)
}

#[track_caller]
fn assert_cancelled(error: io::Error) {
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(matches!(error.downcast(), Ok(WaitError::Cancelled)));
}

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
