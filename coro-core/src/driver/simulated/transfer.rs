//! What happens at the ends of connections: bytes move, and connections open, break and end.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::connection::{Connection, Opening};
use super::host::HostId;
use super::network::Endpoint;
use super::world::{Event, Fault, World};
use crate::driver::{Completed, Completion, Slot, Socket};

/// What happens when something has arrived.
impl World {
    /// A client asks for a connection.
    pub(super) fn knocked(&mut self, there: HostId, client: Socket, address: SocketAddr) {
        let Some(connection) = self.connection(client) else { return };
        let (here, local) = (connection.host, connection.local);
        let found = self.listener_at(there, address);
        let Some(Endpoint::Listener(listener)) = found.and_then(|found| self.sockets.get_mut(&found)) else {
            return self.post(there, here, 0, Event::Refused { client });
        };
        let accepting = listener.accepting.pop_front();
        let server = self.insert(Endpoint::Connection(Connection::new(there, address, client, here)));
        if let Some(client) = self.connection(client) {
            client.peer = server;
        }
        match accepting {
            Some(slot) => {
                self.finish(there, slot, Completed::Opened { socket: server, local: address, peer: local });
            }
            None => {
                if let Some(Endpoint::Listener(listener)) =
                    found.and_then(|found| self.sockets.get_mut(&found))
                {
                    listener.waiting.push_back((server, local));
                }
            }
        }
        self.post(there, here, 0, Event::Welcomed { client, server });
    }

    fn listener_at(&self, host: HostId, address: SocketAddr) -> Option<Socket> {
        let accepts = |socket: &Endpoint| match socket {
            Endpoint::Listener(listener) => {
                listener.host == host
                    && listener.address.port() == address.port()
                    && (listener.address.ip() == address.ip() || listener.address.ip().is_unspecified())
                    && listener.waiting.len() < listener.backlog
            }
            Endpoint::Connection(_) => false,
        };
        self.sockets.iter().find(|(_, socket)| accepts(socket)).map(|(id, _)| *id)
    }

    /// The connection is open, for the client too.
    pub(super) fn welcomed(&mut self, client: Socket) {
        let Some(connection) = self.connection(client) else { return };
        let (host, local) = (connection.host, connection.local);
        let Some(Opening { slot, to, .. }) = self.take_opening(client) else { return };
        self.finish(host, slot, Completed::Opened { socket: client, local, peer: to });
    }

    /// Takes a connect that is over, and what would have given it up.
    pub(super) fn take_opening(&mut self, client: Socket) -> Option<Opening> {
        let opening = self.connection(client)?.opening.take()?;
        let given_up = opening.gives_up.and_then(|gives_up| self.flying.remove(&gives_up));
        if let Some(connection) = self.connection(client).filter(|_| given_up.is_some()) {
            connection.coming -= 1;
        }
        Some(opening)
    }

    /// The connection will not be opened.
    pub(super) fn turned_away(&mut self, client: Socket, why: ErrorKind) {
        let Some(host) = self.connection(client).map(|connection| connection.host) else { return };
        if let Some(Opening { slot, .. }) = self.take_opening(client) {
            self.remove_connection(client);
            self.finish(host, slot, io::Error::from(why).into());
        }
    }

    pub(super) fn arrived(&mut self, to: Socket, bytes: &[u8]) {
        let Some(receiver) = self.connection(to) else { return };
        receiver.flying -= bytes.len();
        receiver.arrived.extend(bytes);
        self.complete_receive(to);
    }

    /// The peer will send no more.
    pub(super) fn ended(&mut self, at: Socket) {
        if let Some(receiver) = self.connection(at) {
            receiver.ended = true;
            self.complete_receive(at);
        }
    }

    /// The peer has closed.
    pub(super) fn deserted(&mut self, at: Socket) {
        self.ended(at);
        if let Some(other) = self.connection(at) {
            other.peer_gone = true;
            self.fail_sends(at, ErrorKind::ConnectionReset);
            self.pump(at);
        }
    }

    /// The connection is over: it was reset, or given up.
    pub(super) fn broken(&mut self, at: Socket, why: ErrorKind) {
        if self.connection(at).is_some_and(|connection| connection.opening.is_some()) {
            return self.turned_away(at, why);
        }
        let Some(connection) = self.connection(at) else { return };
        (connection.failed, connection.peer_gone) = (Some(why), true);
        let (host, receiving) = (connection.host, connection.receiving.take());
        if let Some((slot, _)) = receiving {
            self.finish(host, slot, io::Error::from(why).into());
        }
        self.fail_sends(at, why);
        self.pump(at);
    }

    fn fail_sends(&mut self, at: Socket, why: ErrorKind) {
        let Some(connection) = self.connection(at) else { return };
        let (host, failed) = (connection.host, std::mem::take(&mut connection.sending));
        for (slot, _, _) in failed {
            self.finish(host, slot, io::Error::from(why).into());
        }
    }
}

/// Moving bytes.
impl World {
    /// Moves what has arrived into `buffer`; `None` if there is nothing yet.
    pub(super) fn take_arrived(&mut self, socket: Socket, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        let short = self.short_transfers;
        let connection = self.connection(socket)?;
        if let Some(failed) = connection.failed.filter(|_| connection.arrived.is_empty()) {
            return Some(Err(failed.into()));
        }
        let mut count = connection.available(buffer.len())?;
        if short && count > 1 {
            count -= self.choices.choose(count as u64) as usize;
        }
        self.connection(socket)?.take(buffer, count);
        Some(Ok(count))
    }

