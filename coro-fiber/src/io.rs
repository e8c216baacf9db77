//! Synchronous reading and writing of what is asynchronous.

use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use crate::wait;

/// [`Read`] and [`Write`] over any [`AsyncRead`] and [`AsyncWrite`]: where they would block the thread, they suspend the
/// fiber.
///
/// It needs a fiber, and nothing of a loop: in [`on_fiber`](crate::on_fiber()) it works under any executor, with the
/// streams of that executor. Those with tokio's traits become ones with these by `compat` of `tokio_util`; a stream that is
/// not [`Unpin`] goes in a `Box::pin`. For TCP on our loop, [`FiberStream`](crate::net::FiberStream) can do more.
///
/// # Errors
///
/// Those of the stream, and a [`WaitError`](crate::WaitError) inside an [`io::Error`] of the kind
/// [`Other`](io::ErrorKind::Other): what was thrown in at the wait, or that there is no fiber here. It is never
/// [`Interrupted`](io::ErrorKind::Interrupted), which `read_exact` and its like would try again. To get it out, call
/// `error.downcast::<WaitError>()`.
///
/// # Cancellation
///
/// As that of the stream: a read or write that fails with a [`WaitError`](crate::WaitError) was polled, and is not any
/// more.
///
/// # Examples
///
/// ```
/// use coro_fiber::io::FiberIo;
/// use futures::io::{AsyncReadExt, Cursor};
/// use std::io::{BufRead, BufReader};
///
/// // What reads lines knows nothing of fibers.
/// let lines = futures::executor::block_on(coro_fiber::on_fiber(|| {
///     let stream = Cursor::new("one\ntw").chain(Cursor::new("o\n"));
///     BufReader::new(FiberIo::new(stream)).lines().collect::<Result<Vec<_>, _>>()
/// }));
/// assert_eq!(lines.unwrap(), ["one", "two"]);
/// ```
#[derive(Debug)]
pub struct FiberIo<T>(T);

impl<T> FiberIo<T> {
    /// The synchronous face of `stream`.
    pub fn new(stream: T) -> Self {
        Self(stream)
    }

    /// The stream itself.
    pub fn get_ref(&self) -> &T {
        &self.0
    }

    /// The stream itself.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }

    /// The stream itself. Nothing is buffered here, so nothing is lost.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Unpin> FiberIo<T> {
    fn wait<R>(
        &mut self,
        mut poll: impl FnMut(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> io::Result<R> {
        wait(poll_fn(|cx| poll(Pin::new(&mut self.0), cx)))?
    }
}

impl<T: AsyncWrite + Unpin> FiberIo<T> {
    /// Writes what is left, and then the end of the stream: [`AsyncWrite::poll_close`].
    ///
    /// # Errors
    ///
    /// As [`FiberIo`] says.
    pub fn close(&mut self) -> io::Result<()> {
        self.wait(|stream, cx| stream.poll_close(cx))
    }
}

impl<T: AsyncRead + Unpin> Read for FiberIo<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.wait(|stream, cx| stream.poll_read(cx, into))
    }

    fn read_vectored(&mut self, into: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.wait(|stream, cx| stream.poll_read_vectored(cx, into))
    }
}

impl<T: AsyncWrite + Unpin> Write for FiberIo<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|stream, cx| stream.poll_write(cx, bytes))
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        self.wait(|stream, cx| stream.poll_write_vectored(cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wait(|stream, cx| stream.poll_flush(cx))
    }
}
