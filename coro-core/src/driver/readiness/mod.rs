//! The drivers that ask what is ready, with the call tried before anything is waited for.
//!
//! What could not be done at once waits beside its socket until a look says that it can be. How to look is the business
//! of a [`Selector`], a file each.

mod bell;
mod clock;
mod entry;
#[cfg(target_os = "linux")]
mod epoll;
mod poll;
mod select;
mod selector;
mod socket;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{self, Shutdown, sockopt};

use bell::Bell;
use clock::{Clock, System};
use entry::{Accepted, Entry, Reading, Writing};
pub use select::DescriptorTooLarge;
use selector::{Ready, Selector};
use socket::{Connection, local_address, peer_address, stream_socket};

use super::{Completed, Completion, Driver, Notify, Operation, Slot, Socket, SystemCalls, Wait};
use crate::time::Time;

/// A look costs as much as some fifty switches of tasks: with this, a tenth of one each.
const PATIENCE: u32 = 512;

/// Waits with `epoll_pwait2` (Linux 5.11), with deadlines of nanoseconds: the driver of Linux.
///
/// A socket is registered once, edge-triggered, so a look costs the same however many there are. How many there may be
/// is limited by the descriptors of the process only.
///
/// # References
///
/// [epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html)
#[cfg(target_os = "linux")]
pub type Epoll = Readiness<epoll::Edges>;

/// Waits with `poll`, which every Unix has.
///
/// A look costs as much as there are sockets that something waits for: each is named to the kernel again. How many there
/// may be is limited by the descriptors of the process only.
///
/// # References
///
/// [poll(2)](https://man7.org/linux/man-pages/man2/poll.2.html)
pub type Poll = Readiness<poll::List>;

/// Waits with `select`, the oldest of them.
///
/// A look costs as much as there are sockets that something waits for, and as their largest descriptor. Descriptors are
/// below 1,024 (`FD_SETSIZE`): a socket that got a larger one is closed, and the operation that opened it fails with
/// [`DescriptorTooLarge`].
///
/// # References
///
/// [select(2)](https://man7.org/linux/man-pages/man2/select.2.html)
pub type Select = Readiness<select::Sets>;

/// A driver that asks the system what is ready: [`Epoll`], [`Poll`] and [`Select`].
pub struct Readiness<S> {
    selector: S,
    bell: Arc<Bell>,
    clock: Clock,
    sockets: BTreeMap<Socket, Entry>,
    in_flight: BTreeMap<Slot, Socket>,
    last_socket: u64,
    finished: Vec<Completion>,
    found: Vec<Ready>,
    waits: u64,
    /// Those of sockets that are gone, and connects.
    transfers: u64,
}

impl<S: Selector> Readiness<S> {
    /// A driver with nothing in it.
    ///
    /// # Errors
    ///
    /// If the process or the system has no descriptor left; of [`Select`] also [`DescriptorTooLarge`].
    pub fn new() -> io::Result<Self> {
        let bell = Bell::new()?;
        Ok(Self {
            selector: S::new(&bell)?,
            bell: Arc::new(bell),
            clock: Clock::new(System::new()),
            sockets: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            last_socket: 0,
            finished: Vec::new(),
            found: Vec::new(),
            waits: 0,
            transfers: 0,
        })
    }

    fn add(&mut self, fd: OwnedFd) -> io::Result<Socket> {
        self.last_socket += 1;
        let socket = Socket(self.last_socket);
        self.selector.add(socket, &fd)?;
        self.sockets.insert(socket, Entry::new(fd));
        Ok(socket)
    }

    fn opened(&mut self, socket: Socket) -> Completed {
        let Some(entry) = self.sockets.get(&socket) else { return wrong_socket() };
        let addresses = local_address(&entry.fd).and_then(|local| Ok((local, peer_address(&entry.fd)?)));
        match addresses {
            Ok((local, peer)) => Completed::Opened { socket, local, peer },
            Err(error) => {
                self.forget(socket);
                error.into()
            }
        }
    }

    fn listen(&mut self, address: SocketAddr, backlog: u32) -> io::Result<Completed> {
        let fd = stream_socket(address)?;
        sockopt::set_socket_reuseaddr(&fd, true)?;
        net::bind(&fd, &address)?;
        net::listen(&fd, i32::try_from(backlog).unwrap_or(i32::MAX))?;
        let local = local_address(&fd)?;
        let socket = self.add(fd)?;
        Ok(Completed::Opened { socket, local, peer: local })
    }

