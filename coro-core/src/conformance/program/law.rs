//! Which laws random programs meet, and how often they must.

use std::collections::BTreeMap;

use super::Runs;

/// How often each law was met.
pub type Laws = BTreeMap<&'static str, u32>;

/// How often each law is met at least, when as many programs are run as usual.
pub const LEAST: u32 = 1_000;

/// The laws that are counted, named as the [contract](mod@crate::coroutine) numbers them, and some ways to meet them.
pub const LAWS: [&str; 43] = [
    "D1 a new sub",
    "D1 a value goes to the sub",
    "D2 the value of the sub",
    "D3 the error of the sub",
    "D4 a throw goes to the sub",
    "D5 an error replaces the exit",
    "D5 an exit closes the sub",
    "D5 an exit discards the value of the sub",
    "D5 the delegator of a sub that ignores the exit catches that",
    "D5 the sub ignores the exit",
    "D7 an iterator",
    "D7 an iterator cannot be thrown at",
    "D7 an iterator cannot receive",
    "D8 a finished sub",
    "D8 a shared sub",
    "D8 a shared sub again",
    "D8 a started sub",
    "D8 a started sub gets a value",
    "D9 a delegate is visible",
    "L1 created refuses a value",
    "L1 next starts",
    "L11 an error finishes",
    "L2 throw into created",
    "L3 close of created",
    "L4 finished for ever",
    "L5 L10 close of finished",
    "L5 throw into finished",
    "L6 running, directly",
    "L6 running, from a delegated frame",
    "L7 throw at a yield",
    "L7 throw(Exit) at a yield",
    "L8 a close is answered with a return",
    "L8 a close is answered with a yield",
    "L8 a close is answered with an error",
    "L8 a close lets Exit out",
    "L9 Exit meets ordinary handlers",
    "a misuse is caught",
    "a shared sub is closed from outside",
    "a shared sub is resumed from outside",
    "a shared sub is thrown at from outside",
    "a sub was ended by others",
    "a wait",
    "raise Exit",
];

/// Those to which nothing in Python is like, or hardly anything.
pub const OUTSIDE_PYTHON: [&str; 7] = [
    "D10 inlining is not seen",
    "D10 nesting is not seen",
    "D8 a parked sub",
    "D8 a running sub",
    "L6 parked refuses a value",
    "L7 throw at a wait",
    "L8 close at a wait",
];

/// How often [`run_until_each`] runs programs, at most.
const ROUNDS: u32 = 8;

/// Runs programs with `run`, and again, until each of `laws` was met often enough. What random programs meet varies a lot.
/// Fewer programs than usual are run once, and tell nothing of it. Nothing is told either if `run` could not be done,
/// and gives `None`.
///
/// # Errors
///
/// That of `run`, or a law that was not met often enough.
pub fn run_until_each<'a>(
    laws: impl IntoIterator<Item = &'a &'a str>,
    runs: &Runs,
    mut run: impl FnMut(&Runs) -> Result<Option<Laws>, String>,
) -> Result<(), String> {
    let laws: Vec<_> = laws.into_iter().collect();
    let mut met = Laws::new();
    let mut seldom = None;
    for _ in 0..ROUNDS {
        let Some(round) = run(runs)? else { return Ok(()) };
        for (law, times) in round {
            *met.entry(law).or_default() += times;
        }
        seldom = laws.iter().find(|law| met.get(***law).copied().unwrap_or(0) < LEAST);
        if seldom.is_none() || runs.programs < Runs::USUAL {
            return Ok(());
        }
    }
    match seldom {
        Some(law) => Err(format!(
            "{law}: met fewer than {LEAST} times in {ROUNDS} rounds of {} programs",
            runs.programs
        )),
        None => Ok(()),
    }
}
