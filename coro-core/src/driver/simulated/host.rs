//! A machine of a simulated world.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::time::Duration;

use crate::driver::Completion;
use crate::time::Time;

/// Names a host. Its place in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HostId(pub(crate) usize);

/// The first port given out for port 0, as by Linux.
const FIRST_EPHEMERAL_PORT: u16 = 32_768;

#[derive(Debug)]
pub(super) struct Host {
    /// A world of one host has no addresses: every one is its own.
    pub(super) ip: Option<IpAddr>,
    /// Counts its starts, so that what is left of an earlier one is not heard.
    pub(super) life: u32,
    /// It runs. Else what is sent to it is lost.
    pub(super) up: bool,
    pub(super) clock: HostClock,
    /// What is to be reported to its loop.
    pub(super) finished: Vec<Completion>,
    last_port: u16,
    /// Of listeners, and of the clients' ends of connections.
    pub(super) ports: HashSet<u16>,
}

impl Host {
    pub(super) fn new(ip: Option<IpAddr>) -> Self {
        Self {
            ip,
            life: 0,
            up: true,
            clock: HostClock::default(),
            finished: Vec::new(),
            last_port: 0,
            ports: HashSet::new(),
        }
    }

    pub(super) fn free_port(&mut self) -> io::Result<u16> {
        for _ in FIRST_EPHEMERAL_PORT..=u16::MAX {
            self.last_port = self.last_port.checked_add(1).unwrap_or(0).max(FIRST_EPHEMERAL_PORT);
            if self.ports.insert(self.last_port) {
                return Ok(self.last_port);
            }
        }
        Err(ErrorKind::AddrNotAvailable.into())
    }

    /// It stops, with all that it knew.
    pub(super) fn stop(&mut self) {
        self.life += 1;
        self.up = false;
        self.finished.clear();
        self.ports.clear();
    }
}

/// How the clock of a host is off that of the world.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct HostClock {
    /// How far it is ahead when the world begins.
    pub(crate) ahead: Duration,
    /// How much it gains, in millionths.
    pub(crate) drift: i32,
}

const MILLION: i128 = 1_000_000;

impl HostClock {
    /// What it reads when the world's clock reads `world`.
    pub(super) fn read(self, world: Time) -> Time {
        if self.drift == 0 {
            return world + self.ahead;
        }
        let nanos = i128::from(world.as_nanos());
        narrow(nanos + nanos * i128::from(self.drift) / MILLION) + self.ahead
    }

    /// When, by the world's clock, it reads `time` or more.
    pub(super) fn when(self, time: Time) -> Time {
        if self == Self::default() {
            return time;
        }
        let ahead = i128::try_from(self.ahead.as_nanos()).unwrap_or(i128::MAX);
        let nanos = i128::from(time.as_nanos()).saturating_sub(ahead);
        let rate = (MILLION + i128::from(self.drift)).max(1);
        let mut world = narrow((nanos * MILLION).div_euclid(rate));
        // What was rounded down, on the way there or back.
        while self.read(world) < time && world < Time::MAX {
            world = world + Duration::from_nanos(1);
        }
        world
    }
}

fn narrow(nanos: i128) -> Time {
    Time::from_nanos(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn prop_a_deadline_is_reached_and_not_passed(
            ahead in 0_u64..1_000_000_000_000, drift in -200_000_i32..200_000, deadline in 0_i64..1_000_000_000_000_000,
        ) {
            let clock = HostClock { ahead: Duration::from_nanos(ahead), drift };
            let deadline = Time::from_nanos(deadline);
            let world = clock.when(deadline);
            prop_assert!(clock.read(world) >= deadline);
            let before = Time::from_nanos(world.as_nanos() - 2);
            prop_assert!(clock.read(before) < deadline);
        }
    }
}
