//! What a loop waits with.
//!
//! A [`Driver`] submits operations and waits; it knows nothing of tasks, timers or cancellation, which live in the
//! loop, once. An operation is written in *completion* style: it owns its buffer and names its socket until its
//! [`Completion`] is delivered. A readiness driver (epoll, poll, select) keeps what it cannot do at once until the
//! kernel says it can; a completion driver hands it over.

mod operation;
mod paced;
#[cfg(unix)]
mod readiness;
pub(crate) mod simulated;

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use operation::{Completed, Completion, Operation, Slot, Socket};
pub use paced::Paced;
#[cfg(target_os = "linux")]
pub use readiness::Epoll;
#[cfg(unix)]
pub use readiness::{DescriptorTooLarge, Poll, Readiness, Select};
pub use simulated::Simulated;

use crate::time::Time;

/// How long a driver waits for something to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all: report what has happened.
    Poll,
    /// Until this point of the driver's clock.
    Until(Time),
    /// For ever.
    Forever,
}

/// Waits for events, performs I/O and owns the clock.
///
/// It is a safe trait: the loop checks every slot that a driver reports, and ends with
/// [`RunError::Driver`](crate::event_loop::RunError::Driver) on one that is unknown or reported twice.
///
/// The loop calls it from one thread, never re-entrantly.
pub trait Driver: fmt::Debug {
    /// A short name: `epoll`, `poll`, `select`, `simulated`.
    fn name(&self) -> &'static str;

    /// The clock. It never goes backwards.
    fn now(&self) -> Time;

    /// Begins `operation`, and gives its result if it is over at once. Otherwise exactly one [`Completion`] with
    /// this slot follows from a later [`wait`](Self::wait).
    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed>;

    /// Asks that an operation end early. Its completion still follows, and may say that it succeeded: cancelled
    /// does not mean that it had no effect. A slot that is not in flight is ignored.
    fn cancel(&mut self, slot: Slot);

    /// Takes over the time of a job: a function that blocks, which is run beside the loop. A world with a time of its own
    /// does, and says `true`; then exactly one [`Completion`] with this slot follows: [`Completed::Done`] when the job is
    /// over, at which the loop calls it on its own thread. Like an operation it may be [cancelled](Self::cancel): then it
    /// ends with [`Completed::Failed`] if it is not to be called any more, because it had not begun.
    ///
    /// By default threads run jobs, and the driver has no part in it but its [`notifier`](Self::notifier). A closed world
    /// whose clock jumps is not asked to wait until a deadline then, but [for ever](Wait::Forever).
    fn begin_job(&mut self, _slot: Slot) -> bool {
        false
    }

    /// Gives up a socket. Operations on it that are in flight finish first, sends in full.
    fn close(&mut self, socket: Socket);

    /// Waits until something completes, [`notifier`](Self::notifier) is used, or the time is up, and adds what
    /// completed. It may return early with nothing.
    ///
    /// # Errors
    ///
    /// Only if waiting itself failed; the loop ends with it.
    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()>;

    /// As [`wait`](Self::wait), after somebody else has waited in its place: the host of the loop, for `wait`, though
    /// perhaps not to its end. It does not block.
    ///
    /// By default it looks what has happened. A clock that moves only in a wait is moved here.
    ///
    /// # Errors
    ///
    /// As `wait`.
    fn waited(&mut self, _wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        self.wait(Wait::Poll, completions)
    }

    /// How long, in real time, [`wait`](Self::wait) would wait for this at most. `None` is for ever. It is no time at all in
    /// a world whose clock jumps.
    fn real_time(&self, wait: Wait) -> Option<Duration> {
        match wait {
            Wait::Poll => Some(Duration::ZERO),
            Wait::Until(deadline) => Some(deadline.since(self.now())),
            Wait::Forever => None,
        }
    }

    /// Whether a look would find something at once that no host must wait for: completions that it has already, or what
    /// the last look left.
    fn has_more(&self) -> bool {
        false
    }

    /// A descriptor for a host to wait for: it is readable while something has happened outside that a look will find,
    /// and becomes so when the [`notifier`](Self::notifier) is used. None if there is no such descriptor; then only the
    /// driver itself can wait.
    #[cfg(unix)]
    fn pollable(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Ends a `wait` from another thread, the present one or else the next.
    fn notifier(&self) -> Arc<dyn Notify>;

    /// Blocks the thread for this much of the driver's clock.
    fn block_for(&mut self, duration: Duration);

    /// The time of day. Not monotonic.
    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    /// A number that nobody can foresee; on a driver whose world can be repeated, the same one again then. Not for
    /// secrets.
    fn random(&mut self) -> u64 {
        RandomState::new().build_hasher().finish()
    }

    /// How many tasks may run between two looks (a `wait` with [`Wait::Poll`]) while work is ready. The loop takes as
    /// many as fit into some tens of microseconds, and at most these, or what one turn has to run.
    ///
    /// One, unless a driver says otherwise: every turn looks.
    fn patience(&self) -> u32 {
        1
    }

    /// What it has asked the system for so far.
    fn system_calls(&self) -> SystemCalls {
        SystemCalls::default()
    }

    /// Whether nothing outside the program can ever cause an event, so that a wait with nothing to wait for is a
    /// stall that should be reported instead.
    fn is_closed_world(&self) -> bool {
        false
    }
}

/// How often a driver has asked the system for something, by kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemCalls {
    /// To wait, or to look what has happened.
    pub waits: u64,
    /// To read, write, accept or connect.
    pub transfers: u64,
    /// To end the wait of a loop, from another thread.
    pub notifications: u64,
}

/// Wakes a waiting driver. See [`Driver::notifier`].
pub trait Notify: Send + Sync + fmt::Debug {
    /// Ends the present wait, or the next one. Cheap to call twice.
    fn notify(&self);
}
