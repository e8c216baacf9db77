//! What ends a wait from another thread.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::{EventfdFlags, eventfd};

use crate::driver::Notify;

/// An eventfd. Its counter would overflow after 2⁶⁴ wake-ups.
#[derive(Debug)]
pub(super) struct Bell {
    fd: OwnedFd,
    rung: AtomicU64,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { fd, rung: AtomicU64::new(0) })
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// How often it was rung.
    pub(super) fn rung(&self) -> u64 {
        self.rung.load(Ordering::Relaxed)
    }
}

impl Notify for Bell {
    fn notify(&self) {
        // It fails only if the counter is full, and then the edge is there.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
        self.rung.fetch_add(1, Ordering::Relaxed);
    }
}
