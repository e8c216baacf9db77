//! `coro sim`: explores a program that has a bug, or the same one without it.

use std::env;
use std::io::{self, Write};

use clap::{Args, ValueEnum};
use coro_core::sim::{Policy, ReplayError};
use coro_core::stats::Flavour;

use super::{Found, Study, bank, philosophers, retries};
use crate::flavour_choice::FlavourChoice;

/// What is explored, and how.
#[derive(Debug, Args)]
pub struct SimArgs {
    /// The program
    #[arg(value_enum)]
    program: Studied,
    /// How many seeds to try, each of them twice
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    seeds: u64,
    /// In which order what is ready runs
    #[arg(long, value_enum, default_value = "random")]
    policy: PolicyChoice,
    /// The flavour of its tasks: native, if nothing else is said
    #[arg(long, value_enum)]
    flavour: Option<FlavourChoice>,
    /// Take the version without the bug
    #[arg(long)]
    fixed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Studied {
    /// A race that the order of production does not have
    Bank,
    /// Requests over a bad network, to a server that crashes
    Retries,
    /// A deadlock
    Philosophers,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PolicyChoice {
    /// First in, first out: only faults and delays are left to chance
    Fifo,
    /// Any one, each as likely
    Random,
    /// By priorities, which change at a few points
    Pct,
}

impl PolicyChoice {
    fn policy(self) -> Policy {
        match self {
            Self::Fifo => Policy::Fifo,
            Self::Random => Policy::Random,
            Self::Pct => Policy::Pct { depth: 3, steps: 30 },
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Studies {
    /// Nothing failed.
    Passed,
    /// A failure was found, and printed.
    Failed,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The command line makes no sense.
    #[error("the server of retries is made of fibers and its client is native: leave --flavour out")]
    Mixed,
    /// `CORO_SIM_REPLAY` is no line of this program.
    #[error("CORO_SIM_REPLAY: {0}")]
    Replay(#[from] ReplayError),
    /// The output could not be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Does what the arguments say, or what `CORO_SIM_REPLAY` says, and prints what came of it.
///
/// # Errors
///
/// [`SimError`].
pub fn run(arguments: &SimArgs, out: &mut dyn Write) -> Result<Studies, SimError> {
    let study = match env::var("CORO_SIM_REPLAY") {
        Ok(line) => Study::replay(&line),
        Err(_) => Study::seeds(arguments.policy.policy(), 0..arguments.seeds),
    };
    if arguments.program == Studied::Retries && arguments.flavour.is_some() {
        return Err(SimError::Mixed);
    }
    let mut studies = Studies::Passed;
    for &flavour in arguments.flavour.unwrap_or(FlavourChoice::Native).flavours() {
        match arguments.found(flavour, &study)? {
            Ok(explored) => {
                writeln!(out, "nothing was found in {} run(s), {} steps", explored.runs, explored.steps)?
            }
            Err(failure) => {
                writeln!(out, "{failure}")?;
                studies = Studies::Failed;
            }
        }
    }
    Ok(studies)
}

impl SimArgs {
    fn found(&self, flavour: Flavour, study: &Study) -> Result<Found, ReplayError> {
        match self.program {
            Studied::Bank => {
                let version = if self.fixed { bank::Version::Locked } else { bank::Version::Racy };
                bank::study(flavour, version, study)
            }
            Studied::Retries => {
                let version = if self.fixed { retries::Version::ExactlyOnce } else { retries::Version::Late };
                retries::study(version, study)
            }
            Studied::Philosophers => {
                let version = if self.fixed {
                    philosophers::Version::LowestFirst
                } else {
                    philosophers::Version::LeftFirst
                };
                philosophers::study(flavour, version, study)
            }
        }
    }
}
