//! A socket, and what waits on it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

use crate::driver::{Completed, Slot};

pub(super) struct Entry {
    pub(super) fd: OwnedFd,
    /// What the last edge said, until a call says otherwise.
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The peer has ended its side or the connection failed: no further edge will come for reading.
    pub(super) hung_up: bool,
    /// Urgent data has been announced at least once.
    pub(super) urgent: bool,
    /// Closed by its owner; kept until its sends are over.
    pub(super) closed: bool,
    /// How often the system was asked to read, write, accept or connect.
    pub(super) transfers: u64,
    /// Accepts and receives, in order.
    pub(super) reading: VecDeque<(Slot, Reading)>,
    /// Connects and sends, in order.
    pub(super) writing: VecDeque<(Slot, Writing)>,
}

pub(super) enum Reading {
    Accept,
    Receive(Vec<u8>),
}

pub(super) enum Writing {
    Connect,
    /// From this byte on.
    Send(Vec<u8>, usize),
}

/// A connection that was accepted, not registered yet.
pub(super) struct Connection {
    pub(super) fd: OwnedFd,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

/// What reading gave: a connection is not registered yet.
pub(super) enum Accepted {
    Connection(Connection),
    Other(Completed),
}

impl Entry {
    /// Ready until a call says otherwise.
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            readable: true,
            writable: true,
            hung_up: false,
            urgent: false,
            closed: false,
            transfers: 0,
            reading: VecDeque::new(),
            writing: VecDeque::new(),
        }
    }

    pub(super) fn try_read(&mut self, reading: Reading) -> Result<Accepted, Reading> {
        if !self.readable {
            return Err(reading);
        }
        self.transfers += 1;
        match reading {
            Reading::Accept => match accept(&self.fd) {
                Ok(connection) => Ok(Accepted::Connection(connection)),
                Err(Errno::AGAIN) => {
                    self.readable = false;
                    Err(Reading::Accept)
                }
                Err(error) => Ok(Accepted::Other(io::Error::from(error).into())),
            },
            Reading::Receive(mut buffer) => {
                let received = rustix::io::retry_on_intr(|| {
                    net::recv(&self.fd, buffer.as_mut_slice(), RecvFlags::empty()).map(|(count, _)| count)
                });
                match received {
                    Ok(count) => {
                        // Less than there was room for: the kernel has no more, and an edge will say when it has.
                        // Not so at the end of the stream, nor at a mark of urgent data, where a read stops short.
                        self.readable = count == buffer.len() || count == 0 || self.hung_up || self.urgent;
                        Ok(Accepted::Other(Completed::Transferred { buffer, count }))
                    }
                    Err(Errno::AGAIN) => {
                        self.readable = false;
                        Err(Reading::Receive(buffer))
                    }
                    Err(error) => Ok(Accepted::Other(io::Error::from(error).into())),
                }
            }
        }
    }

    pub(super) fn try_write(&mut self, writing: Writing) -> Result<Completed, Writing> {
        if !self.writable {
            return Err(writing);
        }
        match writing {
            Writing::Connect => match sockopt::socket_error(&self.fd) {
                Ok(Ok(())) => Ok(Completed::Done),
                Ok(Err(error)) | Err(error) => Ok(io::Error::from(error).into()),
            },
            Writing::Send(buffer, start) => self.send(buffer, start),
        }
    }

    pub(super) fn send(&mut self, buffer: Vec<u8>, mut start: usize) -> Result<Completed, Writing> {
        while start < buffer.len() {
            self.transfers += 1;
            match net::send(&self.fd, &buffer[start..], SendFlags::NOSIGNAL) {
                Ok(count) => start += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.writable = false;
                    return Err(Writing::Send(buffer, start));
                }
                Err(error) => return Ok(io::Error::from(error).into()),
            }
        }
        Ok(Completed::Transferred { count: start, buffer })
    }
}

pub(super) fn stream_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(net::socket_with(family, SocketType::STREAM, flags, None)?)
}

/// The next connection that is still there. One that failed while it waited is no failure of the listener.
fn accept(fd: &OwnedFd) -> Result<Connection, Errno> {
    loop {
        match net::acceptfrom_with(fd, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok((fd, peer)) => {
                let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                if let (Ok(local), Some(peer)) = (local_address(&fd), peer) {
                    return Ok(Connection { fd, local, peer });
                }
            }
            // What accept(2) passes on from a connection that has already failed, as from one given up.
            Err(
                Errno::CONNABORTED
                | Errno::INTR
                | Errno::NETDOWN
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
                | Errno::NETUNREACH,
            ) => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn local_address(fd: &OwnedFd) -> io::Result<SocketAddr> {
    Ok(SocketAddr::try_from(net::getsockname(fd)?)?)
}

pub(super) fn peer_address(fd: &OwnedFd) -> io::Result<SocketAddr> {
    let address = net::getpeername(fd)?.ok_or(Errno::NOTCONN)?;
    Ok(SocketAddr::try_from(address)?)
}
