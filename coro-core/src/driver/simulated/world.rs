//! A world: its clock, its hosts, and what is on its way between them.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::choices::Choices;
use super::connection::Connection;
use super::host::{Host, HostId};
use super::link::Links;
use super::network::Endpoint;
use crate::driver::{Completion, Slot, Socket};
use crate::time::Time;

/// How many bytes a connection holds in each direction before the sender waits.
const WINDOW: usize = 64 * 1024;
/// After how long Linux gives up a connect that nobody answers.
const CONNECT_PATIENCE: Duration = Duration::from_secs(127);

/// What runs in one virtual time, and can reach each other.
#[derive(Debug)]
pub(crate) struct World {
    now: Time,
    hosts: Vec<Host>,
    pub(super) sockets: BTreeMap<Socket, Endpoint>,
    last_socket: u64,
    pub(super) links: Links,
    /// By when it arrives, and what was sent first.
    pub(super) flying: BTreeMap<(Time, u64), Flying>,
    last_event: u64,
    /// What partitions keep back, in order.
    pub(super) held: Vec<Flying>,
    pub(crate) choices: Choices,
    /// How many bytes a connection holds in each direction.
    pub(crate) window: usize,
    /// Receives and sends may stop short.
    pub(crate) short_transfers: bool,
    /// How long a connect waits for an answer.
    pub(super) patience: Duration,
    /// How long a job takes, chosen anew each time.
    pub(crate) job_time: RangeInclusive<Duration>,
    /// What has gone wrong since somebody took it.
    pub(crate) faults: Vec<(HostId, HostId, Fault)>,
}

/// What went wrong between two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Lost,
    Refused,
    Reset,
    Cut,
    Healed,
}

/// Something on its way from one host to another.
#[derive(Debug)]
pub(super) struct Flying {
    pub(super) from: HostId,
    pub(super) to: HostId,
    pub(super) event: Event,
}

#[derive(Debug)]
pub(super) enum Event {
    /// A client asks for a connection.
    Knock {
        client: Socket,
        address: SocketAddr,
    },
    /// It is granted.
    Welcomed {
        client: Socket,
        server: Socket,
    },
    /// It is refused.
    Refused {
        client: Socket,
    },
    /// Nobody has answered.
    GiveUpConnect {
        client: Socket,
    },
    Bytes {
        from: Socket,
        to: Socket,
        bytes: Vec<u8>,
    },
    /// The peer will send no more.
    End {
        to: Socket,
    },
    /// The peer has closed.
    Deserted {
        to: Socket,
    },
    /// The connection is reset.
    Broken {
        to: Socket,
    },
    /// Sends may go on.
    Pump {
        from: Socket,
    },
    /// A job that was begun then is over.
    JobOver {
        slot: Slot,
        begun: Time,
    },
}

/// Where something happens. What happens at one place, at one time, stays in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An end of a connection.
    Socket(Socket),
    /// The pool of threads of a host.
    Pool(HostId),
}

impl Event {
    /// The end of a connection at which it happens, if it does.
    pub(super) fn socket(&self) -> Option<Socket> {
        match self {
            Self::Knock { client, .. }
            | Self::Welcomed { client, .. }
            | Self::Refused { client }
            | Self::GiveUpConnect { client } => Some(*client),
            Self::Bytes { to, .. } | Self::End { to } | Self::Deserted { to } | Self::Broken { to } => {
                Some(*to)
            }
            Self::Pump { from } => Some(*from),
            Self::JobOver { .. } => None,
        }
    }
}

impl Flying {
    fn place(&self) -> Place {
        self.event.socket().map_or(Place::Pool(self.to), Place::Socket)
    }
}

impl Default for World {
    fn default() -> Self {
        Self {
            now: Time::ZERO,
            hosts: Vec::new(),
            sockets: BTreeMap::new(),
            last_socket: 0,
            links: Links::default(),
            flying: BTreeMap::new(),
            last_event: 0,
            held: Vec::new(),
            choices: Choices::default(),
            window: WINDOW,
            short_transfers: false,
            patience: CONNECT_PATIENCE,
            job_time: Duration::ZERO..=Duration::ZERO,
            faults: Vec::new(),
        }
    }
}

