//! A socket with what is in flight on it, as the kernel has it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use coro_core::driver::{Completed, Slot};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, sockopt};

/// Owns its descriptor, and the buffers of the operations on it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) descriptor: OwnedFd,
    /// In the order of their submission, as are the others.
    pub(crate) inbound: VecDeque<(Slot, Inbound)>,
    pub(crate) outbound: VecDeque<(Slot, Outbound)>,
    /// Its owner has closed it: it goes when nothing is in flight.
    pub(crate) closing: bool,
}

#[derive(Debug)]
pub(crate) enum Inbound {
    Accept,
    Receive(Vec<u8>),
}

#[derive(Debug)]
pub(crate) enum Outbound {
    Connect,
    /// From this byte on.
    Send(Vec<u8>, usize),
    Shutdown,
}

/// What came of a try.
pub(crate) enum Tried {
    /// It is over, and a buffer is left.
    Over(Completed, Option<Vec<u8>>),
    Accepted(OwnedFd),
    Connected,
}

impl Inbound {
    /// What is left of an operation that is cancelled.
    pub(crate) fn into_buffer(self) -> Option<Vec<u8>> {
        match self {
            Self::Accept => None,
            Self::Receive(buffer) => Some(buffer),
        }
    }

    /// Does it, or gives it back if it would block.
    pub(crate) fn attempt(self, descriptor: &OwnedFd) -> Result<Tried, Self> {
        match self {
            Self::Accept => loop {
                match net::accept_with(descriptor, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                    Ok(accepted) => return Ok(Tried::Accepted(accepted)),
                    // One that went away while it waited is no failure of the listener.
                    Err(Errno::INTR | Errno::CONNABORTED) => {}
                    Err(Errno::AGAIN) => return Err(self),
                    Err(error) => return Ok(failed(error, None)),
                }
            },
            Self::Receive(mut buffer) => {
                let receive = || net::recv(descriptor, buffer.as_mut_slice(), RecvFlags::empty());
                match retry_on_intr(receive).map(|(count, _)| count) {
                    Ok(count) => Ok(Tried::Over(Completed::Transferred { buffer, count }, None)),
                    Err(Errno::AGAIN) => Err(Self::Receive(buffer)),
                    Err(error) => Ok(failed(error, Some(buffer))),
                }
            }
        }
    }
}

impl Outbound {
    /// What is left of an operation that is cancelled.
    pub(crate) fn into_buffer(self) -> Option<Vec<u8>> {
        match self {
            Self::Connect | Self::Shutdown => None,
            Self::Send(buffer, _) => Some(buffer),
        }
    }

    /// Does it, or gives back what is left of it if it would block.
    pub(crate) fn attempt(self, descriptor: &OwnedFd) -> Result<Tried, Self> {
        match self {
            Self::Connect => match sockopt::socket_error(descriptor) {
                // Readable only once it is connected: it has a peer.
                Ok(Ok(())) if net::getpeername(descriptor).is_ok() => Ok(Tried::Connected),
                Ok(Ok(())) => Err(Self::Connect),
                Ok(Err(error)) | Err(error) => Ok(failed(error, None)),
            },
            Self::Send(buffer, mut sent) => {
                while sent < buffer.len() {
                    match net::send(descriptor, &buffer[sent..], SendFlags::NOSIGNAL) {
                        Ok(count) => sent += count,
                        Err(Errno::INTR) => {}
                        Err(Errno::AGAIN) => return Err(Self::Send(buffer, sent)),
                        Err(error) => return Ok(failed(error, Some(buffer))),
                    }
                }
                Ok(Tried::Over(Completed::Transferred { buffer, count: sent }, None))
            }
            Self::Shutdown => Ok(match net::shutdown(descriptor, Shutdown::Write) {
                Ok(()) | Err(Errno::NOTCONN) => Tried::Over(Completed::Done, None),
                Err(error) => failed(error, None),
            }),
        }
    }
}

fn failed(error: Errno, buffer: Option<Vec<u8>>) -> Tried {
    Tried::Over(io::Error::from(error).into(), buffer)
}

impl Endpoint {
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        Self { descriptor, inbound: VecDeque::new(), outbound: VecDeque::new(), closing: false }
    }

    /// Its own address and the peer's.
    pub(crate) fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        let peer = net::getpeername(&self.descriptor)?.ok_or(Errno::NOTCONN)?;
        Ok((local_address(&self.descriptor)?, peer.try_into()?))
    }
}

fn local_address(descriptor: &OwnedFd) -> io::Result<SocketAddr> {
    Ok(net::getsockname(descriptor)?.try_into()?)
}

fn socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(net::socket_with(family, SocketType::STREAM, flags, None)?)
}

/// A listening socket, and its address.
pub(crate) fn listen(address: SocketAddr, backlog: u32) -> io::Result<(OwnedFd, SocketAddr)> {
    let descriptor = socket(address)?;
    sockopt::set_socket_reuseaddr(&descriptor, true)?;
    net::bind(&descriptor, &address)?;
    net::listen(&descriptor, i32::try_from(backlog).unwrap_or(i32::MAX))?;
    let local = local_address(&descriptor)?;
    Ok((descriptor, local))
}

/// A socket that is being connected.
pub(crate) fn connect(address: SocketAddr) -> io::Result<OwnedFd> {
    let descriptor = socket(address)?;
    match net::connect(&descriptor, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(descriptor),
        Err(error) => Err(error.into()),
    }
}

/// What is written goes out at once.
pub(crate) fn set_no_delay(descriptor: &OwnedFd) -> io::Result<()> {
    Ok(sockopt::set_tcp_nodelay(descriptor, true)?)
}
