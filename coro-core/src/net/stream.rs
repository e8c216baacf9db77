//! A TCP connection.

use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::coroutine::is_resume_without_wake;
use crate::driver::{Completed, Operation, Socket};
use crate::event_loop::{Core, Pending, current_core, loop_is_gone};

/// How much one receive asks for.
const RECEIVE_BYTES: usize = 16 * 1024;
/// How much is taken from a writer at once.
const SEND_BYTES: usize = 64 * 1024;

/// A TCP connection, read and written through [`AsyncRead`] and [`AsyncWrite`].
///
/// Received bytes belong to the connection, not to the read that waits for them, and accepted bytes are sent even
/// if the writer goes away. Dropping it sends what was accepted, then closes.
///
/// # Cancellation
///
/// Strict: a dropped read has taken no bytes, and a dropped write has taken none either or said so.
///
/// # Examples
///
/// ```
/// use coro_core::net::{TcpListener, TcpStream};
/// use coro_core::{EventLoop, Loop, native::spawn};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// let echoed = Loop::simulated().run(async {
///     let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
///     let address = listener.local_address();
///     let server = spawn(async move {
///         let (mut stream, _) = listener.accept().await?;
///         let mut bytes = [0; 5];
///         stream.read_exact(&mut bytes).await?;
///         stream.write_all(&bytes).await
///     });
///     let mut stream = TcpStream::connect(address).await?;
///     stream.write_all(b"hello").await?;
///     let mut bytes = [0; 5];
///     stream.read_exact(&mut bytes).await?;
///     server.await.map_err(std::io::Error::other)??;
///     std::io::Result::Ok(bytes)
/// });
/// assert_eq!(&echoed.unwrap().unwrap(), b"hello");
/// ```
pub struct TcpStream {
    core: Weak<Core>,
    socket: Socket,
    local: SocketAddr,
    peer: SocketAddr,
    received: Received,
    sending: Sending,
}

/// The bytes that have arrived and were not read, in `buffer[start..end]`.
#[derive(Default)]
struct Received {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    operation: Option<Pending>,
    ended: bool,
}

/// The bytes that were accepted from the writer: all of them belong to the operation in flight, so they are sent
/// whether or not the writer comes back.
#[derive(Default)]
struct Sending {
    operation: Option<Pending>,
    /// Used again for the next operation.
    spare: Vec<u8>,
    failed: Option<ErrorKind>,
    ended: bool,
}

impl TcpStream {
    /// Opens a connection to `address`.
    ///
    /// # Errors
    ///
    /// As the driver says: refused, unreachable, no descriptor left. Or there is no running loop.
    ///
    /// # Cancellation
    ///
    /// Strict: a connection that nobody waits for is closed.
    pub fn connect(address: SocketAddr) -> Connect {
        Connect { address, core: Weak::new(), operation: None }
    }

    pub(super) fn opened(core: &Rc<Core>, socket: Socket, local: SocketAddr, peer: SocketAddr) -> Self {
        Self {
            core: Rc::downgrade(core),
            socket,
            local,
            peer,
            received: Received::default(),
            sending: Sending::default(),
        }
    }

    /// This end.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The other end.
    pub fn peer_address(&self) -> SocketAddr {
        self.peer
    }
}

impl Received {
    fn poll_fill(&mut self, core: &Weak<Core>, socket: Socket, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.start < self.end || self.ended {
            return Poll::Ready(Ok(()));
        }
        if self.operation.is_none() {
            let core = core.upgrade().ok_or_else(loop_is_gone)?;
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(RECEIVE_BYTES, 0);
            self.operation = Some(core.submit(Operation::Receive { socket, buffer }));
        }
        let Some(operation) = &mut self.operation else { return Poll::Pending };
        let completed = ready!(operation.poll(cx));
        self.operation = None;
        match completed {
            Completed::Transferred { buffer, count } => {
                (self.buffer, self.start, self.end) = (buffer, 0, count);
                self.ended = count == 0;
                Poll::Ready(Ok(()))
            }
            other => Poll::Ready(Err(unexpected(other))),
        }
    }

