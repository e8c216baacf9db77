//! The world of a simulated run, as its program sees it: hosts, links, and the clock.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Verdict;
use crate::driver::simulated::host::{HostClock, HostId};
use crate::driver::simulated::link::Link as Way;
use crate::driver::simulated::world::World as Network;
use crate::event_loop::Loop;
use crate::task::{IntoTask, TaskError};
use crate::time::Time;

/// How the main task of a host ended, once it has: with an error of its own, perhaps.
pub(super) type Main = Box<dyn FnMut() -> Option<Result<Option<String>, TaskError>>>;

/// Begins the main task of a host.
pub(super) type Start = Rc<dyn Fn(&Loop) -> Main>;

/// The world of a simulated run. Given to the program; cloning gives another handle.
#[derive(Clone)]
pub struct World(pub(super) Rc<Shared>);

pub(super) struct Shared {
    pub(super) network: Rc<RefCell<Network>>,
    /// By their numbers. The first is that of the program itself.
    pub(super) hosts: RefCell<Vec<Entry>>,
    /// To be done when the present step is over.
    pub(super) commands: RefCell<Vec<Command>>,
    /// How far somebody lets a clock go that is moved by hand.
    pub(super) goal: Cell<Option<Time>>,
    pub(super) arrived: Cell<Option<Waker>>,
}

pub(super) struct Entry {
    pub(super) name: Rc<str>,
    pub(super) start: Option<Start>,
}

#[derive(Debug)]
pub(super) enum Command {
    Start(HostId),
    Crash(HostId, Crash),
}

/// How a host crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Its program is killed. Its system closes what it had open, so its peers see the end of their streams, or a reset.
    Process,
    /// It loses its power: nobody is told. What is sent to it is lost, until it has started again and answers with resets.
    Power,
}

impl World {
    pub(super) fn new(network: Network) -> Self {
        let world = Self(Rc::new(Shared {
            network: Rc::new(RefCell::new(network)),
            hosts: RefCell::default(),
            commands: RefCell::default(),
            goal: Cell::new(None),
            arrived: Cell::new(None),
        }));
        world.add("main", None);
        world
    }

