//! The flavours that a command line asks for.

use clap::ValueEnum;
use coro_core::stats::Flavour;

/// One flavour, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlavourChoice {
    /// An async body
    Native,
    /// A generator on genawaiter
    Generator,
    /// A fiber on corosensei
    Fiber,
    /// One after the other
    All,
}

impl FlavourChoice {
    /// The flavours, in the order in which they run.
    pub fn flavours(self) -> &'static [Flavour] {
        match self {
            Self::Native => &[Flavour::Native],
            Self::Generator => &[Flavour::Generator],
            Self::Fiber => &[Flavour::Fiber],
            Self::All => &Flavour::ALL,
        }
    }
}
