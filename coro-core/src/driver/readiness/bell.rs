//! What ends a wait from another thread.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::driver::Notify;

/// Its descriptor is readable from when it is rung until it is hushed.
#[derive(Debug)]
pub struct Bell {
    wire: wire::Wire,
    rung: AtomicU64,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { wire: wire::Wire::new()?, rung: AtomicU64::new(0) })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.wire.fd()
    }

    /// Rung before, it ends no further wait. Not needed where each ring is an edge of its own.
    pub(super) fn hush(&self) {
        self.wire.hush();
    }

    /// How often it was rung.
    pub(super) fn rung(&self) -> u64 {
        self.rung.load(Ordering::Relaxed)
    }
}

impl Notify for Bell {
    fn notify(&self) {
        self.wire.ring();
        self.rung.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
mod wire {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

    use rustix::event::{EventfdFlags, eventfd};

    /// An eventfd. Its counter would overflow after 2⁶⁴ wake-ups.
    #[derive(Debug)]
    pub(super) struct Wire(OwnedFd);

    impl Wire {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
        }

        pub(super) fn fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }

        pub(super) fn ring(&self) {
            // It fails only if the counter is full, and then it is readable.
            let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
        }

        pub(super) fn hush(&self) {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
    }
}

#[cfg(not(target_os = "linux"))]
use pair as wire;

#[cfg(any(not(target_os = "linux"), test))]
mod pair {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::net::UnixStream;

    /// Two sockets, as every Unix has them.
    #[derive(Debug)]
    pub(super) struct Wire {
        near: UnixStream,
        far: UnixStream,
    }

    impl Wire {
        pub(super) fn new() -> io::Result<Self> {
            let (near, far) = UnixStream::pair()?;
            near.set_nonblocking(true)?;
            far.set_nonblocking(true)?;
            Ok(Self { near, far })
        }

        pub(super) fn fd(&self) -> BorrowedFd<'_> {
            self.near.as_fd()
        }

        pub(super) fn ring(&self) {
            // It fails only if there is no room for more, and then there is something to read.
            let _ = (&self.far).write(&[1]);
        }

        pub(super) fn hush(&self) {
            let mut bytes = [0; 64];
            // Less than there was room for is all.
            while matches!((&self.near).read(&mut bytes), Ok(count) if count == bytes.len()) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// Whether a wait would end at once.
    fn is_heard(fd: impl AsFd) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    macro_rules! rings_until_hushed {
        ($wire:ident) => {
            #[test]
            fn $wire() {
                let wire = super::$wire::Wire::new().unwrap();
                assert!(!is_heard(wire.fd()));
                for rings in [1, 2, 1_024, 100_000] {
                    (0..rings).for_each(|_| wire.ring());
                    assert!(is_heard(wire.fd()));
                    wire.hush();
                    assert!(!is_heard(wire.fd()), "{rings}");
                }
            }
        };
    }

    #[cfg(target_os = "linux")]
    rings_until_hushed!(wire);
    rings_until_hushed!(pair);
}
