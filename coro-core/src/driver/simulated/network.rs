//! TCP in memory, as its ends see it.
//!
//! What one end sends becomes an [`Event`] at the other, at once or when it has travelled. Those of a connection stay
//! in order.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::connection::{Connection, Opening};
use super::host::HostId;
use super::world::{Event, Fault, World};
use crate::driver::{Completed, Slot, Socket};

#[derive(Debug)]
pub(super) enum Endpoint {
    Listener(Listener),
    Connection(Connection),
}

impl Endpoint {
    pub(super) fn host(&self) -> HostId {
        match self {
            Self::Listener(listener) => listener.host,
            Self::Connection(connection) => connection.host,
        }
    }
}

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) host: HostId,
    pub(super) address: SocketAddr,
    pub(super) backlog: usize,
    /// Connections that nobody has accepted yet: the server's end, and the client's address.
    pub(super) waiting: VecDeque<(Socket, SocketAddr)>,
    pub(super) accepting: VecDeque<Slot>,
}

/// What a loop asks for.
impl World {
    pub(super) fn listen(
        &mut self,
        host: HostId,
        mut address: SocketAddr,
        backlog: u32,
    ) -> io::Result<Completed> {
        if !self.has_address(host, address.ip()) {
            return Err(ErrorKind::AddrNotAvailable.into());
        }
        let taken = |socket: &Endpoint| matches!(socket, Endpoint::Listener(l) if l.host == host && l.address == address);
        if address.port() == 0 {
            address.set_port(self.host_mut(host).free_port()?);
        } else if self.sockets.values().any(taken) {
            return Err(ErrorKind::AddrInUse.into());
        } else {
            self.host_mut(host).ports.insert(address.port());
        }
        let backlog = usize::try_from(backlog).unwrap_or(usize::MAX).max(1);
        let (waiting, accepting) = (VecDeque::new(), VecDeque::new());
        let listener = Listener { host, address, backlog, waiting, accepting };
        let socket = self.insert(Endpoint::Listener(listener));
        Ok(Completed::Opened { socket, local: address, peer: address })
    }

    pub(super) fn accept(&mut self, slot: Slot, socket: Socket) -> Option<Completed> {
        let Some(Endpoint::Listener(listener)) = self.sockets.get_mut(&socket) else {
            return Some(wrong_socket());
        };
        match listener.waiting.pop_front() {
            Some((socket, peer)) => Some(Completed::Opened { socket, local: listener.address, peer }),
            None => {
                listener.accepting.push_back(slot);
                None
            }
        }
    }

