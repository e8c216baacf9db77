//! The loops that a program can be run on.

use std::fmt;
use std::io;

use clap::ValueEnum;
use coro_core::Loop;
#[cfg(unix)]
use coro_core::driver::{self, Driver, Paced};

/// What a loop waits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum LoopKind {
    /// Nothing: virtual time, which jumps from timer to timer
    Sim,
    /// The kernel, told every time what is waited for, in sets of bits
    Select,
    /// The kernel, told every time what is waited for, in a list
    Poll,
    /// The kernel, told once
    Epoll,
    /// The kernel, with the loop as the guest of tokio
    Guest,
}

impl LoopKind {
    /// All, in the order in which they are listed everywhere.
    pub const ALL: [Self; 5] = [Self::Sim, Self::Select, Self::Poll, Self::Epoll, Self::Guest];

    /// A new loop. With a `speed`, the clock of a loop over the kernel runs that many times as fast; virtual time has no
    /// speed.
    ///
    /// # Errors
    ///
    /// If the system cannot give what the loop waits with, or the speed is not a positive, finite number.
    pub fn make(self, speed: Option<f64>) -> io::Result<Loop> {
        match self {
            Self::Sim => Ok(Loop::simulated()),
            #[cfg(unix)]
            Self::Select => over(driver::Select::new()?, speed),
            #[cfg(unix)]
            Self::Poll => over(driver::Poll::new()?, speed),
            #[cfg(target_os = "linux")]
            Self::Epoll => over(driver::Epoll::new()?, speed),
            #[cfg(target_os = "linux")]
            Self::Guest => {
                let event_loop = over(driver::Epoll::new()?, speed)?;
                event_loop.hosted_by(tokio::runtime::LocalRuntime::new()?)
            }
            #[cfg(not(target_os = "linux"))]
            missing => {
                let _ = speed;
                let refusal = format!("this system has no {missing}: choose another loop, such as sim");
                Err(io::Error::new(io::ErrorKind::Unsupported, refusal))
            }
        }
    }
}

#[cfg(unix)]
fn over(driver: impl Driver + 'static, speed: Option<f64>) -> io::Result<Loop> {
    let Some(speed) = speed else { return Ok(Loop::with_driver(driver)) };
    let paced = Paced::new(driver, speed).map_err(|speed| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{speed} is not a speed: give a positive number"))
    })?;
    Ok(Loop::with_driver(paced))
}

impl fmt::Display for LoopKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sim => "sim",
            Self::Select => "select",
            Self::Poll => "poll",
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
        let (linux, unix) = (cfg!(target_os = "linux"), cfg!(unix));
        for (kind, there) in [
            (LoopKind::Select, unix),
            (LoopKind::Poll, unix),
            (LoopKind::Epoll, linux),
            (LoopKind::Guest, linux),
        ] {
            assert_eq!(kind.make(Some(2.0)).is_ok(), there, "{kind}");
            assert!(kind.make(Some(f64::NAN)).is_err(), "{kind}");
        }
        assert!(LoopKind::Sim.make(Some(2.0)).is_ok(), "virtual time is as fast as can be");
    }

    #[test]
    fn a_loop_waits_with_what_its_name_says() {
        for kind in LoopKind::ALL.into_iter().skip(1) {
            if let Ok(event_loop) = kind.make(None) {
                let driver = if kind == LoopKind::Guest { LoopKind::Epoll } else { kind };
                assert_eq!(event_loop.driver_name(), driver.to_string());
            }
        }
    }
}
