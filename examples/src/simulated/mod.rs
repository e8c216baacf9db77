//! Programs with a bug each, which the simulator finds, and the same programs without it.
//!
//! Run them as they are, as often as you like: nothing is wrong. A [`Study`] runs them in every order of events, on bad
//! networks and through crashes, until something is. `coro sim` does so from the command line.

pub mod bank;
pub mod command;
pub mod philosophers;
pub mod retries;

use std::ops::Range;

use coro_core::sim::{Explored, Explorer, Failure, Policy, ReplayError, Sim, Verdict, World};
use coro_core::task::IntoTask;
use coro_core::{JoinHandle, Loop};

/// What came of a study: nothing, or a failure.
pub type Found = Result<Explored, Box<Failure>>;

/// Runs a program again and again.
#[derive(Debug, Clone)]
pub struct Study {
    explorer: Explorer,
    runs: Runs,
}

#[derive(Debug, Clone)]
enum Runs {
    Seeds(Range<u64>),
    Line(String),
}

impl Study {
    /// Under each of these seeds, twice, until one fails.
    pub fn seeds(policy: Policy, seeds: Range<u64>) -> Self {
        Self { explorer: Explorer::new(Sim::new(0).policy(policy)), runs: Runs::Seeds(seeds) }
    }

    /// Once, as the line says that was printed with a failure.
    pub fn replay(line: &str) -> Self {
        Self { explorer: Explorer::new(Sim::new(0)), runs: Runs::Line(line.to_string()) }
    }

    /// Runs each seed once instead.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.explorer = self.explorer.once();
        self
    }

    /// Studies a program.
    #[track_caller]
    fn of<T>(&self, program: impl Fn(&World) -> T) -> Result<Found, ReplayError>
    where
        T: IntoTask<Body: 'static>,
        T::Output: Verdict + 'static,
    {
        match &self.runs {
            Runs::Seeds(seeds) => Ok(self.explorer.explore(seeds.clone(), program)),
            Runs::Line(line) => self.explorer.replay(line, program),
        }
    }
}

/// Spawns a task of any flavour on the running loop.
#[track_caller]
fn spawn<T>(task: T) -> JoinHandle<T::Output>
where
    T: IntoTask<Body: 'static>,
    T::Output: 'static,
{
    Loop::spawn_on_running("a program", task)
}
