//! Runs under many seeds, and the simplest that fails.

use std::any::type_name_of_val;
use std::env;
use std::panic::Location;

use super::quiet::{self, Quiet};
use super::replay::{Recorded, ReplayError};
use super::shrink::shrink;
use super::trace::{Trace, Traced};
use super::{Failure, FailureKind, Policy, Record, Run, Sim, Verdict, World};
use crate::task::IntoTask;

/// Runs the program once, and says how it failed, if it did.
type Try<'a> = &'a dyn Fn(&Sim, Traced) -> (Option<FailureKind>, Record);

/// What [`explore`] has found when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// How many runs there were, the repeated ones not counted.
    pub runs: u64,
    /// How many steps they took together.
    pub steps: u64,
}

/// How to explore. [`explore`] does it as is.
#[derive(Debug, Clone)]
pub struct Explorer {
    sim: Sim,
    repeated: bool,
    shrinking: usize,
}

/// How many runs go into making a failure simple.
const SHRINKING: usize = 2_000;

/// Runs a program under each of the seeds, twice, until one fails; that is shrunk.
///
/// If `CORO_SIM_REPLAY` has a line of this program, only that is run.
///
/// # Errors
///
/// The [`Failure`], of the simplest run that was found to fail.
#[track_caller]
pub fn explore<T>(
    seeds: impl IntoIterator<Item = u64>,
    program: impl Fn(&World) -> T,
) -> Result<Explored, Box<Failure>>
where
    T: IntoTask<Body: 'static>,
    T::Output: Verdict + 'static,
{
    Explorer::new(Sim::new(0)).explore(seeds, program)
}

/// [`explore`]s a thousand seeds, in a test.
///
/// # Panics
///
/// With the [`Failure`].
#[track_caller]
pub fn check<T>(program: impl Fn(&World) -> T)
where
    T: IntoTask<Body: 'static>,
    T::Output: Verdict + 'static,
{
    if let Err(failure) = explore(0..1_000, program) {
        panic!("{failure}");
    }
}

impl Explorer {
    /// Explores with the settings of `sim`; its seed does not matter.
    pub fn new(sim: Sim) -> Self {
        Self { sim, repeated: true, shrinking: SHRINKING }
    }

    /// Does not run each seed twice.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.repeated = false;
        self
    }

    /// How many runs go into making a failure simple: 2,000, if nothing else is said.
    #[must_use]
    pub fn shrinking(mut self, runs: usize) -> Self {
        self.shrinking = runs;
        self
    }

    /// [`explore`]s with these settings.
    ///
    /// # Errors
    ///
    /// The [`Failure`].
    ///
    /// # Panics
    ///
    /// With a [`ReplayError`], if `CORO_SIM_REPLAY` has no whole line, or one of another version.
    #[track_caller]
    pub fn explore<T>(
        &self,
        seeds: impl IntoIterator<Item = u64>,
        program: impl Fn(&World) -> T,
    ) -> Result<Explored, Box<Failure>>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let (name, place) = (type_name_of_val(&program), Location::caller());
        let run = move |sim: &Sim, traced| {
            let Run { outcome, record } = sim.run_once(&program, place, traced, Verdict::error);
            (outcome.err(), record)
        };
        if let Ok(line) = env::var("CORO_SIM_REPLAY") {
            match Recorded::decode(&line, name) {
                // Of another test of the same run.
                Err(ReplayError::OtherProgram { .. }) => {}
                Err(error) => panic!("CORO_SIM_REPLAY: {error}"),
                Ok(recorded) => return self.repeat(recorded, name, &run),
            }
        }
        let _quiet = Quiet::new();
        let mut explored = Explored { runs: 0, steps: 0 };
        for seed in seeds {
            explored.steps += self.try_seed(seed, name, &run)?;
            explored.runs += 1;
        }
        Ok(explored)
    }

    /// Runs the program as a replay line says, and gives what came of it.
    ///
    /// # Errors
    ///
    /// [`ReplayError`], if the line is not one of this program.
    #[track_caller]
    pub fn replay<T>(
        &self,
        line: &str,
        program: impl Fn(&World) -> T,
    ) -> Result<Result<Explored, Box<Failure>>, ReplayError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let (name, place) = (type_name_of_val(&program), Location::caller());
        let run = move |sim: &Sim, traced| {
            let Run { outcome, record } = sim.run_once(&program, place, traced, Verdict::error);
            (outcome.err(), record)
        };
        Ok(self.repeat(Recorded::decode(line, name)?, name, &run))
    }

    /// Gives how many steps it took.
    fn try_seed(&self, seed: u64, name: &'static str, run: Try<'_>) -> Result<u64, Box<Failure>> {
        let sim = Sim { seed, recorded: None, ..self.sim.clone() };
        let (failed, first) = run(&sim, Traced::No);
        if let Some(kind) = failed {
            return Err(self.simplest(&sim, &kind, first.choices, name, run));
        }
        if self.repeated && run(&sim, Traced::No).1.digest != first.digest {
            return Err(diverged(&sim, name, run));
        }
        Ok(first.steps)
    }

    fn repeat(&self, recorded: Recorded, name: &'static str, run: Try<'_>) -> Result<Explored, Box<Failure>> {
        quiet::install();
        let sim = replaying(&self.sim, recorded);
        match run(&sim, Traced::Yes) {
            (Some(kind), record) => Err(record.failure(kind, &sim, name)),
            (None, record) => Ok(Explored { runs: 1, steps: record.steps }),
        }
    }

    /// Shrinks a failure.
    fn simplest(
        &self,
        sim: &Sim,
        kind: &FailureKind,
        choices: Vec<u64>,
        name: &'static str,
        run: Try<'_>,
    ) -> Box<Failure> {
        let explores = sim.settings.policy.explores();
        let with = |choices: &[u64]| replaying(sim, Recorded { choices: choices.to_vec(), explores });
        let mut fails = |candidate: &[u64]| {
            let (failed, record) = run(&with(candidate), Traced::No);
            failed.filter(|other| other.is_like(kind)).map(|_| record.choices)
        };
        let simplest = with(&shrink(choices, self.shrinking, &mut fails));
        match run(&simplest, Traced::Yes) {
            (Some(kind), record) => {
                let mut failure = record.failure(kind, sim, name);
                failure.shrunk = true;
                failure
            }
            // Not the same again.
            (None, _) => diverged(sim, name, run),
        }
    }
}

/// A run as it was recorded.
fn replaying(sim: &Sim, recorded: Recorded) -> Sim {
    let mut sim = sim.clone();
    // Any order is in the record, whichever policy has drawn it.
    sim.settings.policy = if recorded.explores { Policy::Random } else { Policy::Fifo };
    sim.recorded = Some(recorded);
    sim
}

/// Two runs of one seed that are not the same, up to where they part.
fn diverged(sim: &Sim, name: &'static str, run: Try<'_>) -> Box<Failure> {
    let [(_, first), (_, again)] = [run(sim, Traced::Yes), run(sim, Traced::Yes)];
    let lines = |record: &Record| record.trace.as_ref().map(Trace::lines).unwrap_or_default();
    let (one, other) = (lines(&first), lines(&again));
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let line = |lines: &[String]| lines.get(same).cloned().unwrap_or_else(|| "it is over".to_string());
    let kind = FailureKind::Diverged { step: same + 1, first: line(&one), again: line(&other) };
    let mut failure = first.failure(kind, sim, name);
    failure.schedule.truncate(same + 1);
    failure
}
