//! A TCP connection of the loop, as hyper wants it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use coro_core::net::TcpStream;
use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

/// How much one read moves at most.
const READ_BYTES: usize = 16 * 1024;

/// Reads and writes a [`TcpStream`] through hyper's traits.
///
/// hyper lends memory that may be uninitialised; safe code cannot hand that to a socket, so the bytes go through a
/// buffer of this end's own.
#[derive(Debug)]
pub struct HyperIo {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

impl HyperIo {
    /// Takes the connection over.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: vec![0; READ_BYTES].into_boxed_slice() }
    }
}

impl Read for HyperIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let room = into.remaining().min(this.buffer.len());
        let count = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut this.buffer[..room]))?;
        into.put_slice(&this.buffer[..count]);
        Poll::Ready(Ok(()))
    }
}

impl Write for HyperIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
