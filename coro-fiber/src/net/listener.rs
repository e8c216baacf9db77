//! A listening TCP socket with a synchronous face.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::iter::FusedIterator;
use std::net::SocketAddr;
use std::pin::pin;

use coro_core::net::TcpListener;
use coro_core::sync::Lock;

use super::FiberStream;
use crate::{WaitError, wait};

/// Accepts TCP connections, and suspends the fiber where [`std::net::TcpListener`] would block the thread.
///
/// Several fibers may accept at the same time, through shared references; they take turns. Dropping it closes it;
/// connections that nobody accepted are reset.
pub struct FiberListener {
    /// Borrowed for the time of a poll, in which nobody is waited for.
    listener: RefCell<TcpListener>,
    local: SocketAddr,
    /// Held while it is waited for: the listener remembers one who waits.
    turn: Lock<()>,
}

impl FiberListener {
    /// Listens at `address`; port 0 chooses one. It needs no fiber.
    ///
    /// # Errors
    ///
    /// As the driver says: in use, not permitted. Or there is no running loop.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(TcpListener::bind(address)?.into())
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// None; it is a result because that of [`std::net::TcpListener`] is.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    /// Waits for the next connection; gives it with the peer's address.
    ///
    /// # Errors
    ///
    /// As the driver says; the listener can be used again after one. Or a [`WaitError`], as
    /// [the module](crate::net) says.
    ///
    /// # Cancellation
    ///
    /// Strict: the connection goes to the next accept.
    pub fn accept(&self) -> io::Result<(FiberStream, SocketAddr)> {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_taken) => wait(self.turn.lock())?,
        };
        let (stream, peer) = wait(poll_fn(|cx| pin!(self.listener.borrow_mut().accept()).poll(cx)))??;
        Ok((stream.into(), peer))
    }

    /// The connections, one after the other, as [`accept`](Self::accept) gives them.
    ///
    /// It ends after the first [`WaitError`]: a loop that skips the connections that failed would otherwise skip its
    /// own cancellation, too.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self, ended: false }
    }

    /// The asynchronous listener.
    pub fn into_inner(self) -> TcpListener {
        self.listener.into_inner()
    }
}

impl From<TcpListener> for FiberListener {
    fn from(listener: TcpListener) -> Self {
        let local = listener.local_address();
        Self { listener: RefCell::new(listener), local, turn: Lock::default() }
    }
}

impl fmt::Debug for FiberListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FiberListener").field("local", &self.local).finish_non_exhaustive()
    }
}

/// The connections to a listener. Made by [`FiberListener::incoming`].
#[derive(Debug)]
#[must_use = "nothing is accepted until it is iterated over"]
pub struct Incoming<'a> {
    listener: &'a FiberListener,
    ended: bool,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<FiberStream>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let accepted = self.listener.accept();
        self.ended =
            matches!(&accepted, Err(error) if error.get_ref().is_some_and(|inner| inner.is::<WaitError>()));
        Some(accepted.map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}
