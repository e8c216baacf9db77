//! Why a job, or a pool, came to nothing.

use std::io;

use crate::task::Panic;

/// Why a job has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// It panicked.
    #[error("the job panicked: {0}")]
    Panicked(Panic),
    /// It was cancelled before it began.
    #[error("the job was cancelled before it began")]
    Cancelled,
    /// Its pool takes no more jobs.
    #[error("the pool was shut down and takes no more jobs: submit before that, or make another pool")]
    ShutDown,
    /// Its pool was abandoned before it began.
    #[error("the pool was abandoned before the job began: shut it down instead, to wait for every job")]
    Abandoned,
    /// The system gave its pool no thread at all.
    #[error("no thread could be begun for the job: {0}; use fewer workers, or raise the limit of the system")]
    NoThread(io::Error),
}

impl JobError {
    /// Whether the job was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }
}

/// What is wrong with a pool that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// It would have no thread.
    #[error("a pool without workers would never run a job: give it at least one")]
    NoWorkers,
    /// A thread cannot have such a name.
    #[error("the name of a pool becomes that of its threads, which must not contain a zero byte")]
    ZeroInName,
}
