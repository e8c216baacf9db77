//! A world of its own: a clock that jumps, and a network in memory.

mod bell;
mod connection;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bell::Bell;
use connection::Connection;

use super::{Completed, Completion, Driver, Notify, Operation, Slot, Socket, Wait};
use crate::time::Time;

/// How many bytes a connection holds in each direction before the sender waits.
const PIPE_BYTES: usize = 64 * 1024;
/// The first port given out for port 0, as by Linux.
const FIRST_EPHEMERAL_PORT: u16 = 32_768;

/// Runs a program in virtual time, without the kernel.
///
/// When nothing is ready, the clock jumps to the next deadline: an hour of sleeps takes microseconds, and reads as
/// exactly an hour. TCP sockets connect programs within this one driver. The same program does the same every
/// time.
#[derive(Debug, Default)]
pub struct Simulated {
    now: Time,
    notifier: Arc<Bell>,
    sockets: BTreeMap<Socket, Endpoint>,
    last_socket: u64,
    last_port: u16,
    /// Of listeners, and of the clients' ends of connections.
    ports: HashSet<u16>,
    finished: Vec<Completion>,
}

#[derive(Debug)]
enum Endpoint {
    Listener(Listener),
    Connection(Connection),
}

#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    backlog: usize,
    /// Connections that nobody has accepted yet: the server's end, and the client's address.
    waiting: VecDeque<(Socket, SocketAddr)>,
    accepting: VecDeque<Slot>,
}

impl Simulated {
    /// A world in which nothing has happened; its clock reads zero.
    pub fn new() -> Self {
        Self::default()
    }

    fn new_socket(&mut self) -> Socket {
        self.last_socket += 1;
        Socket(self.last_socket)
    }

    fn free_port(&mut self) -> io::Result<u16> {
        for _ in FIRST_EPHEMERAL_PORT..=u16::MAX {
            self.last_port = self.last_port.checked_add(1).unwrap_or(0).max(FIRST_EPHEMERAL_PORT);
            if self.ports.insert(self.last_port) {
                return Ok(self.last_port);
            }
        }
        Err(ErrorKind::AddrNotAvailable.into())
    }

    fn listen(&mut self, mut address: SocketAddr, backlog: u32) -> io::Result<Completed> {
        let taken = |socket: &Endpoint| matches!(socket, Endpoint::Listener(l) if l.address == address);
        if address.port() == 0 {
            address.set_port(self.free_port()?);
        } else if self.sockets.values().any(taken) {
            return Err(ErrorKind::AddrInUse.into());
        } else {
            self.ports.insert(address.port());
        }
        let socket = self.new_socket();
        let backlog = usize::try_from(backlog).unwrap_or(usize::MAX).max(1);
        let listener = Listener { address, backlog, waiting: VecDeque::new(), accepting: VecDeque::new() };
        self.sockets.insert(socket, Endpoint::Listener(listener));
        Ok(Completed::Opened { socket, local: address, peer: address })
    }

    fn connect(&mut self, address: SocketAddr) -> io::Result<Completed> {
        let accepts = |socket: &Endpoint| match socket {
            Endpoint::Listener(listener) => {
                listener.address.port() == address.port()
                    && (listener.address.ip() == address.ip() || listener.address.ip().is_unspecified())
                    && listener.waiting.len() < listener.backlog
            }
            Endpoint::Connection(_) => false,
        };
        let found = self.sockets.iter().find(|(_, socket)| accepts(socket)).map(|(id, _)| *id);
        let Some(listener) = found else {
            return Err(ErrorKind::ConnectionRefused.into());
        };
        let local = SocketAddr::new(address.ip(), self.free_port()?);
        let (client, server) = (self.new_socket(), self.new_socket());
        self.sockets.insert(client, Endpoint::Connection(Connection::new(server, local, true)));
        self.sockets.insert(server, Endpoint::Connection(Connection::new(client, address, false)));
        if let Some(Endpoint::Listener(listener)) = self.sockets.get_mut(&listener) {
            match listener.accepting.pop_front() {
                Some(slot) => {
                    let result = Completed::Opened { socket: server, local: address, peer: local };
                    self.finished.push(Completion { slot, result });
                }
                None => listener.waiting.push_back((server, local)),
            }
        }
        Ok(Completed::Opened { socket: client, local, peer: address })
    }