    fn complete_receive(&mut self, socket: Socket) {
        let Some(connection) = self.connection(socket) else { return };
        let host = connection.host;
        let Some((slot, mut buffer)) = connection.receiving.take() else { return };
        match self.take_arrived(socket, &mut buffer) {
            Some(Ok(count)) => {
                self.finish(host, slot, Completed::Transferred { buffer, count });
                // Who receives again finds something, and makes room then.
                let emptied = self.connection(socket).filter(|receiver| receiver.arrived.is_empty());
                if let Some(peer) = emptied.map(|receiver| receiver.peer) {
                    self.pump_later(peer);
                }
            }
            Some(Err(error)) => self.finish(host, slot, error.into()),
            None => {
                if let Some(connection) = self.connection(socket) {
                    connection.receiving = Some((slot, buffer));
                }
            }
        }
    }

    /// Sends bytes towards the peer of `from`; gives how many found room.
    pub(super) fn transmit(&mut self, from: Socket, bytes: &[u8]) -> usize {
        let (window, short) = (self.window, self.short_transfers);
        let Some(sender) = self.connection(from) else { return 0 };
        let (to, here, there, unheard) = (sender.peer, sender.host, sender.peer_host, sender.unheard);
        let used = self.connection(to).map(|receiver| receiver.arrived.len() + receiver.flying);
        let mut count = bytes.len().min(window.saturating_sub(used.unwrap_or(unheard)));
        if short && count > 1 {
            count -= self.choices.choose(count as u64) as usize;
        }
        if count == 0 {
            return 0;
        }
        match self.connection(to) {
            Some(receiver) => receiver.flying += count,
            None => {
                if let Some(sender) = self.connection(from) {
                    sender.unheard += count;
                }
            }
        }
        self.post(here, there, count, Event::Bytes { from, to, bytes: bytes[..count].to_vec() });
        count
    }

    /// Lets the sends that wait on `from` go on, after its peer has made room.
    pub(super) fn pump(&mut self, from: Socket) {
        while let Some(sender) = self.connection(from) {
            let host = sender.host;
            let Some((slot, buffer, mut sent)) = sender.sending.pop_front() else { break };
            let moved = self.transmit(from, &buffer[sent..]);
            sent += moved;
            if sent < buffer.len() {
                if let Some(sender) = self.connection(from) {
                    sender.sending.push_front((slot, buffer, sent));
                }
                if moved > 0 && self.short_transfers {
                    self.pump_later(from);
                }
                return;
            }
            self.finish(host, slot, Completed::Transferred { count: sent, buffer });
        }
        let over = self.connection(from).is_some_and(|sender| sender.closed && sender.sending.is_empty());
        if over {
            self.hang_up(from);
        }
    }

    /// Lets the sends that wait on `from` go on, once all that happens now has happened.
    pub(super) fn pump_later(&mut self, from: Socket) {
        if let Some(sender) = self.connection(from).filter(|sender| !sender.sending.is_empty()) {
            let host = sender.host;
            self.schedule(self.now(), host, host, Event::Pump { from });
        }
    }
}

/// Ends.
impl World {
    /// Removes a connection whose owner is done with it.
    pub(super) fn hang_up(&mut self, socket: Socket) {
        let Some(connection) = self.connection(socket) else { return };
        let (peer, here, there) = (connection.peer, connection.host, connection.peer_host);
        // First: the other end may hang up in turn.
        self.remove_connection(socket);
        self.post(here, there, 0, Event::Deserted { to: peer });
    }

    /// Resets a connection: both ends find it broken.
    pub(super) fn reset(&mut self, socket: Socket) {
        if let Some(connection) = self.connection(socket) {
            let (here, there) = (connection.host, connection.peer_host);
            self.note(here, there, Fault::Reset);
        }
        self.tell_peer(socket, |to| Event::Broken { to });
        self.broken(socket, ErrorKind::ConnectionReset);
    }

    /// Sends an event to the other end, behind what was sent before.
    pub(super) fn tell_peer(&mut self, socket: Socket, event: impl FnOnce(Socket) -> Event) {
        let Some(connection) = self.connection(socket) else { return };
        let (peer, here, there) = (connection.peer, connection.host, connection.peer_host);
        self.post(here, there, 0, event(peer));
    }

    pub(super) fn remove_connection(&mut self, socket: Socket) {
        if let Some(Endpoint::Connection(connection)) = self.sockets.remove(&socket)
            && connection.is_client
        {
            self.host_mut(connection.host).ports.remove(&connection.local.port());
        }
    }

    pub(super) fn connection(&mut self, socket: Socket) -> Option<&mut Connection> {
        match self.sockets.get_mut(&socket) {
            Some(Endpoint::Connection(connection)) => Some(connection),
            _ => None,
        }
    }

    pub(super) fn finish(&mut self, host: HostId, slot: Slot, result: Completed) {
        self.host_mut(host).finished.push(Completion { slot, result });
    }
}
