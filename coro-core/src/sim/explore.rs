//! Runs under many seeds, and the simplest that fails.

use std::env;

use super::quiet::Quiet;
use super::replay::{Recorded, ReplayError};
use super::shrink::shrink;
use super::trace::Trace;
use super::{Failure, FailureKind, Policy, Run, Sim, Verdict, World};
use crate::task::IntoTask;

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
    pub fn explore<T>(
        &self,
        seeds: impl IntoIterator<Item = u64>,
        program: impl Fn(&World) -> T,
    ) -> Result<Explored, Box<Failure>>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let name = std::any::type_name_of_val(&program);
        if let Ok(line) = env::var("CORO_SIM_REPLAY") {
            match Recorded::decode(&line, name) {
                // Of another test of the same run.
                Err(ReplayError::OtherProgram { .. }) => {}
                Err(error) => panic!("CORO_SIM_REPLAY: {error}"),
                Ok(recorded) => return self.repeat(recorded, &program),
            }
        }
        let _quiet = Quiet::new();
        let mut explored = Explored { runs: 0, steps: 0 };
        for seed in seeds {
            let sim = Sim { seed, recorded: None, ..self.sim.clone() };
            let run = sim.run_once(&program, false, Verdict::error);
            explored.runs += 1;
            explored.steps += run.steps;
            if let Err(kind) = run.outcome {
                return Err(self.simplest(&sim, kind, run.choices, &program));
            }
            if self.repeated {
                let again = sim.run_once(&program, false, Verdict::error);
                if again.digest != run.digest {
                    return Err(self.diverged(&sim, &program));
                }
            }
        }
        Ok(explored)
    }

    /// Runs the program as a replay line says, and gives what came of it.
    ///
    /// # Errors
    ///
    /// [`ReplayError`], if the line is not one of this program.
    pub fn replay<T>(
        &self,
        line: &str,
        program: impl Fn(&World) -> T,
    ) -> Result<Result<Explored, Box<Failure>>, ReplayError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let recorded = Recorded::decode(line, std::any::type_name_of_val(&program))?;
        Ok(self.repeat(recorded, &program))
    }

    fn repeat<T>(&self, recorded: Recorded, program: &impl Fn(&World) -> T) -> Result<Explored, Box<Failure>>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let sim = self.replaying(recorded);
        let run = sim.run_once(program, true, Verdict::error);
        let steps = run.steps;
        match told(&sim, run, program, false) {
            Some(failure) => Err(failure),
            None => Ok(Explored { runs: 1, steps }),
        }
    }

    fn replaying(&self, recorded: Recorded) -> Sim {
        let mut sim = self.sim.clone();
        // Any order is given by the record, whichever policy has drawn it.
        sim.settings.policy = if recorded.explores { Policy::Random } else { Policy::Fifo };
        sim.recorded = Some(recorded);
        sim
    }

    /// Shrinks a failure.
    fn simplest<T>(
        &self,
        sim: &Sim,
        kind: FailureKind,
        choices: Vec<u64>,
        program: &impl Fn(&World) -> T,
    ) -> Box<Failure>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let explores = sim.settings.policy.explores();
        let run = |choices: &[u64], traced| {
            let recorded = Recorded { choices: choices.to_vec(), explores };
            self.replaying(recorded).run_once(program, traced, Verdict::error)
        };
        let mut fails = |candidate: &[u64]| {
            let run = run(candidate, false);
            run.outcome.is_err_and(|other| other.is_like(&kind)).then_some(run.choices)
        };
        let simplest = shrink(choices, self.shrinking, &mut fails);
        let last = run(&simplest, true);
        told(sim, last, program, true).unwrap_or_else(|| self.diverged(sim, program))
    }

    /// The first step that is not the same in two runs of one seed.
    fn diverged<T>(&self, sim: &Sim, program: &impl Fn(&World) -> T) -> Box<Failure>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        let first = sim.run_once(program, true, Verdict::error);
        let again = sim.run_once(program, true, Verdict::error);
        let lines = |trace: &Option<Trace>| trace.as_ref().map(Trace::lines).unwrap_or_default();
        let (mut one, other) = (lines(&first.trace), lines(&again.trace));
        let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        let line = |lines: &[String]| lines.get(same).cloned().unwrap_or_else(|| "it is over".to_string());
        let kind = FailureKind::Diverged { step: same + 1, first: line(&one), again: line(&other) };
        one.truncate(same + 1);
        let recorded = Recorded { choices: first.choices, explores: sim.settings.policy.explores() };
        Box::new(Failure {
            kind,
            seed: sim.seed,
            replay: recorded.encode(std::any::type_name_of_val(program)),
            schedule: one,
            hints: first.hints,
            shrunk: false,
        })
    }
}

/// What there is to tell of a run that failed.
fn told<T, P>(sim: &Sim, run: Run<T>, _program: &P, shrunk: bool) -> Option<Box<Failure>> {
    let kind = run.outcome.err()?;
    let recorded = Recorded { choices: run.choices, explores: sim.settings.policy.explores() };
    Some(Box::new(Failure {
        kind,
        seed: sim.seed,
        replay: recorded.encode(std::any::type_name::<P>()),
        schedule: run.trace.as_ref().map(Trace::lines).unwrap_or_default(),
        hints: run.hints,
        shrunk,
    }))
}