    fn accept(&mut self, slot: Slot, socket: Socket) -> Option<Completed> {
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

    fn receive(&mut self, slot: Slot, socket: Socket, mut buffer: Vec<u8>) -> Option<Completed> {
        let Some(connection) = self.connection(socket) else { return Some(wrong_socket()) };
        match connection.take_arrived(&mut buffer) {
            Some(count) => {
                let peer = connection.peer;
                self.pump(peer);
                Some(Completed::Transferred { buffer, count })
            }
            None if connection.receiving.is_some() => {
                Some(io::Error::other("two receives at once on one socket").into())
            }
            None => {
                connection.receiving = Some((slot, buffer));
                None
            }
        }
    }

    fn send(&mut self, slot: Slot, socket: Socket, buffer: Vec<u8>) -> Option<Completed> {
        let Some(connection) = self.connection(socket) else { return Some(wrong_socket()) };
        if connection.peer_gone || connection.write_ended {
            return Some(io::Error::from(ErrorKind::BrokenPipe).into());
        }
        let (first, peer) = (connection.sending.is_empty(), connection.peer);
        let sent = if first { self.deliver(peer, &buffer) } else { 0 };
        if first && sent == buffer.len() {
            return Some(Completed::Transferred { count: sent, buffer });
        }
        self.connection(socket)?.sending.push_back((slot, buffer, sent));
        None
    }

    /// Puts bytes into the pipe towards `to`; gives how many found room.
    fn deliver(&mut self, to: Socket, bytes: &[u8]) -> usize {
        let Some(receiver) = self.connection(to) else { return bytes.len() };
        let count = bytes.len().min(PIPE_BYTES - receiver.arrived.len());
        receiver.arrived.extend(&bytes[..count]);
        let completion = receiver.complete_receive();
        self.finished.extend(completion);
        count
    }

    /// Lets the sends that wait on `from` go on, after its peer has made room.
    fn pump(&mut self, from: Socket) {
        while let Some(sender) = self.connection(from) {
            let peer = sender.peer;
            let Some((slot, buffer, mut sent)) = sender.sending.pop_front() else { break };
            sent += self.deliver(peer, &buffer[sent..]);
            if sent < buffer.len() {
                if let Some(sender) = self.connection(from) {
                    sender.sending.push_front((slot, buffer, sent));
                }
                return;
            }
            self.finished.push(Completion { slot, result: Completed::Transferred { count: sent, buffer } });
        }
        let over = self.connection(from).is_some_and(|sender| sender.closed && sender.sending.is_empty());
        if over {
            self.hang_up(from);
        }
    }

    fn shutdown_write(&mut self, socket: Socket) -> Completed {
        let Some(connection) = self.connection(socket) else { return wrong_socket() };
        connection.write_ended = true;
        let peer = connection.peer;
        self.end_stream(peer);
        Completed::Done
    }

    fn end_stream(&mut self, at: Socket) {
        if let Some(receiver) = self.connection(at) {
            receiver.ended = true;
            let completion = receiver.complete_receive();
            self.finished.extend(completion);
        }
    }

    /// Removes a connection whose owner is done with it.
    fn hang_up(&mut self, socket: Socket) {
        let Some(Endpoint::Connection(connection)) = self.sockets.remove(&socket) else { return };
        if connection.is_client {
            self.ports.remove(&connection.local.port());
        }
        let peer = connection.peer;
        self.end_stream(peer);
        if let Some(other) = self.connection(peer) {
            other.peer_gone = true;
            let failed = std::mem::take(&mut other.sending);
            self.finished.extend(failed.into_iter().map(|(slot, _, _)| Completion {
                slot,
                result: io::Error::from(ErrorKind::ConnectionReset).into(),
            }));
            self.pump(peer);
        }
    }

    fn connection(&mut self, socket: Socket) -> Option<&mut Connection> {
        match self.sockets.get_mut(&socket) {
            Some(Endpoint::Connection(connection)) => Some(connection),
            _ => None,
        }
    }
}

fn wrong_socket() -> Completed {
    io::Error::new(ErrorKind::InvalidInput, "no such socket, or not of this kind").into()
}

impl Driver for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn now(&self) -> Time {
        self.now
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        match operation {
            Operation::Listen { address, backlog } => {
                Some(self.listen(address, backlog).unwrap_or_else(Completed::Failed))
            }
            Operation::Accept { socket } => self.accept(slot, socket),
            Operation::Connect { address } => Some(self.connect(address).unwrap_or_else(Completed::Failed)),
            Operation::Receive { socket, buffer } => self.receive(slot, socket, buffer),
            Operation::Send { socket, buffer } => self.send(slot, socket, buffer),
            Operation::ShutdownWrite { socket } => Some(self.shutdown_write(socket)),
        }
    }

    fn cancel(&mut self, slot: Slot) {
        let cancelled = self.sockets.values_mut().any(|socket| match socket {
            Endpoint::Listener(listener) => {
                let before = listener.accepting.len();
                listener.accepting.retain(|waiting| *waiting != slot);
                listener.accepting.len() < before
            }
            Endpoint::Connection(connection) => {
                let before = connection.sending.len();
                connection.sending.retain(|(waiting, _, _)| *waiting != slot);
                connection.receiving.take_if(|(waiting, _)| *waiting == slot).is_some()
                    || connection.sending.len() < before
            }
        });
        if cancelled {
            self.finished.push(Completion { slot, result: Completed::cancelled() });
        }
    }

    fn close(&mut self, socket: Socket) {
        match self.sockets.get_mut(&socket) {
            Some(Endpoint::Listener(listener)) => {
                let accepting = std::mem::take(&mut listener.accepting);
                let waiting = std::mem::take(&mut listener.waiting);
                self.ports.remove(&listener.address.port());
                self.sockets.remove(&socket);
                self.finished.extend(
                    accepting.into_iter().map(|slot| Completion { slot, result: Completed::cancelled() }),
                );
                for (unaccepted, _) in waiting {
                    self.hang_up(unaccepted);
                }
            }
            Some(Endpoint::Connection(connection)) => {
                connection.closed = true;
                if let Some((slot, _)) = connection.receiving.take() {
                    self.finished.push(Completion { slot, result: Completed::cancelled() });
                }
                if connection.sending.is_empty() {
                    self.hang_up(socket);
                }
            }
            None => {}
        }
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        if self.finished.is_empty() {
            match wait {
                Wait::Poll => {}
                Wait::Until(deadline) => self.now = self.now.max(deadline),
                Wait::Forever => self.notifier.listen(),
            }
        }
        completions.append(&mut self.finished);
        Ok(())
    }

    fn waited(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.wait(if wait == Wait::Forever { Wait::Poll } else { wait }, completions)
    }

    fn has_more(&self) -> bool {
        !self.finished.is_empty()
    }

    fn time_until(&self, _deadline: Time) -> Duration {
        Duration::ZERO
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        Arc::clone(&self.notifier) as Arc<dyn Notify>
    }

    fn block_for(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    fn is_closed_world(&self) -> bool {
        true
    }
}
