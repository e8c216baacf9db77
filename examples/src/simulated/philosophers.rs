//! Dining philosophers: three, and a fork between each two.
//!
//! Each picks up both forks without a wait in between, so that one who holds a single fork seems impossible while the
//! other is free. On a loop it is: a fork that is put down is left for whoever waits for it, who runs before anybody
//! can come again. In another order somebody who has eaten comes again first, and all starve.
//!
//! This demonstrates:
//!
//! 1. a deadlock whose report names the circle, with who waits for which lock and who has taken it;
//! 2. a bug that takes all three, in one certain order, and is found within a few seeds all the same;
//! 3. the remedy: everybody takes the fork with the lower number first.

use coro_core::prelude::*;
use coro_core::sim::{ReplayError, World};
use coro_core::stats::Flavour;
use coro_core::sync::Lock;

use super::{Found, Study, spawn};

/// Which fork is taken first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The left one.
    LeftFirst,
    /// The one with the lower number: the last philosopher begins on the right.
    LowestFirst,
}

const NAMES: [&str; 3] = ["Plato", "Socrates", "Voltaire"];
const MEALS: u32 = 2;

impl Version {
    /// The places of the two forks of a philosopher, the first one first.
    fn forks(self, seat: usize) -> [usize; 2] {
        let mut both = [seat, (seat + 1) % NAMES.len()];
        if self == Self::LowestFirst {
            both.sort_unstable();
        }
        both
    }
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn philosopher(first: Lock<()>, second: Lock<()>) -> TaskResult<()> {
    for _ in 0..MEALS {
        wait!(yield_now())?; // thinks
        let _first = wait!(first.lock())?;
        let _second = wait!(second.lock())?;
        wait!(yield_now())?; // eats
    }
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn dinner(version: Version) -> TaskResult<()> {
    let forks: Vec<Lock<()>> = NAMES.iter().map(|_| Lock::default()).collect();
    let mut guests = Vec::new();
    for (seat, name) in NAMES.iter().enumerate() {
        let [first, second] = version.forks(seat).map(|place| forks[place].clone());
        guests.push(spawn(sub!(philosopher(first, second))).named(name));
    }
    wait!(gather(guests))??;
    Ok(())
}

/// Studies the program in `flavour`.
///
/// # Errors
///
/// [`ReplayError`], if it is to be repeated by the line of another program.
pub fn study(flavour: Flavour, version: Version, study: &Study) -> Result<Found, ReplayError> {
    match flavour {
        Flavour::Native => study.of(|_: &World| dinner::native(version)),
        Flavour::Generator => study.of(|_: &World| dinner::generator(version)),
        Flavour::Fiber => study.of(|_: &World| dinner::fiber(version)),
    }
}

/// Runs the program in `flavour` on an ordinary loop.
///
/// # Errors
///
/// If they starve.
pub fn run(flavour: Flavour, version: Version, event_loop: &Loop) -> Result<(), RunError> {
    match flavour {
        Flavour::Native => event_loop.run(dinner::native(version)),
        Flavour::Generator => event_loop.run(dinner::generator(version)),
        Flavour::Fiber => event_loop.run(dinner::fiber(version)),
    }
}
