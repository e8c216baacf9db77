//! What a way to look must supply.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;

use super::bell::Bell;
use super::entry::Entry;
use crate::driver::Socket;

/// Some systems refuse to wait for longer. A wait may end early.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks the system what is ready.
pub trait Selector: Sized {
    /// The name of the driver.
    const NAME: &'static str;

    /// Watches the bell, and no socket yet.
    fn new(bell: &Bell) -> io::Result<Self>;

    /// Watches a socket as well, until it is closed.
    fn add(&mut self, socket: Socket, fd: &OwnedFd) -> io::Result<()>;

    /// A descriptor that is readable while a wait would find something, if there is one.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Whether the last wait may have left something, which makes no edge of that descriptor.
    fn left_some(&self) -> bool {
        false
    }

    /// Waits until the bell is rung, something is ready that is waited for, or the time is up.
    ///
    /// It must not say again and again that something is ready for which nothing waits.
    fn wait(
        &mut self,
        timeout: Option<&Timespec>,
        bell: &Bell,
        sockets: &BTreeMap<Socket, Entry>,
        found: &mut Vec<Ready>,
    ) -> rustix::io::Result<()>;
}

/// How long to wait, as the systems have it.
pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.min(LONGEST).as_secs() as i64, tv_nsec: duration.subsec_nanos().into() }
}

/// What a look says of a socket.
#[derive(Debug)]
pub struct Ready {
    pub(super) socket: Socket,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// No further edge will come for reading.
    pub(super) hung_up: bool,
    pub(super) urgent: bool,
}

impl Ready {
    /// Where what is left to read or write is said again at the next look, nothing else need be known.
    pub(super) fn level(socket: Socket, readable: bool, writable: bool) -> Self {
        Self { socket, readable, writable, hung_up: false, urgent: false }
    }
}