    fn add(&self, name: &str, start: Option<Start>) -> HostId {
        let mut hosts = self.0.hosts.borrow_mut();
        let [low, high] = (hosts.len() as u16 + 1).to_le_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(10, 0, high, low));
        hosts.push(Entry { name: name.into(), start });
        self.0.network.borrow_mut().add_host(Some(ip))
    }

    /// Adds a host, which runs the task that `program` makes, and again when it is [restarted](Host::restart). It begins when
    /// the present step is over.
    ///
    /// A host has a loop, a clock and an address of its own. If its task panics or gives an error, the run has failed.
    #[track_caller]
    pub fn host<T>(&self, name: &str, program: impl Fn() -> T + 'static) -> Host
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let place = Location::caller();
        let start = move |event_loop: &Loop| -> Main {
            let mut task = event_loop.core().spawn_at(program(), place).named("main");
            Box::new(move || Some(task.try_result()?.map(|result| result.error())))
        };
        let id = self.add(name, Some(Rc::new(start)));
        self.0.commands.borrow_mut().push(Command::Start(id));
        Host { world: self.clone(), id }
    }

    /// The host on which the program itself runs.
    pub fn own_host(&self) -> Host {
        Host { world: self.clone(), id: HostId(0) }
    }

    /// The links between all hosts, but for those that are set apart with [`link`](Self::link).
    pub fn links(&self) -> LinkSettings {
        LinkSettings { world: self.clone(), ways: Vec::new() }
    }

    /// The link between two hosts, in both directions.
    ///
    /// # Panics
    ///
    /// If one of them is of another world.
    #[track_caller]
    pub fn link(&self, one: &Host, other: &Host) -> LinkSettings {
        let (one, other) = (self.own(one), self.own(other));
        LinkSettings { world: self.clone(), ways: vec![(one, other), (other, one)] }
    }

    /// The link from one host to another, in this direction only.
    ///
    /// # Panics
    ///
    /// If one of them is of another world.
    #[track_caller]
    pub fn way(&self, from: &Host, to: &Host) -> LinkSettings {
        LinkSettings { world: self.clone(), ways: vec![(self.own(from), self.own(to))] }
    }

    /// Lets nothing through between two hosts. What is sent is kept until the partition is healed, as TCP would send it
    /// again; a connect is given up after 127 seconds.
    ///
    /// # Panics
    ///
    /// If one of them is of another world.
    #[track_caller]
    pub fn partition(&self, one: &Host, other: &Host) {
        let (one, other) = (self.own(one), self.own(other));
        let mut network = self.0.network.borrow_mut();
        network.cut(one, other);
        network.cut(other, one);
    }

    /// Ends a partition.
    ///
    /// # Panics
    ///
    /// If one of them is of another world.
    #[track_caller]
    pub fn heal(&self, one: &Host, other: &Host) {
        let (one, other) = (self.own(one), self.own(other));
        let mut network = self.0.network.borrow_mut();
        network.heal(one, other);
        network.heal(other, one);
    }

    /// Resets every connection between two hosts.
    ///
    /// # Panics
    ///
    /// If one of them is of another world.
    #[track_caller]
    pub fn reset_connections(&self, one: &Host, other: &Host) {
        let (one, other) = (self.own(one), self.own(other));
        self.0.network.borrow_mut().reset_between(one, other);
    }

    /// The clock of the world, which those of its hosts may be off.
    pub fn now(&self) -> Time {
        self.0.network.borrow().now()
    }

    /// Lets this much time pass, everything that is due in between included, and then what became ready. For a clock that
    /// is moved [by hand](super::Clock::Manual); one that jumps goes on by itself, and this is a sleep there.
    pub fn advance(&self, by: Duration) -> Advance {
        Advance { world: self.clone(), goal: self.now() + by, begun: false }
    }

    /// [`advance`](Self::advance) to a point of the world's clock.
    ///
    /// # Errors
    ///
    /// [`Backwards`], if that is past.
    pub fn advance_to(&self, time: Time) -> Result<Advance, Backwards> {
        let now = self.now();
        if time < now { Err(Backwards { now, time }) } else { Ok(self.advance(time.since(now))) }
    }

    #[track_caller]
    fn own(&self, host: &Host) -> HostId {
        assert!(
            Rc::ptr_eq(&self.0, &host.world.0),
            "the host {:?} is of another world: use the hosts that this one gave",
            host.name()
        );
        host.id
    }

    pub(super) fn name(&self, host: HostId) -> Rc<str> {
        Rc::clone(&self.0.hosts.borrow()[host.0].name)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// The clock was to go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock reads {now} and cannot go back to {time}")]
pub struct Backwards {
    /// What the clock reads.
    pub now: Time,
    /// What it was to read.
    pub time: Time,
}

/// A host of a [`World`].
#[derive(Clone)]
pub struct Host {
    world: World,
    id: HostId,
}

impl Host {
    /// Its name.
    pub fn name(&self) -> Rc<str> {
        self.world.name(self.id)
    }

    /// Its address: `10.0.0.1` for the program itself, and so on.
    pub fn ip(&self) -> IpAddr {
        let [low, high] = (self.id.0 as u16 + 1).to_le_bytes();
        IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
    }

    /// A port of it.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip(), port)
    }

    /// Sets its clock ahead of the world's, and lets it gain `drift` millionths from then on, which may be negative.
    ///
    /// # Panics
    ///
    /// If the drift is more than a tenth.
    #[track_caller]
    pub fn set_clock(&self, ahead: Duration, drift: i32) {
        assert!(
            drift.unsigned_abs() <= 100_000,
            "a clock that gains {drift} millionths is no clock: at most 100000"
        );
        self.world.0.network.borrow_mut().set_clock(self.id, HostClock { ahead, drift });
    }

    /// Crashes it, when the present step is over: its tasks are gone. Their destructors run, but reach nobody.
    ///
    /// # Panics
    ///
    /// If it is the host of the program itself.
    #[track_caller]
    pub fn crash(&self, how: Crash) {
        assert!(
            self.id.0 != 0,
            "the host of the program itself cannot crash: let another one run what is to crash"
        );
        self.world.0.commands.borrow_mut().push(Command::Crash(self.id, how));
    }

    /// Starts its program again, when the present step is over; if it runs, after killing it.
    ///
    /// # Panics
    ///
    /// If it is the host of the program itself.
    #[track_caller]
    pub fn restart(&self) {
        self.crash(Crash::Process);
        self.world.0.commands.borrow_mut().push(Command::Start(self.id));
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("name", &self.name()).field("ip", &self.ip()).finish_non_exhaustive()
    }
}

/// A link between hosts, to be set. What is sent from now on travels so.
#[derive(Debug)]
pub struct LinkSettings {
    world: World,
    /// Each with its direction; none for all that have no link of their own.
    ways: Vec<(HostId, HostId)>,
}

impl LinkSettings {
    fn change(self, change: impl Fn(&mut Way)) -> Self {
        let mut network = self.world.0.network.borrow_mut();
        if self.ways.is_empty() {
            network.change_common_link(change);
        } else {
            for (from, to) in &self.ways {
                network.change_link(*from, *to, &change);
            }
        }
        drop(network);
        self
    }

    /// How long it takes to the other end; chosen anew for each transfer, and plainly the least. Zero at first.
    pub fn latency(self, latency: RangeInclusive<Duration>) -> Self {
        self.change(|way| way.latency = latency.clone())
    }

    /// How many bytes pass in a second; without a bound at first.
    pub fn bandwidth(self, bytes: u64) -> Self {
        self.change(|way| way.bandwidth = Some(bytes))
    }

    /// How many transfers of a thousand are lost, and sent again after 200 milliseconds.
    pub fn loss(self, per_mille: u16) -> Self {
        self.change(|way| way.loss = per_mille)
    }

    /// How many connects of a thousand are refused, though somebody listens.
    pub fn refusals(self, per_mille: u16) -> Self {
        self.change(|way| way.refused = per_mille)
    }

    /// How many sends of a thousand find the connection reset.
    pub fn resets(self, per_mille: u16) -> Self {
        self.change(|way| way.reset = per_mille)
    }
}

/// Time that passes. Made by [`World::advance`].
#[derive(Debug)]
#[must_use = "time does not pass until this is awaited"]
pub struct Advance {
    world: World,
    goal: Time,
    begun: bool,
}

impl Future for Advance {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shared = Rc::clone(&self.world.0);
        if self.begun && shared.goal.get().is_none() && self.world.now() >= self.goal {
            return Poll::Ready(());
        }
        self.begun = true;
        shared.goal.set(Some(self.goal));
        shared.arrived.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}
