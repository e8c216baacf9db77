//! Edges: a socket is registered once, for both directions.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{Timespec, epoll};
use rustix::io::Result;

use super::bell::Bell;
use super::entry::Entry;
use super::selector::{Ready, Selector};
use crate::driver::Socket;

/// How many events one system call can report.
const EVENTS: usize = 256;
/// The token of the bell; sockets count up from one.
const BELL: u64 = 0;

/// One epoll descriptor. Nothing is registered again, and the bell is never hushed: each ring is an edge of its own.
#[derive(Debug)]
pub struct Edges {
    epoll: OwnedFd,
    left_some: bool,
}

impl Selector for Edges {
    const NAME: &'static str = "epoll";

    fn new(bell: &Bell) -> std::io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let edges = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, bell.fd(), epoll::EventData::new_u64(BELL), edges)?;
        Ok(Self { epoll, left_some: false })
    }

    fn add(&mut self, socket: Socket, fd: &OwnedFd) -> std::io::Result<()> {
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::PRI
            | epoll::EventFlags::ET;
        Ok(epoll::add(&self.epoll, fd, epoll::EventData::new_u64(socket.0), flags)?)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.epoll.as_fd())
    }

    fn left_some(&self) -> bool {
        self.left_some
    }

    fn wait(
        &mut self,
        timeout: Option<&Timespec>,
        _: &Bell,
        _: &BTreeMap<Socket, Entry>,
        found: &mut Vec<Ready>,
    ) -> Result<()> {
        let mut space = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS];
        let (happened, _) = epoll::wait(&self.epoll, &mut space, timeout)?;
        self.left_some = happened.len() == EVENTS;
        found.extend(happened.iter().filter(|event| event.data.u64() != BELL).map(ready));
        Ok(())
    }
}

fn ready(event: &epoll::Event) -> Ready {
    let flags = event.flags;
    let failed = flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP);
    Ready {
        socket: Socket(event.data.u64()),
        readable: failed || flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::RDHUP),
        writable: failed || flags.contains(epoll::EventFlags::OUT),
        hung_up: failed || flags.contains(epoll::EventFlags::RDHUP),
        urgent: flags.contains(epoll::EventFlags::PRI),
    }
}
