//! The operations that a driver performs.

use std::io;
use std::net::SocketAddr;

/// Names an operation in flight. Chosen by the loop, never reused while its completion is outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u64);

/// Names a socket that the driver owns. Chosen by the driver, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Socket(pub u64);

/// Something to do. It owns its buffer until it is over.
#[derive(Debug)]
pub enum Operation {
    /// Open a TCP socket that accepts connections at this address; port 0 chooses one.
    Listen {
        /// Where to listen.
        address: SocketAddr,
        /// How many connections may wait to be accepted.
        backlog: u32,
    },
    /// Take the next connection of a listening socket.
    Accept {
        /// The listening socket.
        socket: Socket,
    },
    /// Open a TCP connection to this address.
    Connect {
        /// The peer.
        address: SocketAddr,
    },
    /// Receive into `buffer`, up to its length. Zero bytes received is the end of the stream.
    Receive {
        /// The connection.
        socket: Socket,
        /// Comes back with the result.
        buffer: Vec<u8>,
    },
    /// Send all of `buffer`. It is over when the last byte was taken, or at an error.
    Send {
        /// The connection.
        socket: Socket,
        /// Comes back with the result.
        buffer: Vec<u8>,
    },
    /// Tell the peer that no more will be sent.
    ShutdownWrite {
        /// The connection.
        socket: Socket,
    },
}

impl Operation {
    /// What a task that waits for it waits for.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "a place to listen",
            Self::Accept { .. } => "a connection to accept",
            Self::Connect { .. } => "a connection to open",
            Self::Receive { .. } => "bytes to receive",
            Self::Send { .. } => "bytes to be sent",
            Self::ShutdownWrite { .. } => "the end of what is sent",
        }
    }
}

/// The result of an operation.
#[derive(Debug)]
pub enum Completed {
    /// Of [`Operation::Listen`], [`Operation::Accept`] and [`Operation::Connect`].
    Opened {
        /// The new socket.
        socket: Socket,
        /// Its own address.
        local: SocketAddr,
        /// The other end; of a listening socket, its own address.
        peer: SocketAddr,
    },
    /// Of [`Operation::Receive`] and [`Operation::Send`].
    Transferred {
        /// The buffer of the operation.
        buffer: Vec<u8>,
        /// How many bytes were received, at most the length of the buffer; of a send, that length.
        count: usize,
    },
    /// Of [`Operation::ShutdownWrite`].
    Done,
    /// Of any operation. One that was cancelled before it had an effect fails with
    /// [`ErrorKind::Interrupted`](io::ErrorKind::Interrupted).
    Failed(io::Error),
}

impl Completed {
    pub(crate) fn cancelled() -> Self {
        Self::Failed(io::Error::new(io::ErrorKind::Interrupted, "the operation was cancelled"))
    }
}

impl From<io::Error> for Completed {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The end of an operation that was not over at once.
#[derive(Debug)]
pub struct Completion {
    /// The slot that it was submitted with.
    pub slot: Slot,
    /// What came of it.
    pub result: Completed,
}
