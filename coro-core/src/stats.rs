//! How often each engine switched: what a comparison of the flavours is checked with.

#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

#[cfg(feature = "std")]
use core::cell::Cell;
use core::fmt;
use core::ops::{Add, Sub};

/// The three ways to write a coroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flavour {
    /// An `async` body: a state machine made by the compiler.
    Native,
    /// A generator on genawaiter.
    Generator,
    /// A stackful fiber on corosensei.
    Fiber,
}

impl Flavour {
    /// All three, in the order in which they are listed everywhere.
    pub const ALL: [Self; 3] = [Self::Native, Self::Generator, Self::Fiber];
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Native => "native",
            Self::Generator => "generator",
            Self::Fiber => "fiber",
        })
    }
}

/// Switches of one engine.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// How often a body was run, to a suspension or to its end. A run that panics is not counted.
    pub resumes: u64,
    /// How often it suspended at a `yield`.
    pub yields: u64,
    /// How often it suspended to wait for a wake-up.
    pub parks: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            resumes: self.resumes + other.resumes,
            yields: self.yields + other.yields,
            parks: self.parks + other.parks,
        }
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            resumes: self.resumes - earlier.resumes,
            yields: self.yields - earlier.yields,
            parks: self.parks - earlier.parks,
        }
    }
}

#[cfg(feature = "std")]
crate::__local! {
    static COUNTS: [Cell<Counts>; 3] = const { [const { Cell::new(Counts { resumes: 0, yields: 0, parks: 0 }) }; 3] };
}

/// The switches of one flavour on this thread, by coroutines that have been dropped. The live ones count for
/// themselves, so that a resume costs no look-up. A snapshot: subtract an earlier one.
///
/// Without the feature `std` there are no threads to count for, and no such function.
#[cfg(feature = "std")]
pub fn counts(flavour: Flavour) -> Counts {
    COUNTS.with(|counts| counts[flavour as usize].get())
}

#[cfg(feature = "std")]
pub(crate) fn record(flavour: Flavour, counts: &Counts) {
    // A coroutine that dies with its thread has nobody left to be counted for.
    let _ = COUNTS.try_with(|all| {
        let slot = &all[flavour as usize];
        slot.set(slot.get() + *counts);
    });
}

#[cfg(not(feature = "std"))]
pub(crate) fn record(_flavour: Flavour, _counts: &Counts) {}
