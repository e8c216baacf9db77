//! Who is measured.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A runtime, or one of our flavours on our loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// Async bodies on our loop
    Native,
    /// Generators on our loop
    Generator,
    /// Fibers on our loop
    Fiber,
    /// tokio's LocalRuntime
    TokioLocal,
    /// tokio's current_thread runtime
    TokioCurrentThread,
    /// async-executor's LocalExecutor, with async-io
    AsyncExecutor,
    /// monoio, on io_uring if the kernel has it
    Monoio,
    /// compio, on io_uring if the kernel has it
    Compio,
    /// glommio, on io_uring
    Glommio,
}

impl Contender {
    /// All, in the order in which they are listed everywhere.
    pub const ALL: [Self; 9] = [
        Self::Native,
        Self::Generator,
        Self::Fiber,
        Self::TokioLocal,
        Self::TokioCurrentThread,
        Self::AsyncExecutor,
        Self::Monoio,
        Self::Compio,
        Self::Glommio,
    ];

    /// Whether it is one of ours.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Native | Self::Generator | Self::Fiber)
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Native => "native",
            Self::Generator => "generator",
            Self::Fiber => "fiber",
            Self::TokioLocal => "tokio-local",
            Self::TokioCurrentThread => "tokio-current-thread",
            Self::AsyncExecutor => "async-executor",
            Self::Monoio => "monoio",
            Self::Compio => "compio",
            Self::Glommio => "glommio",
        })
    }
}