    fn take(&mut self, into: &mut [u8]) -> usize {
        let count = into.len().min(self.end - self.start);
        into[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        count
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let this = &mut *self;
        ready!(this.received.poll_fill(&this.core, this.socket, cx))?;
        Poll::Ready(Ok(this.received.take(buffer)))
    }
}

impl Sending {
    /// Gives how many bytes were accepted.
    fn begin<'a>(
        &mut self,
        core: &Weak<Core>,
        socket: Socket,
        slices: impl Iterator<Item = &'a [u8]>,
    ) -> io::Result<usize> {
        let core = core.upgrade().ok_or_else(loop_is_gone)?;
        let mut buffer = std::mem::take(&mut self.spare);
        for bytes in slices {
            let room = SEND_BYTES - buffer.len();
            buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        let count = buffer.len();
        self.operation = Some(core.submit(Operation::Send { socket, buffer }));
        Ok(count)
    }

    /// Waits until everything that was accepted is sent. An error is not forgotten.
    fn poll_sent(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if let Some(kind) = self.failed {
            return Poll::Ready(Err(kind.into()));
        }
        let Some(operation) = &mut self.operation else { return Poll::Ready(Ok(())) };
        let completed = ready!(operation.poll(cx));
        self.operation = None;
        Poll::Ready(match completed {
            Completed::Transferred { mut buffer, .. } => {
                buffer.clear();
                self.spare = buffer;
                Ok(())
            }
            other => {
                let error = unexpected(other);
                self.failed = Some(error.kind());
                Err(error)
            }
        })
    }
}

impl TcpStream {
    fn poll_send<'a>(
        &mut self,
        cx: &Context<'_>,
        slices: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Poll<io::Result<usize>> {
        if self.sending.ended {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        ready!(self.sending.poll_sent(cx))?;
        if slices.clone().all(<[u8]>::is_empty) {
            return Poll::Ready(Ok(0));
        }
        let count = self.sending.begin(&self.core, self.socket, slices)?;
        // Most sends are over at once, and then an error belongs to this write.
        match self.sending.poll_sent(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(count)),
        }
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, std::iter::once(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bytes.iter().map(|bytes| &**bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sending.poll_sent(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.sending.poll_sent(cx))?;
        if !this.sending.ended {
            this.sending.ended = true;
            let core = this.core.upgrade().ok_or_else(loop_is_gone)?;
            core.submit(Operation::ShutdownWrite { socket: this.socket }).detach();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        let Some(core) = self.core.upgrade() else { return };
        if let Some(operation) = self.sending.operation.take() {
            operation.detach();
        }
        self.received.operation = None;
        core.close_socket(self.socket);
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local", &self.local)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// A connection being opened. Made by [`TcpStream::connect`].
#[derive(Debug)]
#[must_use = "a connect does nothing until it is awaited"]
pub struct Connect {
    address: SocketAddr,
    core: Weak<Core>,
    operation: Option<Pending>,
}

impl Future for Connect {
    type Output = io::Result<TcpStream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.operation.is_none() {
            if is_resume_without_wake(cx) {
                return Poll::Pending;
            }
            let core = current_core("TcpStream::connect()")?;
            self.operation = Some(core.submit(Operation::Connect { address: self.address }));
            self.core = Rc::downgrade(&core);
        }
        let Some(operation) = &mut self.operation else { return Poll::Pending };
        let completed = ready!(operation.poll(cx));
        let core = self.core.upgrade().ok_or_else(loop_is_gone)?;
        Poll::Ready(match completed {
            Completed::Opened { socket, local, peer } => Ok(TcpStream::opened(&core, socket, local, peer)),
            other => Err(unexpected(other)),
        })
    }
}

/// The error in a result that is not the one hoped for.
pub(super) fn unexpected(completed: Completed) -> io::Error {
    match completed {
        Completed::Failed(error) => error,
        other => io::Error::other(format!("the driver answered with {other:?}, which was not asked for")),
    }
}