/// Time.
impl World {
    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// When something arrives next.
    pub(crate) fn next_event(&self) -> Option<Time> {
        self.flying.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets time pass, to a point before which nothing arrives, and what arrives then happen.
    pub(crate) fn advance(&mut self, to: Time) {
        self.now = self.now.max(to);
        while let Some(key) = self.next_due() {
            let Some(Flying { from, to, event }) = self.flying.remove(&key) else { break };
            if self.links.is_cut(from, to) {
                self.held.push(Flying { from, to, event });
                continue;
            }
            if let Some(connection) = self.connection_of(&event) {
                connection.coming = connection.coming.saturating_sub(1);
            }
            self.happen(from, to, event);
        }
    }

    /// One of those that arrive first by now. Which one is left to chance, but each connection stays in order.
    fn next_due(&mut self) -> Option<(Time, u64)> {
        let (first, _) = self.flying.first_key_value().filter(|((at, _), _)| *at <= self.now)?;
        if !self.choices.are_open() {
            return Some(*first);
        }
        let together = self.flying.range(*first..=(first.0, u64::MAX));
        let mut places = Vec::new();
        let mut due = Vec::new();
        for (key, flying) in together {
            let place = flying.place();
            if !places.contains(&place) {
                places.push(place);
                due.push(*key);
            }
        }
        let chosen = self.choices.choose(due.len() as u64);
        due.get(chosen as usize).copied()
    }

    /// Sends an event. It travels as the link says, behind what is on its way to the same place already.
    pub(super) fn post(&mut self, from: HostId, to: HostId, bytes: usize, event: Event) {
        let (arrival, lost) = self.links.arrival(from, to, bytes, self.now, &mut self.choices);
        if lost {
            self.note(from, to, Fault::Lost);
        }
        let (now, cut) = (self.now, self.links.is_cut(from, to));
        let (mut arrival, mut coming) = (arrival, 0);
        if let Some(receiver) = self.connection_of(&event) {
            arrival = arrival.max(receiver.clear_at);
            (receiver.clear_at, coming) = (arrival, receiver.coming);
        }
        if arrival <= now && coming == 0 && !cut {
            self.happen(from, to, event);
        } else {
            self.schedule(arrival, from, to, event);
        }
    }

    pub(super) fn note(&mut self, from: HostId, to: HostId, fault: Fault) {
        self.faults.push((from, to, fault));
    }

    /// Lets something happen at a time. Gives its name.
    pub(super) fn schedule(&mut self, at: Time, from: HostId, to: HostId, event: Event) -> (Time, u64) {
        if let Some(receiver) = self.connection_of(&event) {
            receiver.coming += 1;
        }
        self.last_event += 1;
        self.flying.insert((at, self.last_event), Flying { from, to, event });
        (at, self.last_event)
    }

    fn happen(&mut self, from: HostId, to: HostId, event: Event) {
        if !self.host(to).up {
            return;
        }
        match event {
            Event::Knock { client, address } => self.knocked(to, client, address),
            Event::Welcomed { client, server } if self.connection(client).is_none() => {
                self.post(to, from, 0, Event::Broken { to: server });
            }
            Event::Welcomed { client, .. } => self.welcomed(client),
            Event::Refused { client } => self.turned_away(client, ErrorKind::ConnectionRefused),
            Event::GiveUpConnect { client } => self.turned_away(client, ErrorKind::TimedOut),
            Event::Bytes { from: sender, to: receiver, .. } if self.connection(receiver).is_none() => {
                self.post(to, from, 0, Event::Broken { to: sender });
            }
            Event::Bytes { to, bytes, .. } => self.arrived(to, &bytes),
            Event::End { to } => self.ended(to),
            Event::Deserted { to } => self.deserted(to),
            Event::Broken { to } => self.broken(to, ErrorKind::ConnectionReset),
            Event::Pump { from } => self.pump(from),
            Event::JobOver { slot, .. } => self.job_over(to, slot),
        }
    }

    /// The connection at an end of which something happens.
    pub(super) fn connection_of(&mut self, event: &Event) -> Option<&mut Connection> {
        self.connection(event.socket()?)
    }
}

/// Hosts.
impl World {
    /// A host that runs.
    pub(crate) fn add_host(&mut self, ip: Option<IpAddr>) -> HostId {
        self.hosts.push(Host::new(ip));
        HostId(self.hosts.len() - 1)
    }

    pub(super) fn host(&self, host: HostId) -> &Host {
        &self.hosts[host.0]
    }

    pub(super) fn host_mut(&mut self, host: HostId) -> &mut Host {
        &mut self.hosts[host.0]
    }

    /// What the clock of a host reads.
    pub(crate) fn clock(&self, host: HostId) -> Time {
        self.host(host).clock.read(self.now)
    }

    /// When, by the world's clock, that of a host reads `time`.
    pub(crate) fn when(&self, host: HostId, time: Time) -> Time {
        self.host(host).clock.when(time)
    }

    /// How often a host has crashed.
    pub(super) fn life(&self, host: HostId) -> u32 {
        self.host(host).life
    }

    pub(super) fn finished(&mut self, host: HostId) -> &mut Vec<Completion> {
        &mut self.host_mut(host).finished
    }

    /// Whether there is something to report to the loop of a host.
    pub(crate) fn has_finished(&self, host: HostId) -> bool {
        !self.host(host).finished.is_empty()
    }

    /// Which host is meant by an address, as `from` sees it.
    pub(super) fn host_at(&self, from: HostId, ip: IpAddr) -> Option<HostId> {
        if self.has_address(from, ip) {
            return Some(from);
        }
        self.hosts.iter().position(|host| host.ip == Some(ip)).map(HostId)
    }

    pub(super) fn has_address(&self, host: HostId, ip: IpAddr) -> bool {
        match self.host(host).ip {
            None => true,
            Some(own) => own == ip || ip.is_loopback() || ip.is_unspecified(),
        }
    }

    /// The address from which a host reaches another one.
    pub(super) fn source_address(&self, host: HostId, to: IpAddr) -> IpAddr {
        self.host(host).ip.filter(|_| !to.is_loopback()).unwrap_or(to)
    }

    pub(super) fn insert(&mut self, endpoint: Endpoint) -> Socket {
        self.last_socket += 1;
        let socket = Socket(self.last_socket);
        self.sockets.insert(socket, endpoint);
        socket
    }
}
