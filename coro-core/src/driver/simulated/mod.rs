//! A world of its own: a clock that jumps, and a network in memory.

#![cfg_attr(
    not(feature = "testing"),
    allow(dead_code, reason = "the world of a driver alone has one host, and leaves nothing to chance")
)]

mod bell;
pub(crate) mod choices;
mod connection;
pub(crate) mod host;
mod jobs;
pub(crate) mod link;
mod network;
#[cfg(feature = "testing")]
mod topology;
mod transfer;
pub(crate) mod world;

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bell::Bell;
use host::HostId;
use world::World;

use super::{Completed, Completion, Driver, Notify, Operation, Slot, Socket, Wait};
use crate::time::Time;

/// What the wall clock of a simulated world reads when it begins: the first second of the year 2000, UTC.
const EPOCH: Duration = Duration::from_secs(946_684_800);

/// Runs a program in virtual time, without the kernel.
///
/// When nothing is ready, the clock jumps to the next deadline: an hour of sleeps takes microseconds, and reads as
/// exactly an hour. TCP sockets connect programs within this one driver. The same program does the same every
/// time.
///
/// To run one under chance and faults, on several hosts, see `coro_core::sim` (feature `testing`).
#[derive(Debug)]
pub struct Simulated {
    world: Rc<RefCell<World>>,
    host: HostId,
    /// Which start of the host it serves: those before are not heard.
    life: u32,
    notifier: Arc<Bell>,
    /// It moves the clock. Else somebody else does, and never waits here.
    alone: bool,
}

impl Simulated {
    /// A world in which nothing has happened; its clock reads zero.
    pub fn new() -> Self {
        let mut world = World::default();
        let host = world.add_host(None);
        Self { world: Rc::new(RefCell::new(world)), host, life: 0, notifier: Arc::default(), alone: true }
    }

    /// The driver of one host of a world whose clock somebody else moves.
    #[cfg(feature = "testing")]
    pub(crate) fn of_host(world: &Rc<RefCell<World>>, host: HostId) -> Self {
        let life = world.borrow().life(host);
        Self { world: Rc::clone(world), host, life, notifier: Arc::default(), alone: false }
    }

    /// Whether its host has crashed meanwhile.
    fn is_dead(&self) -> bool {
        self.world.borrow().life(self.host) != self.life
    }

    /// Lets time pass until something has finished, but not beyond `deadline`. False if nothing is to come.
    fn pass(&self, deadline: Option<Time>) -> bool {
        let mut world = self.world.borrow_mut();
        while !world.has_finished(self.host) {
            let next = world.next_event().filter(|next| deadline.is_none_or(|deadline| *next <= deadline));
            match (next, deadline) {
                (Some(next), _) => world.advance(next),
                (None, Some(deadline)) => {
                    world.advance(deadline);
                    return true;
                }
                (None, None) => return false,
            }
        }
        true
    }
}

impl Default for Simulated {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn now(&self) -> Time {
        let mut world = self.world.borrow_mut();
        let now = world.clock(self.host);
        world.choices.digest().add(now.as_nanos() as u64);
        now
    }

    fn wall_clock(&self) -> SystemTime {
        let since = self.now().since(Time::ZERO);
        SystemTime::UNIX_EPOCH + EPOCH + since
    }

    fn random(&mut self) -> u64 {
        self.world.borrow_mut().choices.random()
    }

    fn submit(&mut self, slot: Slot, operation: Operation) -> Option<Completed> {
        if self.is_dead() {
            return Some(io::Error::new(ErrorKind::NotConnected, "the host has crashed").into());
        }
        let mut world = self.world.borrow_mut();
        match operation {
            Operation::Listen { address, backlog } => {
                Some(world.listen(self.host, address, backlog).unwrap_or_else(Completed::Failed))
            }
            Operation::Accept { socket } => world.accept(slot, socket),
            Operation::Connect { address } => {
                world.connect(self.host, slot, address).unwrap_or_else(|error| Some(error.into()))
            }
            Operation::Receive { socket, buffer } => world.receive(slot, socket, buffer),
            Operation::Send { socket, buffer } => world.send(slot, socket, buffer),
            Operation::ShutdownWrite { socket } => Some(world.shutdown_write(socket)),
        }
    }

    fn cancel(&mut self, slot: Slot) {
        if !self.is_dead() {
            self.world.borrow_mut().cancel(self.host, slot);
        }
    }

    /// The world chooses how long it takes.
    fn begin_job(&mut self, slot: Slot) -> bool {
        if !self.is_dead() {
            self.world.borrow_mut().begin_job(self.host, slot);
        }
        true
    }

    fn close(&mut self, socket: Socket) {
        if !self.is_dead() {
            self.world.borrow_mut().close(socket);
        }
    }

    fn wait(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        if self.alone {
            match wait {
                Wait::Poll => {
                    let mut world = self.world.borrow_mut();
                    let now = world.now();
                    world.advance(now);
                }
                Wait::Until(deadline) => {
                    self.pass(Some(deadline));
                }
                Wait::Forever if self.pass(None) => {}
                Wait::Forever => self.notifier.listen(),
            }
        }
        if !self.is_dead() {
            completions.append(self.world.borrow_mut().finished(self.host));
        }
        Ok(())
    }

    fn waited(&mut self, wait: Wait, completions: &mut Vec<Completion>) -> io::Result<()> {
        let nothing_to_come = wait == Wait::Forever && !(self.alone && self.pass(None));
        self.wait(if nothing_to_come { Wait::Poll } else { wait }, completions)
    }

    fn real_time(&self, wait: Wait) -> Option<Duration> {
        let never = wait == Wait::Forever && self.world.borrow().next_event().is_none();
        (!never).then_some(Duration::ZERO)
    }

    fn has_more(&self) -> bool {
        self.world.borrow().has_finished(self.host)
    }

    fn notifier(&self) -> Arc<dyn Notify> {
        Arc::clone(&self.notifier) as Arc<dyn Notify>
    }

    /// What arrives meanwhile happens at its time.
    fn block_for(&mut self, duration: Duration) {
        let mut world = self.world.borrow_mut();
        let until = world.when(self.host, world.clock(self.host) + duration);
        while let Some(next) = world.next_event().filter(|next| *next <= until) {
            world.advance(next);
        }
        world.advance(until);
    }

    fn is_closed_world(&self) -> bool {
        self.alone
    }
}
