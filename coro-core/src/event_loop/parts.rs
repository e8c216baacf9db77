//! One turn in parts, for hosts.

use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::core::Core;
use super::{Loop, RunError};
use crate::driver::Wait;
use crate::time::Time;

/// # One turn in parts, for hosts
///
/// Another loop, or a game, may turn this one: [`poll`](Self::poll), [`process`](Self::process) and
/// [`run_ready`](Self::run_ready) in this order are one turn. The loop is the current one only within these calls.
///
/// ```
/// use std::time::Duration;
///
/// use coro_core::driver::Wait;
/// use coro_core::time::sleep;
/// use coro_core::{EventLoop, Loop};
///
/// let event_loop = Loop::simulated();
/// let mut task = event_loop.spawn(async {
///     sleep(Duration::from_secs(1)).await;
///     "done"
/// });
/// let mut turns = 0;
/// while !task.is_done() {
///     event_loop.poll(Wait::Forever)?;
///     event_loop.process()?;
///     event_loop.run_ready()?;
///     turns += 1;
/// }
/// assert_eq!((task.try_result().unwrap().unwrap(), turns), ("done", 2));
/// event_loop.close()?;
/// # Ok::<(), coro_core::RunError>(())
/// ```
///
/// A host that has something else to wait for, too, waits itself, in place of the driver: for the descriptor of
/// [`pollable`](Self::pollable), and for the time that [`prepare_wait`](Self::prepare_wait) allows. Afterwards it calls
/// [`waited`](Self::waited) in place of `poll`.
///
#[cfg_attr(target_os = "linux", doc = "```")]
#[cfg_attr(not(target_os = "linux"), doc = "```ignore")]
/// use std::time::Duration;
///
/// use coro_core::driver::Wait;
/// use coro_core::time::sleep;
/// use coro_core::{EventLoop, Loop, RunError};
/// use rustix::event::{PollFd, PollFlags, Timespec, poll};
///
/// /// Waits for events of the loop, and would for those of the host.
/// fn wait(event_loop: &Loop) -> Result<(), RunError> {
///     // What is to be run is not waited for.
///     let Some(wait) = event_loop.prepare_wait() else { return event_loop.poll(Wait::Poll) };
///     let timeout = event_loop.real_time(wait).and_then(|time| Timespec::try_from(time).ok());
///     let descriptor = event_loop.pollable()?.expect("epoll has one");
///     poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], timeout.as_ref()).map_err(std::io::Error::from)?;
///     event_loop.waited(wait)
/// }
///
/// let event_loop = Loop::new()?;
/// let task = event_loop.spawn(sleep(Duration::from_millis(1)));
/// while !task.is_done() {
///     wait(&event_loop)?;
///     event_loop.process()?;
///     event_loop.run_ready()?;
/// }
/// # Ok::<(), RunError>(())
/// ```
///
/// With `tokio` as the host, all of this is done: see `coro_core::guest`.
impl Loop {
    /// Parts 1 and 2 of a turn: waits for `wait` at most, and queues what came.
    ///
    /// It does not wait while something is ready or the loop is [stopping](super::EventLoop::stop), nor beyond the next deadline.
    ///
    /// # Errors
    ///
    /// [`RunError::Driver`]; [`RunError::Stalled`] if `wait` is [`Wait::Forever`] and nothing could end it, at the
    /// second time: before that, the tasks are asked what they wait for;
    /// [`RunError::Nested`] inside a run, and [`RunError::Closed`].
    pub fn poll(&self, wait: Wait) -> Result<(), RunError> {
        let _entered = self.enter_part()?;
        self.core.poll_for(shorter(self.core.how_long(), wait))
    }

    /// Parts 1 and 2 of a turn, after the host has waited for what [`prepare_wait`](Self::prepare_wait) allowed, or was
    /// disturbed: queues what came, and does not block.
    ///
    /// # Errors
    ///
    /// As [`poll`](Self::poll), but for a stall.
    pub fn waited(&self, wait: Wait) -> Result<(), RunError> {
        let _entered = self.enter_part()?;
        self.core.waited(wait)
    }

    /// Part 3 of a turn: queues the timers that are due by the clock, as the last poll read it.
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] inside a run, and [`RunError::Closed`].
    pub fn process(&self) -> Result<(), RunError> {
        let _entered = self.enter_part()?;
        self.core.process();
        Ok(())
    }

    /// Part 4 of a turn: runs what is queued by now.
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] inside a run, and [`RunError::Closed`].
    pub fn run_ready(&self) -> Result<(), RunError> {
        let _entered = self.enter_part()?;
        self.core.run_ready();
        Ok(())
    }

    /// Whether something is queued to be run.
    pub fn has_ready(&self) -> bool {
        !self.core.ready.is_empty()
    }

    /// Until when a wait may last at most: the deadline of the first timer, or a point before it.
    pub fn next_deadline(&self) -> Option<Time> {
        self.core.timers.borrow_mut().next_deadline()
    }

    /// How long, in real time, the driver would wait for this at most. `None` is for ever. Where the clock jumps, or is
    /// paced, that is another time than it shows.
    pub fn real_time(&self, wait: Wait) -> Option<Duration> {
        self.core.driver.borrow().real_time(wait)
    }

    /// Before a host waits: for what it may wait. From then on whatever wakes the loop, from any thread, makes the
    /// descriptor of [`pollable`](Self::pollable) readable, and so does what the host itself asks of the loop.
    ///
    /// None if there is something to do: then it must not wait, but [`poll`](Self::poll).
    pub fn prepare_wait(&self) -> Option<Wait> {
        let wait = self.core.how_long();
        let idle = wait != Wait::Poll && !self.core.driver.borrow().has_more();
        (idle && self.core.lease.record().try_sleep()).then_some(wait)
    }

    /// Takes back a [`stop`](super::EventLoop::stop): gives whether there was one.
    ///
    /// A host that is asked to stop ends its own run, as ours do, at the end of the turn.
    pub fn take_stop(&self) -> bool {
        self.core.stopping.replace(false)
    }

    /// A descriptor that is readable while the driver has something to tell. None if it has no such descriptor; then only
    /// [`poll`](Self::poll) can wait. A simulated driver never takes long.
    ///
    /// It is a duplicate, so it may outlive the loop.
    ///
    /// # Errors
    ///
    /// If the process or the system has no descriptor left.
    #[cfg(unix)]
    pub fn pollable(&self) -> io::Result<Option<OwnedFd>> {
        let driver = self.core.driver.borrow();
        driver.pollable().map(|descriptor| descriptor.try_clone_to_owned()).transpose()
    }
}

impl Core {
    /// Parts 1 and 2, after a host has waited.
    pub(super) fn waited(&self, wait: Wait) -> Result<(), RunError> {
        let mut completions = Vec::new();
        let looked = self.driver.borrow_mut().waited(wait, &mut completions);
        self.receive();
        looked?;
        self.now.set(self.time());
        self.cadence.note_look(self.now.get(), true);
        for completion in completions {
            self.complete(completion)?;
        }
        Ok(())
    }

    /// Something was asked of the loop, perhaps by its host between two turns: if that is about to wait, it must not.
    #[inline(always)]
    pub(super) fn rouse_host(&self) {
        if self.lease.record().is_asleep() {
            self.lease.record().rouse();
        }
    }
}

fn shorter(one: Wait, other: Wait) -> Wait {
    match (one, other) {
        (Wait::Poll, _) | (_, Wait::Poll) => Wait::Poll,
        (Wait::Forever, other) | (other, Wait::Forever) => other,
        (Wait::Until(one), Wait::Until(other)) => Wait::Until(one.min(other)),
    }
}
