//! The only ways to suspend.

/// What a body can ask for when it switches out. Every operation that suspends is built on these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<Y> {
    /// Hand out a value and wait for the next input.
    Yield(Y),
    /// Wait for a wake-up, inside the resume in progress.
    Park,
    /// Let another coroutine take this one's place until it ends (`yield from`). It is in the airlock.
    Delegate,
}
