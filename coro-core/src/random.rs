//! Random numbers that a simulated run can repeat.
//!
//! They come from the driver of the running loop: those of a real one cannot be foreseen, those of a simulated one are the
//! same again when the run is repeated. Not for secrets.

use std::hash::{BuildHasher, DefaultHasher, Hasher};

use crate::event_loop::Core;

/// A random number.
///
/// Outside a running loop it cannot be foreseen.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, random};
///
/// let numbers = || Loop::simulated().run(async { [random::number(), random::number()] }).unwrap();
/// assert_eq!(numbers(), numbers());
/// assert_ne!(numbers()[0], numbers()[1]);
/// ```
pub fn number() -> u64 {
    Core::on_current(Core::random).unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish())
}

/// Seeds hash maps with [`number`]s: as hard to foresee as the standard library's on a real loop, and with the same order
/// again in a simulated run that is repeated.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, random::RandomState};
/// use std::collections::HashMap;
///
/// let order = || {
///     Loop::simulated().run(async {
///         let mut map = HashMap::<u32, u32, RandomState>::default();
///         map.extend((0..100).map(|key| (key, key)));
///         map.into_keys().collect::<Vec<_>>()
///     })
/// };
/// assert_eq!(order().unwrap(), order().unwrap());
/// ```
#[derive(Debug, Clone)]
pub struct RandomState(u64);

impl RandomState {
    /// A state of its own.
    pub fn new() -> Self {
        Self(number())
    }
}

impl Default for RandomState {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}
