//! A listening TCP socket.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};

use super::TcpStream;
use super::stream::unexpected;
use crate::driver::{Completed, Operation, Socket};
use crate::event_loop::{Core, Pending, current_core, loop_is_gone};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Accepts TCP connections.
///
/// Dropping it closes it; connections that nobody accepted are reset.
pub struct TcpListener {
    core: Weak<Core>,
    socket: Socket,
    local: SocketAddr,
    /// Belongs to the listener, not to the accept that waits: a cancelled accept loses no connection.
    operation: Option<Pending>,
}

impl TcpListener {
    /// Listens at `address`; port 0 chooses one.
    ///
    /// # Errors
    ///
    /// As the driver says: in use, not permitted. Or there is no running loop.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let core = current_core("TcpListener::bind()")?;
        let mut listening = core.submit(Operation::Listen { address, backlog: BACKLOG });
        let Some(completed) = listening.take_over() else {
            return Err(io::Error::other("the driver did not listen at once"));
        };
        match completed {
            Completed::Opened { socket, local, .. } => {
                Ok(Self { core: Rc::downgrade(&core), socket, local, operation: None })
            }
            other => Err(unexpected(other)),
        }
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Waits for the next connection; gives it with the peer's address.
    ///
    /// # Errors
    ///
    /// As the driver says; the listener can be used again after one.
    ///
    /// # Cancellation
    ///
    /// Strict: the connection goes to the next accept.
    pub fn accept(&mut self) -> Accept<'_> {
        Accept { listener: self }
    }

    fn poll_accept(&mut self, cx: &Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let core = self.core.upgrade().ok_or_else(loop_is_gone)?;
        let socket = self.socket;
        let operation = self.operation.get_or_insert_with(|| core.submit(Operation::Accept { socket }));
        let completed = ready!(operation.poll(cx));
        self.operation = None;
        Poll::Ready(match completed {
            Completed::Opened { socket, local, peer } => {
                Ok((TcpStream::opened(&core, socket, local, peer), peer))
            }
            other => Err(unexpected(other)),
        })
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        self.operation = None;
        if let Some(core) = self.core.upgrade() {
            core.close_socket(self.socket);
        }
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener").field("local", &self.local).finish_non_exhaustive()
    }
}

/// An accept on its way. Made by [`TcpListener::accept`].
#[derive(Debug)]
#[must_use = "an accept does nothing until it is awaited"]
pub struct Accept<'a> {
    listener: &'a mut TcpListener,
}

impl Future for Accept<'_> {
    type Output = io::Result<(TcpStream, SocketAddr)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.listener.poll_accept(cx)
    }
}
