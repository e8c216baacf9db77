//! The loops that a program can be run on.

use std::fmt;
use std::io;

use clap::ValueEnum;
use coro_core::Loop;
#[cfg(target_os = "linux")]
use coro_core::driver::{Epoll, Paced};

/// What a loop waits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum LoopKind {
    /// Nothing: virtual time, which jumps from timer to timer
    Sim,
    /// The kernel
    Epoll,
    /// The kernel, with the loop as the guest of tokio
    Guest,
}

impl LoopKind {
    /// All, in the order in which they are listed everywhere.
    pub const ALL: [Self; 3] = [Self::Sim, Self::Epoll, Self::Guest];

    /// A new loop. With a `speed`, the clock of a loop on the kernel runs that many times as fast; virtual time has no
    /// speed.
    ///
    /// # Errors
    ///
    /// If the system cannot give what the loop waits with, or the speed is not a positive, finite number. Only Linux
    /// has a clock with a speed.
    pub fn make(self, speed: Option<f64>) -> io::Result<Loop> {
        match (self, speed) {
            (Self::Sim, _) => Ok(Loop::simulated()),
            (Self::Epoll, None) => Loop::new(),
            (Self::Epoll, Some(speed)) => paced(speed),
            (Self::Guest, speed) => hosted(Self::Epoll.make(speed)?),
        }
    }
}

#[cfg(target_os = "linux")]
fn paced(speed: f64) -> io::Result<Loop> {
    let driver = Paced::new(Epoll::new()?, speed).map_err(|speed| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{speed} is not a speed: give a positive number"))
    })?;
    Ok(Loop::with_driver(driver))
}

#[cfg(not(target_os = "linux"))]
fn paced(speed: f64) -> io::Result<Loop> {
    let refusal = format!("there is no clock with the speed {speed} on this system: use virtual time");
    Err(io::Error::new(io::ErrorKind::Unsupported, refusal))
}

#[cfg(unix)]
fn hosted(event_loop: Loop) -> io::Result<Loop> {
    event_loop.hosted_by(tokio::runtime::LocalRuntime::new()?)
}

#[cfg(not(unix))]
fn hosted(_event_loop: Loop) -> io::Result<Loop> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "a loop cannot be the guest of tokio on this system"))
}

impl fmt::Display for LoopKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sim => "sim",
            Self::Epoll => "epoll",
            Self::Guest => "guest",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_obeyed_or_refused() {
        assert_eq!(LoopKind::Epoll.make(Some(2.0)).is_ok(), cfg!(target_os = "linux"));
        assert_eq!(LoopKind::Guest.make(Some(2.0)).is_ok(), cfg!(target_os = "linux"));
        assert!(LoopKind::Epoll.make(Some(f64::NAN)).is_err());
        assert!(LoopKind::Sim.make(Some(2.0)).is_ok(), "virtual time is as fast as can be");
    }
}