    pub(super) fn connect(
        &mut self,
        host: HostId,
        slot: Slot,
        address: SocketAddr,
    ) -> io::Result<Option<Completed>> {
        let there = self.host_at(host, address.ip()).ok_or(ErrorKind::HostUnreachable)?;
        let refused = self.links.get(host, there).refused;
        if self.choices.happens(refused) {
            self.note(host, there, Fault::Refused);
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let ip = self.source_address(host, address.ip());
        let local = SocketAddr::new(ip, self.host_mut(host).free_port()?);
        let mut client = Connection::new(host, local, Socket(0), there);
        client.is_client = true;
        client.opening = Some(Opening { slot, to: address, gives_up: None });
        let client = self.insert(Endpoint::Connection(client));
        self.post(host, there, 0, Event::Knock { client, address });
        // At once, if nothing is between the two: then the answer is the result.
        let position = self.host_mut(host).finished.iter().position(|completion| completion.slot == slot);
        match position {
            Some(position) => Ok(Some(self.host_mut(host).finished.remove(position).result)),
            None => {
                let at = self.now() + self.patience;
                let gives_up = self.schedule(at, host, host, Event::GiveUpConnect { client });
                if let Some(Connection { opening: Some(opening), .. }) = self.connection(client) {
                    opening.gives_up = Some(gives_up);
                }
                Ok(None)
            }
        }
    }

    pub(super) fn receive(&mut self, slot: Slot, socket: Socket, mut buffer: Vec<u8>) -> Option<Completed> {
        let Some(connection) = self.connection(socket) else { return Some(wrong_socket()) };
        if connection.receiving.is_some() {
            return Some(io::Error::other("two receives at once on one socket").into());
        }
        match self.take_arrived(socket, &mut buffer) {
            Some(Ok(count)) => {
                let peer = self.connection(socket)?.peer;
                self.pump(peer);
                Some(Completed::Transferred { buffer, count })
            }
            Some(Err(error)) => Some(error.into()),
            None => {
                self.connection(socket)?.receiving = Some((slot, buffer));
                None
            }
        }
    }

    pub(super) fn send(&mut self, slot: Slot, socket: Socket, buffer: Vec<u8>) -> Option<Completed> {
        let Some(connection) = self.connection(socket) else { return Some(wrong_socket()) };
        let (first, ways) = (connection.sending.is_empty(), (connection.host, connection.peer_host));
        if let Some(failed) = connection.failed {
            return Some(io::Error::from(failed).into());
        }
        if connection.peer_gone || connection.write_ended {
            return Some(io::Error::from(ErrorKind::BrokenPipe).into());
        }
        let reset = self.links.get(ways.0, ways.1).reset;
        if self.choices.happens(reset) {
            self.reset(socket);
            return Some(io::Error::from(ErrorKind::ConnectionReset).into());
        }
        let sent = if first { self.transmit(socket, &buffer) } else { 0 };
        if first && sent == buffer.len() {
            return Some(Completed::Transferred { count: sent, buffer });
        }
        self.connection(socket)?.sending.push_back((slot, buffer, sent));
        if sent > 0 && self.short_transfers {
            self.pump_later(socket);
        }
        None
    }

    pub(super) fn shutdown_write(&mut self, socket: Socket) -> Completed {
        let Some(connection) = self.connection(socket) else { return wrong_socket() };
        if !std::mem::replace(&mut connection.write_ended, true) {
            self.tell_peer(socket, |to| Event::End { to });
        }
        Completed::Done
    }

    pub(super) fn cancel(&mut self, host: HostId, slot: Slot) {
        if self.cancel_job(host, slot) {
            return;
        }
        let mut opening = None;
        let cancelled =
            self.sockets.iter_mut().filter(|(_, socket)| socket.host() == host).any(|(id, socket)| {
                match socket {
                    Endpoint::Listener(listener) => {
                        let before = listener.accepting.len();
                        listener.accepting.retain(|waiting| *waiting != slot);
                        listener.accepting.len() < before
                    }
                    Endpoint::Connection(connection) => {
                        if connection.opening.as_ref().is_some_and(|opening| opening.slot == slot) {
                            opening = Some(*id);
                            return true;
                        }
                        let before = connection.sending.len();
                        connection.sending.retain(|(waiting, _, _)| *waiting != slot);
                        connection.receiving.take_if(|(waiting, _)| *waiting == slot).is_some()
                            || connection.sending.len() < before
                    }
                }
            });
        if let Some(client) = opening {
            self.take_opening(client);
            self.remove_connection(client);
        }
        if cancelled {
            self.finish(host, slot, Completed::cancelled());
        }
    }

    pub(super) fn close(&mut self, socket: Socket) {
        match self.sockets.get_mut(&socket) {
            Some(Endpoint::Listener(listener)) => {
                let (host, address) = (listener.host, listener.address);
                let accepting = std::mem::take(&mut listener.accepting);
                let waiting = std::mem::take(&mut listener.waiting);
                self.sockets.remove(&socket);
                self.host_mut(host).ports.remove(&address.port());
                for slot in accepting {
                    self.finish(host, slot, Completed::cancelled());
                }
                for (unaccepted, _) in waiting {
                    self.hang_up(unaccepted);
                }
            }
            Some(Endpoint::Connection(connection)) => {
                connection.closed = true;
                let (host, receiving) = (connection.host, connection.receiving.take());
                let over = connection.sending.is_empty();
                if let Some((slot, _)) = receiving {
                    self.finish(host, slot, Completed::cancelled());
                }
                if over {
                    self.hang_up(socket);
                }
            }
            None => {}
        }
    }
}

pub(super) fn wrong_socket() -> Completed {
    io::Error::new(ErrorKind::InvalidInput, "no such socket, or not of this kind").into()
}
