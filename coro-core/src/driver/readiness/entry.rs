//! A socket, and what waits on it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{self, RecvFlags, sockopt};

use super::socket::{Connection, SEND, accept};
use crate::driver::{Completed, Slot};

#[derive(Debug)]
pub struct Entry {
    pub(super) fd: OwnedFd,
    /// What the last look said, until a call says otherwise.
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The peer has ended its side or the connection failed: no further edge will come for reading. Said of edges only.
    pub(super) hung_up: bool,
    /// Urgent data has been announced at least once. Said of edges only.
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

#[derive(Debug)]
pub(super) enum Reading {
    Accept,
    Receive(Vec<u8>),
}

#[derive(Debug)]
pub(super) enum Writing {
    Connect,
    /// From this byte on.
    Send(Vec<u8>, usize),
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

    /// Whether anything is to be waited for.
    pub(super) fn is_waited_for(&self) -> bool {
        !(self.reading.is_empty() && self.writing.is_empty())
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
                        // Less than there was room for: the kernel has no more, and a look will say when it has.
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
            match net::send(&self.fd, &buffer[start..], SEND) {
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
