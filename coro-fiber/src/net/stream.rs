//! A TCP connection with a synchronous face.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro_core::Loop;
use coro_core::net::TcpStream;
use coro_core::sync::Lock;
use coro_core::time::sleep;
use futures_io::{AsyncRead, AsyncWrite};

use crate::wait;

/// A TCP connection that suspends the fiber where [`std::net::TcpStream`] would block the thread.
///
/// Like that one it reads and writes through a shared reference too, and [`try_clone`](Self::try_clone) gives another
/// handle to the same connection, so that one fiber can read while another writes. Fibers that read, or write, at the same
/// time take turns, first come, first served. It stays on its thread; a [`Tethered`](crate::Tethered) is a handle for
/// libraries that ask for `Send`.
///
/// Writes are sent as they are made, as if by `TCP_NODELAY`; `flush` waits until all is with the system. Dropping the
/// last handle sends what was written, then closes.
///
/// # Errors
///
/// Those of the driver; [`TimedOut`](ErrorKind::TimedOut); and a [`WaitError`](crate::WaitError), of which
/// [the module](crate::net) tells more.
///
/// # Cancellation
///
/// Strict: a read that failed or timed out has taken no bytes, and a write has sent none or said so.
pub struct FiberStream(Rc<Shared>);

struct Shared {
    /// Borrowed for the time of a poll, in which nobody is waited for.
    stream: RefCell<TcpStream>,
    local: SocketAddr,
    peer: SocketAddr,
    reading: Direction,
    writing: Direction,
    nonblocking: Cell<bool>,
    /// Reads give the end of the stream, though it has not come.
    read_shut: Cell<bool>,
    /// Of the read that waits.
    reader: Cell<Option<Waker>>,
}

/// Reading, or writing.
#[derive(Default)]
struct Direction {
    /// Held while it is waited for: the stream remembers one who waits for each direction.
    turn: Lock<()>,
    timeout: Cell<Option<Duration>>,
}

impl FiberStream {
    /// Opens a connection to `address`.
    ///
    /// Names are not looked up, because that would block the thread.
    ///
    /// # Errors
    ///
    /// As the driver says: refused, unreachable, no descriptor left. Or there is no running loop, or no fiber.
    ///
    /// # Cancellation
    ///
    /// Strict: a connection that nobody waits for is closed.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(wait(TcpStream::connect(address))??.into())
    }

    /// [`connect`](Self::connect), for so long at most.
    ///
    /// # Errors
    ///
    /// As that; and [`TimedOut`](ErrorKind::TimedOut), or [`InvalidInput`](ErrorKind::InvalidInput) for no time at all.
    ///
    /// # Cancellation
    ///
    /// As that.
    pub fn connect_timeout(address: SocketAddr, timeout: Duration) -> io::Result<Self> {
        let timeout = checked(Some(timeout))?;
        let mut connecting = pin!(TcpStream::connect(address));
        Ok(wait_for(timeout, |cx| connecting.as_mut().poll(cx))?.into())
    }

    /// The other end.
    ///
    /// # Errors
    ///
    /// None; it is a result because that of [`std::net::TcpStream`] is.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.peer)
    }

    /// This end.
    ///
    /// # Errors
    ///
    /// None, as [`peer_addr`](Self::peer_addr).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local)
    }

    /// Another handle to the same connection, with the same settings.
    ///
    /// # Errors
    ///
    /// None, as [`peer_addr`](Self::peer_addr).
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(Rc::clone(&self.0)))
    }

    /// The asynchronous stream.
    ///
    /// # Errors
    ///
    /// This, if there are other handles to the connection.
    pub fn into_inner(self) -> Result<TcpStream, Self> {
        Rc::try_unwrap(self.0).map(|shared| shared.stream.into_inner()).map_err(Self)
    }

    /// How long a read waits at most: for ever, if `None`. After that it fails with [`TimedOut`](ErrorKind::TimedOut),
    /// and can be tried again; what arrives meanwhile is not lost. It holds for reads that begin from now on.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for no time at all.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.reading.timeout.set(checked(timeout)?);
        Ok(())
    }

    /// How long a write, a flush or a shutdown waits at most. See [`set_read_timeout`](Self::set_read_timeout).
    ///
    /// # Errors
    ///
    /// As that.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.writing.timeout.set(checked(timeout)?);
        Ok(())
    }

    /// What was set with [`set_read_timeout`](Self::set_read_timeout).
    ///
    /// # Errors
    ///
    /// None, as [`peer_addr`](Self::peer_addr).
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.0.reading.timeout.get())
    }

    /// What was set with [`set_write_timeout`](Self::set_write_timeout).
    ///
    /// # Errors
    ///
    /// None, as [`peer_addr`](Self::peer_addr).
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.0.writing.timeout.get())
    }

    /// Whether reads and writes fail with [`WouldBlock`](ErrorKind::WouldBlock) where they would wait. They need no fiber
    /// then.
    ///
    /// # Errors
    ///
    /// None, as [`peer_addr`](Self::peer_addr).
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.nonblocking.set(nonblocking);
        Ok(())
    }

    /// Ends one direction or both, for all handles.
    ///
    /// For writing, the peer sees the end after all that was written; this waits until that is with the system, and
    /// for the writes of other fibers that began before. For reading, reads give the end of the stream from now on, also
    /// one that waits already; the peer is not told.
    ///
    /// # Errors
    ///
    /// As a write's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let shared = &*self.0;
        if how != Shutdown::Write {
            shared.read_shut.set(true);
            if let Some(reader) = shared.reader.take() {
                reader.wake();
            }
        }
        match how {
            Shutdown::Read => Ok(()),
            Shutdown::Write | Shutdown::Both => {
                shared.perform(&shared.writing, |stream, cx| stream.poll_close(cx))
            }
        }
    }
}

