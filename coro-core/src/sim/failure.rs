//! How a simulated run fails, and what is told of it.

use std::fmt;

/// How a simulated run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// A task panicked.
    Panicked {
        /// The host, or the task.
        who: String,
        /// The message.
        message: String,
        /// `file:line`, if it is known.
        place: Option<String>,
    },
    /// The main task of a host ended with an error.
    Failed {
        /// The host.
        host: String,
        /// The error.
        error: String,
    },
    /// Nothing can ever happen again. With who waits for what.
    Stalled(String),
    /// It did not end within this many steps.
    Endless(u64),
    /// Something went wrong where nobody could be told.
    Reported(String),
    /// It was repeated, and did something else: it depends on more than its choices.
    Diverged {
        /// From which step on.
        step: usize,
        /// What happened first.
        first: String,
        /// What happened again.
        again: String,
    },
    /// A task did something around the loop, which cannot be repeated. Only with the feature `sim-trap`.
    Leaked {
        /// The task.
        task: String,
        /// What it did, and what to do instead.
        what: &'static str,
    },
    /// Another thread had a part in it.
    Thread,
    /// A loop could not go on.
    Loop(String),
}

impl FailureKind {
    /// Whether another run failed for the same reason, as far as can be told.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Panicked { place, .. }, Self::Panicked { place: other, .. }) => place == other,
            (Self::Failed { host, .. }, Self::Failed { host: other, .. }) => host == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { who, message, place: Some(place) } => {
                write!(f, "{who} panicked at {place}: {message}")
            }
            Self::Panicked { who, message, place: None } => write!(f, "{who} panicked: {message}"),
            Self::Failed { host, error } => write!(f, "{host} failed: {error}"),
            Self::Stalled(report) => f.write_str(report),
            Self::Endless(steps) => write!(
                f,
                "it did not end within {steps} steps: does something wait by yielding? Virtual time stands still while \
                 anything is ready; for a long run raise max_steps()"
            ),
            Self::Reported(exception) => f.write_str(exception),
            Self::Diverged { step, first, again } => write!(
                f,
                "the same choices led to different runs, from step {step} on:\n  first: {first}\n  again: {again}\n\
                 it depends on something beside the loop: a HashMap with a random state (use \
                 coro_core::random::RandomState), Instant::now (use time::now), a thread, the environment, a static"
            ),
            Self::Leaked { task, what } => write!(f, "{task} {what}"),
            Self::Thread => f.write_str(
                "another thread woke a task or called into the loop: such a run cannot be repeated. Let the work be done \
                 by a task, or by executor::run_in_executor",
            ),
            Self::Loop(error) => f.write_str(error),
        }
    }
}

/// A simulated run that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// How.
    pub kind: FailureKind,
    /// Of the run that was found first.
    pub seed: u64,
    /// What repeats this very run: `CORO_SIM_REPLAY=…`, or [`Explorer::replay`](super::Explorer::replay).
    pub replay: String,
    /// Each step of it: when, who, why, and what it waited for then.
    pub schedule: Vec<String>,
    /// What else was noticed.
    pub hints: Vec<String>,
    /// The seed gave a longer run, which was shrunk to this.
    pub shrunk: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.kind)?;
        for hint in &self.hints {
            writeln!(f, "note: {hint}")?;
        }
        let shrunk = if self.shrunk { ", shrunk" } else { "" };
        writeln!(f, "seed {}{shrunk}; the run, {} steps:", self.seed, self.schedule.len())?;
        for (step, line) in self.schedule.iter().enumerate() {
            writeln!(f, "  {:>3}  {line}", step + 1)?;
        }
        write!(f, "to repeat it: CORO_SIM_REPLAY={}", self.replay)?;
        if let Some(test) = std::thread::current().name().filter(|name| *name != "main") {
            write!(f, " cargo test {test}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
