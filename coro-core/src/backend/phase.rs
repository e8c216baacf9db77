//! Where a coroutine stands between two resumes.

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Created,
    /// At a wait of its own.
    Parked,
    /// At a wait of the top of its chain.
    ParkedAbove,
    /// At a wait of its own, where what it is resumed with is put already.
    Begun,
    /// At a `yield` of its own.
    Suspended,
    /// At a `yield` of the top of its chain.
    Delegating,
    Finished,
}

impl Phase {
    pub(super) fn is_parked(self) -> bool {
        matches!(self, Self::Parked | Self::ParkedAbove | Self::Begun)
    }
}
