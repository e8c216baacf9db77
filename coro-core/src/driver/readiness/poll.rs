//! Levels: a list of all that something waits for is made for each look.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Result;

use super::bell::Bell;
use super::entry::Entry;
use super::selector::{Ready, Selector};
use crate::driver::Socket;

/// Nothing is kept from one look to the next.
#[derive(Debug)]
pub struct List;

impl Selector for List {
    const NAME: &'static str = "poll";

    fn new(_: &Bell) -> std::io::Result<Self> {
        Ok(Self)
    }

    fn add(&mut self, _: Socket, _: &OwnedFd) -> std::io::Result<()> {
        Ok(())
    }

    fn wait(
        &mut self,
        timeout: Option<&Timespec>,
        bell: &Bell,
        sockets: &BTreeMap<Socket, Entry>,
        found: &mut Vec<Ready>,
    ) -> Result<()> {
        let bell_fd = bell.fd();
        let mut fds = Vec::with_capacity(1 + sockets.len());
        fds.push(PollFd::new(&bell_fd, PollFlags::IN));
        // What nothing waits for is left out: the end of a connection would be reported even if it was not asked for.
        let waited_for = || sockets.iter().filter(|(_, entry)| entry.is_waited_for());
        fds.extend(waited_for().map(|(_, entry)| PollFd::new(&entry.fd, interest(entry))));
        rustix::event::poll(&mut fds, timeout)?;
        if !fds[0].revents().is_empty() {
            bell.hush();
        }
        let happened = waited_for().zip(&fds[1..]).filter(|(_, fd)| !fd.revents().is_empty());
        found.extend(happened.map(|((socket, _), fd)| ready(*socket, fd.revents())));
        Ok(())
    }
}

fn interest(entry: &Entry) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, !entry.reading.is_empty());
    flags.set(PollFlags::OUT, !entry.writing.is_empty());
    flags
}

fn ready(socket: Socket, flags: PollFlags) -> Ready {
    // A call will say what is wrong, also with a descriptor that somebody else has closed.
    let failed = flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
    Ready::level(socket, failed || flags.contains(PollFlags::IN), failed || flags.contains(PollFlags::OUT))
}