impl From<TcpStream> for FiberStream {
    fn from(stream: TcpStream) -> Self {
        let (local, peer) = (stream.local_address(), stream.peer_address());
        Self(Rc::new(Shared {
            stream: RefCell::new(stream),
            local,
            peer,
            reading: Direction::default(),
            writing: Direction::default(),
            nonblocking: Cell::new(false),
            read_shut: Cell::new(false),
            reader: Cell::new(None),
        }))
    }
}

impl Shared {
    /// Polls until it is ready, when it is this fiber's turn.
    fn perform<T>(
        &self,
        direction: &Direction,
        mut poll: impl FnMut(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        let mut poll = |cx: &mut Context<'_>| poll(Pin::new(&mut *self.stream.borrow_mut()), cx);
        let turn = direction.turn.try_lock();
        if self.nonblocking.get() {
            let polled =
                if turn.is_ok() { poll(&mut Context::from_waker(Waker::noop())) } else { Poll::Pending };
            return match polled {
                Poll::Ready(result) => result,
                Poll::Pending => Err(ErrorKind::WouldBlock.into()),
            };
        }
        let _turn = match turn {
            Ok(turn) => turn,
            Err(_taken) => wait(direction.turn.lock())?,
        };
        wait_for(direction.timeout.get(), poll)
    }

    fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.perform(&self.reading, |stream, cx| {
            if self.read_shut.get() {
                return Poll::Ready(Ok(0));
            }
            let polled = stream.poll_read(cx, into);
            if polled.is_pending() {
                self.reader.set(Some(cx.waker().clone()));
            }
            polled
        });
        self.reader.set(None);
        read
    }
}

impl Read for &FiberStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for &FiberStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.perform(&self.0.writing, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.perform(&self.0.writing, |stream, cx| stream.poll_write_vectored(cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.perform(&self.0.writing, |stream, cx| stream.poll_flush(cx))
    }
}

impl Read for FiberStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (&*self).read(into)
    }
}

impl Write for FiberStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

impl fmt::Debug for FiberStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FiberStream")
            .field("local", &self.0.local)
            .field("peer", &self.0.peer)
            .finish_non_exhaustive()
    }
}

/// No time at all is refused, as `std::net` does: it has meant "for ever" elsewhere.
fn checked(timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        let advice = "a timeout of zero: give more, or None to wait for ever, or call set_nonblocking()";
        return Err(io::Error::new(ErrorKind::InvalidInput, advice));
    }
    Ok(timeout)
}

/// Polls until it is ready, for so long at most after it has been pending first.
fn wait_for<T>(
    timeout: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
) -> io::Result<T> {
    let Some(timeout) = timeout else { return wait(poll_fn(poll))? };
    let mut sleeping = pin!(None);
    let waited = wait(poll_fn(|cx| {
        if let Poll::Ready(result) = poll(cx) {
            return Poll::Ready(result);
        }
        if sleeping.is_none() {
            // The clock is the loop's.
            if Loop::current().is_none() {
                let advice =
                    "a wait with a timeout where no event loop runs: use the stream on the loop that made it";
                return Poll::Ready(Err(io::Error::new(ErrorKind::NotConnected, advice)));
            }
            sleeping.set(Some(sleep(timeout)));
        }
        let over = sleeping.as_mut().as_pin_mut().is_some_and(|sleeping| sleeping.poll(cx).is_ready());
        if over { Poll::Ready(Err(ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }));
    waited?
}