    fn connect(&mut self, slot: Slot, address: SocketAddr) -> io::Result<Option<Completed>> {
        let fd = stream_socket(address)?;
        sockopt::set_tcp_nodelay(&fd, true)?;
        self.transfers += 1;
        let connected = match net::connect(&fd, &address) {
            Ok(()) => true,
            Err(Errno::INPROGRESS) => false,
            Err(error) => return Err(error.into()),
        };
        let socket = self.add(fd)?;
        if connected {
            return Ok(Some(self.opened(socket)));
        }
        if let Some(entry) = self.sockets.get_mut(&socket) {
            entry.writable = false;
            entry.writing.push_back((slot, Writing::Connect));
        }
        self.in_flight.insert(slot, socket);
        Ok(None)
    }

    fn read(&mut self, slot: Slot, socket: Socket, reading: Reading) -> Option<Completed> {
        let Some(entry) = self.sockets.get_mut(&socket) else { return Some(wrong_socket()) };
        let accepting = matches!(reading, Reading::Accept);
        let waiting = if entry.reading.is_empty() { entry.try_read(reading) } else { Err(reading) };
        match waiting {
            Ok(result) => match self.adopt(result) {
                // Out of descriptors, say. Not at once: whoever tries again must not keep those from running who
                // could give some back.
                failed @ Completed::Failed(_) if accepting => {
                    self.finish(slot, failed);
                    None
                }
                completed => Some(completed),
            },
            Err(reading) => {
                entry.reading.push_back((slot, reading));
                self.in_flight.insert(slot, socket);
                None
            }
        }
    }

    fn write(&mut self, slot: Slot, socket: Socket, writing: Writing) -> Option<Completed> {
        let Some(entry) = self.sockets.get_mut(&socket) else { return Some(wrong_socket()) };
        let waiting = if entry.writing.is_empty() { entry.try_write(writing) } else { Err(writing) };
        match waiting {
            Ok(result) => Some(result),
            Err(writing) => {
                entry.writing.push_back((slot, writing));
                self.in_flight.insert(slot, socket);
                None
            }
        }
    }

    /// Registers a descriptor that an accept brought.
    fn adopt(&mut self, result: Accepted) -> Completed {
        match result {
            Accepted::Other(completed) => completed,
            Accepted::Connection(Connection { fd, local, peer }) => {
                let added = sockopt::set_tcp_nodelay(&fd, true).map_err(io::Error::from);
                match added.and_then(|()| self.add(fd)) {
                    Ok(socket) => Completed::Opened { socket, local, peer },
                    Err(error) => error.into(),
                }
            }
        }
    }

    /// Goes on with what waits on a socket that is ready.
    fn advance(&mut self, socket: Socket) {
        while let Some(entry) = self.sockets.get_mut(&socket) {
            let Some((slot, reading)) = entry.reading.pop_front() else { break };
            match entry.try_read(reading) {
                Ok(result) => {
                    let result = self.adopt(result);
                    self.finish(slot, result);
                }
                Err(reading) => {
                    entry.reading.push_front((slot, reading));
                    break;
                }
            }
        }
        while let Some(entry) = self.sockets.get_mut(&socket) {
            let Some((slot, writing)) = entry.writing.pop_front() else { break };
            let connecting = matches!(writing, Writing::Connect);
            match entry.try_write(writing) {
                Ok(Completed::Done) if connecting => {
                    let result = self.opened(socket);
                    self.finish(slot, result);
                }
                Ok(result) => {
                    if connecting {
                        self.forget(socket);
                    }
                    self.finish(slot, result);
                }
                Err(writing) => {
                    entry.writing.push_front((slot, writing));
                    break;
                }
            }
        }
        self.reap(socket);
    }

    fn finish(&mut self, slot: Slot, result: Completed) {
        self.in_flight.remove(&slot);
        self.finished.push(Completion { slot, result });
    }

    /// Closes a socket.
    fn forget(&mut self, socket: Socket) {
        if let Some(entry) = self.sockets.remove(&socket) {
            self.transfers += entry.transfers;
        }
    }

