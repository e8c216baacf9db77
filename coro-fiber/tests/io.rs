//! A synchronous face for what is asynchronous.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use coro_core::net::{TcpListener, TcpStream};
use coro_core::time::{self, Sleep};
use coro_core::{EventLoop, Loop};
use coro_fiber::io::FiberIo;
use coro_fiber::{WaitError, sleep, wait};
use futures::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, Cursor};
use tokio_util::compat::TokioAsyncReadCompatExt;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn simulated<T: 'static>(body: impl FnOnce() -> T + 'static) -> T {
    Loop::simulated().run(coro_fiber::task(|_| Ok(body()))).unwrap()
}

/// Gives a byte after so many seconds, again and again.
struct Drip {
    bytes: &'static [u8],
    step: Duration,
    sleeping: Option<Sleep>,
}

impl Drip {
    fn new(bytes: &'static str, step: u64) -> Self {
        Self { bytes: bytes.as_bytes(), step: secs(step), sleeping: None }
    }
}

impl AsyncRead for Drip {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let step = self.step;
        let sleeping = self.sleeping.get_or_insert_with(|| time::sleep(step));
        if Pin::new(sleeping).poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.sleeping = None;
        let count = self.bytes.len().min(into.len()).min(1);
        into[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Poll::Ready(Ok(count))
    }
}

#[test]
fn readers_wait_each_for_its_own() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let shared = Rc::clone(&log);
    simulated(move || {
        let fibers: Vec<_> = [("ab\ncd\n", 1), ("x\ny\n", 2)]
            .into_iter()
            .map(|(bytes, step)| {
                let log = Rc::clone(&shared);
                coro_fiber::spawn(move |_| {
                    for line in BufReader::new(FiberIo::new(Drip::new(bytes, step))).lines() {
                        let second = (time::now() - time::Time::ZERO).as_secs();
                        log.borrow_mut().push((second, line.unwrap()));
                    }
                    Ok(())
                })
            })
            .collect();
        fibers.into_iter().for_each(|fiber| wait(fiber).unwrap().unwrap());
    });
    let line = |second, line: &str| (second, line.to_string());
    assert_eq!(log.take(), [line(3, "ab"), line(4, "x"), line(6, "cd"), line(8, "y")]);
}

#[test]
fn what_is_written_arrives_and_the_end_of_it() {
    simulated(|| {
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_address();
        let server = Loop::current().unwrap().spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut received = Vec::new();
            stream.read_to_end(&mut received).await.unwrap();
            received.reverse();
            stream.write_all(&received).await.unwrap();
        });
        let mut stream = FiberIo::new(wait(TcpStream::connect(address)).unwrap().unwrap());
        stream.write_all(b"one ").unwrap();
        assert_eq!(stream.write_vectored(&[IoSlice::new(b"t"), IoSlice::new(b"wo")]).unwrap(), 3);
        stream.flush().unwrap();
        stream.close().unwrap();
        assert_eq!(stream.write(b"more").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let (mut first, mut second) = ([0; 3], [0; 8]);
        let mut parts = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        let count = stream.read_vectored(&mut parts).unwrap();
        assert!((1..=7).contains(&count));
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        let received = [&first[..], &second[..]].concat();
        assert_eq!(format!("{}{rest}", str::from_utf8(&received[..count]).unwrap()), "owt eno");
        wait(server).unwrap().unwrap();
        assert_eq!(stream.get_ref().peer_address(), address);
        assert_eq!(stream.get_mut().peer_address(), address);
    });
}

#[test]
fn a_stream_that_must_not_move_goes_in_a_box() {
    let said = simulated(|| {
        let pinned = Box::pin(Drip::new("pinned", 1).chain(Cursor::new(" down")));
        io::read_to_string(FiberIo::new(pinned)).unwrap()
    });
    assert_eq!(said, "pinned down");
}

#[test]
fn a_cancellation_ends_a_read_to_the_end_and_what_was_not_read_stays() {
    simulated(|| {
        let reader = coro_fiber::spawn(|_| {
            let mut stream = FiberIo::new(Drip::new("abcdef", 2));
            let mut read = Vec::new();
            let error = stream.read_to_end(&mut read).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Other);
            assert!(matches!(error.downcast(), Ok(WaitError::Cancelled(_))));
            Ok((read, stream.into_inner().bytes))
        });
        sleep(secs(5)).unwrap();
        reader.cancel();
        assert_eq!(wait(reader).unwrap().unwrap(), (b"ab".to_vec(), &b"cdef"[..]));
        assert_eq!(time::now() - time::Time::ZERO, secs(5));
    });
}

#[test]
fn outside_a_fiber_nothing_is_polled() {
    let polled = std::cell::Cell::new(false);
    let stream = futures::stream::poll_fn(|_| {
        polled.set(true);
        Poll::Ready(Some(Ok::<_, io::Error>("never")))
    });
    use futures::TryStreamExt;
    let mut stream = FiberIo::new(stream.into_async_read());
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("coro_fiber::on_fiber()"), "{error}");
    assert!(matches!(error.downcast(), Ok(WaitError::Outside)));
    assert!(!polled.get());
}

/// A text that goes through a pipe of 16 bytes, to a fiber and back. The pipe has tokio's traits, and is of no runtime.
async fn echoed() -> (usize, String) {
    let (client, server) = tokio::io::duplex(16);
    let server = coro_fiber::on_fiber(move || {
        let mut stream = FiberIo::new(server.compat());
        let (mut lines, mut byte) = (0, [0]);
        while stream.read(&mut byte).unwrap() > 0 {
            stream.write_all(&byte).unwrap();
            lines += usize::from(byte == *b"\n");
        }
        lines
    });
    let client = coro_fiber::on_fiber(move || {
        let mut stream = BufReader::new(FiberIo::new(client.compat()));
        let mut answers = String::new();
        for number in 0..100 {
            writeln!(stream.get_mut(), "{number:0>30}").unwrap();
            stream.read_line(&mut answers).unwrap();
        }
        stream.get_mut().close().unwrap();
        answers
    });
    futures::join!(server, client)
}

#[test]
fn it_works_under_any_executor() {
    let expected: String = (0..100).map(|number| format!("{number:0>30}\n")).collect();
    let expected = (100, expected);
    assert_eq!(futures::executor::block_on(echoed()), expected);
    assert_eq!(Loop::simulated().run(echoed()).unwrap(), expected);
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(tokio.block_on(echoed()), expected);
    let smol = async_executor::LocalExecutor::new();
    let task = smol.spawn(echoed());
    assert_eq!(futures::executor::block_on(smol.run(task)), expected);
}

#[test]
fn a_stream_of_tokios_waits_in_tokio() {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let answer = tokio.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = coro_fiber::on_fiber(move || {
            let (stream, _) = wait(listener.accept()).unwrap().unwrap();
            let mut stream = FiberIo::new(stream.compat());
            let mut word = [0; 5];
            stream.read_exact(&mut word).unwrap();
            stream.write_all(&word.map(|byte| byte.to_ascii_uppercase())).unwrap();
        });
        let client = coro_fiber::on_fiber(move || {
            let mut stream =
                FiberIo::new(wait(tokio::net::TcpStream::connect(address)).unwrap().unwrap().compat());
            stream.write_all(b"hello").unwrap();
            io::read_to_string(stream).unwrap()
        });
        futures::join!(server, client).1
    });
    assert_eq!(answer, "HELLO");
}
