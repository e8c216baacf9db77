//! Levels again, in sets of bits: the descriptors are below 1,024.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use rustix::event::{FdSetElement, FdSetIter, Timespec, fd_set_insert, fd_set_num_elements};
use rustix::io::Result;

use super::bell::Bell;
use super::entry::Entry;
use super::selector::{Ready, Selector};
use crate::driver::Socket;

/// [`Select`](super::Select) was given a descriptor that has no place in its sets, and has closed it.
///
/// It is in an [`io::Error`] of the kind [`Unsupported`](io::ErrorKind::Unsupported).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "select cannot wait for descriptor {descriptor}, only for those below {}: use the driver `Poll` or `Epoll`, or have fewer open",
    Self::LIMIT
)]
pub struct DescriptorTooLarge {
    /// The number of the descriptor.
    pub descriptor: i32,
}

impl DescriptorTooLarge {
    /// The first descriptor that is too large: what POSIX calls `FD_SETSIZE`.
    pub const LIMIT: i32 = 1_024;
}

/// The sets themselves are made anew for each look.
#[derive(Debug)]
pub struct Sets {
    /// By descriptor. Those that are in no set may be out of date.
    owners: Vec<Socket>,
}

impl Selector for Sets {
    const NAME: &'static str = "select";

    fn new(bell: &Bell) -> io::Result<Self> {
        check(bell.fd())?;
        Ok(Self { owners: vec![Socket(0); DescriptorTooLarge::LIMIT as usize] })
    }

    fn add(&mut self, _: Socket, fd: &OwnedFd) -> io::Result<()> {
        check(fd)
    }

    fn wait(
        &mut self,
        timeout: Option<&Timespec>,
        bell: &Bell,
        sockets: &BTreeMap<Socket, Entry>,
        found: &mut Vec<Ready>,
    ) -> Result<()> {
        let (mut reading, mut writing) = (Set::new(), Set::new());
        let ring = bell.fd().as_raw_fd();
        reading.insert(ring);
        for (socket, entry) in sockets.iter().filter(|(_, entry)| entry.is_waited_for()) {
            let fd = entry.fd.as_raw_fd();
            self.owners[fd as usize] = *socket;
            if !entry.reading.is_empty() {
                reading.insert(fd);
            }
            if !entry.writing.is_empty() {
                writing.insert(fd);
            }
        }
        let bound = reading.bound.max(writing.bound);
        // SAFETY: each descriptor in the sets is that of the bell or of an entry, which own it. Both are borrowed until
        // the call has returned, so it is open.
        unsafe {
            rustix::event::select(bound, Some(&mut reading.bits), Some(&mut writing.bits), None, timeout)?;
        }
        for fd in FdSetIter::new(&reading.bits) {
            if fd == ring {
                bell.hush();
            } else {
                found.push(Ready::level(self.owners[fd as usize], true, false));
            }
        }
        found.extend(
            FdSetIter::new(&writing.bits).map(|fd| Ready::level(self.owners[fd as usize], false, true)),
        );
        Ok(())
    }
}

fn check(fd: impl AsFd) -> io::Result<()> {
    let descriptor = fd.as_fd().as_raw_fd();
    if descriptor < DescriptorTooLarge::LIMIT {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::Unsupported, DescriptorTooLarge { descriptor }))
}

struct Set {
    bits: Vec<FdSetElement>,
    /// One more than the largest in it.
    bound: RawFd,
}

impl Set {
    fn new() -> Self {
        let length = fd_set_num_elements(DescriptorTooLarge::LIMIT as usize, DescriptorTooLarge::LIMIT);
        Self { bits: vec![FdSetElement::default(); length], bound: 0 }
    }

    fn insert(&mut self, fd: RawFd) {
        fd_set_insert(&mut self.bits, fd);
        self.bound = self.bound.max(fd + 1);
    }
}