    /// Lets go of a closed socket once nothing is left to send.
    fn reap(&mut self, socket: Socket) {
        let over = self.sockets.get(&socket).is_some_and(|entry| entry.closed && entry.writing.is_empty());
        if over {
            self.forget(socket);
        }
    }

    fn handle(&mut self, ready: &Ready) {
        // It may follow its socket's end within one look; numbers are never reused, so it finds nobody.
        let Some(entry) = self.sockets.get_mut(&ready.socket) else { return };
        entry.hung_up |= ready.hung_up;
        entry.urgent |= ready.urgent;
        entry.readable |= ready.readable;
        entry.writable |= ready.writable;
        self.advance(ready.socket);
    }

    fn look(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(selector::timespec);
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        self.waits += 1;
        match self.selector.wait(timeout.as_ref(), &self.bell, &self.sockets, &mut found) {
            // A signal: the loop looks around and waits again.
            Ok(()) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for ready in &found {
            self.handle(ready);
        }
        self.found = found;
        Ok(())
    }
}

fn wrong_socket() -> Completed {
    io::Error::new(ErrorKind::InvalidInput, "no such socket").into()
}

impl<S: Selector> Driver for Readiness<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        match operation {
            Operation::Listen { address, backlog } => {
                Some(self.listen(address, backlog).unwrap_or_else(Completed::Failed))
            }
            Operation::Accept { socket } => self.read(slot, socket, Reading::Accept),
            Operation::Connect { address } => {
                self.connect(slot, address).unwrap_or_else(|error| Some(error.into()))
            }
            Operation::Receive { socket, buffer } => self.read(slot, socket, Reading::Receive(buffer)),
            Operation::Send { socket, buffer } => self.write(slot, socket, Writing::Send(buffer, 0)),
            Operation::ShutdownWrite { socket } => Some(match self.sockets.get(&socket) {
                None => wrong_socket(),
                Some(entry) => match net::shutdown(&entry.fd, Shutdown::Write) {
                    Ok(()) | Err(Errno::NOTCONN) => Completed::Done,
                    Err(error) => io::Error::from(error).into(),
                },
            }),
        }
    }

    fn cancel(&mut self, slot: Slot) {
        let Some(socket) = self.in_flight.get(&slot).copied() else { return };
        if let Some(entry) = self.sockets.get_mut(&socket) {
            entry.reading.retain(|(waiting, _)| *waiting != slot);
            let connecting =
                entry.writing.iter().any(|(waiting, w)| *waiting == slot && matches!(w, Writing::Connect));
            entry.writing.retain(|(waiting, _)| *waiting != slot);
            entry.closed |= connecting;
        }
        self.finish(slot, Completed::cancelled());
        self.reap(socket);
    }

    fn close(&mut self, socket: Socket) {
        let Some(entry) = self.sockets.get_mut(&socket) else { return };
        entry.closed = true;
        let unread = std::mem::take(&mut entry.reading);
        for (slot, _) in unread {
            self.finish(slot, Completed::cancelled());
        }
        self.reap(socket);
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        let timeout = match wait {
            _ if !self.finished.is_empty() => Some(Duration::ZERO),
            Wait::Poll => Some(Duration::ZERO),
            Wait::Until(deadline) => Some(deadline.since(self.now())),
            Wait::Forever => None,
        };
        let waited = self.look(timeout);
        self.clock.look();
        waited?;
        completions.append(&mut self.finished);
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.selector.left_some() || !self.finished.is_empty()
    }

    fn pollable(&self) -> Option<BorrowedFd<'_>> {
        self.selector.descriptor()
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        Arc::clone(&self.bell) as Arc<dyn Notify>
    }

    fn block_for(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn patience(&self) -> u32 {
        PATIENCE
    }

    fn system_calls(&self) -> SystemCalls {
        let live: u64 = self.sockets.values().map(|entry| entry.transfers).sum();
        SystemCalls { waits: self.waits, transfers: self.transfers + live, notifications: self.bell.rung() }
    }
}

impl<S: Selector> fmt::Debug for Readiness<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("selector", &S::NAME)
            .field("sockets", &self.sockets.len())
            .field("in_flight", &self.in_flight.len())
            .finish_non_exhaustive()
    }
}
