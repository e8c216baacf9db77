//! How the systems differ in making a socket: none of ours blocks, outlives an `exec`, or raises a signal.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{self, AddressFamily};

pub(super) use system::SEND;

/// A connection that was accepted, not registered yet.
pub(super) struct Connection {
    pub(super) fd: OwnedFd,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

pub(super) fn stream_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    Ok(system::stream_socket(family)?)
}

/// The next connection that is still there. One that failed while it waited is no failure of the listener.
pub(super) fn accept(fd: &OwnedFd) -> Result<Connection, Errno> {
    loop {
        match system::accept(fd) {
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

/// One call makes a socket what it should be.
#[cfg(not(target_vendor = "apple"))]
mod system {
    use std::os::fd::OwnedFd;

    use rustix::io::Result;
    use rustix::net::{self, AddressFamily, SendFlags, SocketAddrAny, SocketFlags, SocketType};

    const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);
    pub(in super::super) const SEND: SendFlags = SendFlags::NOSIGNAL;

    pub(super) fn stream_socket(family: AddressFamily) -> Result<OwnedFd> {
        net::socket_with(family, SocketType::STREAM, FLAGS, None)
    }

    pub(super) fn accept(fd: &OwnedFd) -> Result<(OwnedFd, Option<SocketAddrAny>)> {
        net::acceptfrom_with(fd, FLAGS)
    }
}

/// A socket is made what it should be afterwards. A process that is started between the calls inherits it.
#[cfg(target_vendor = "apple")]
mod system {
    use std::os::fd::OwnedFd;

    use rustix::io::{self, FdFlags, Result};
    use rustix::net::{self, AddressFamily, SendFlags, SocketAddrAny, SocketType, sockopt};

    pub(in super::super) const SEND: SendFlags = SendFlags::empty();

    pub(super) fn stream_socket(family: AddressFamily) -> Result<OwnedFd> {
        prepared(net::socket(family, SocketType::STREAM, None)?)
    }

    pub(super) fn accept(fd: &OwnedFd) -> Result<(OwnedFd, Option<SocketAddrAny>)> {
        let (fd, peer) = net::acceptfrom(fd)?;
        Ok((prepared(fd)?, peer))
    }

    fn prepared(fd: OwnedFd) -> Result<OwnedFd> {
        io::fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
        io::ioctl_fionbio(&fd, true)?;
        sockopt::set_socket_nosigpipe(&fd, true)?;
        Ok(fd)
    }
}
