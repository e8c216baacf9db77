//! What a loop can drive as an actor.

use crate::coroutine::Coroutine;
use crate::task::Prepared;

/// What can be [driven](super::EventLoop::drive): every coroutine, and what becomes one when a loop takes it.
pub trait IntoDriven {
    /// The coroutine that the loop will drive.
    type Coroutine: Coroutine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static;

    /// Makes the coroutine, for a loop only. Nothing runs yet.
    fn into_driven(self) -> Prepared<Self::Coroutine>;
}

impl<C> IntoDriven for C
where
    C: Coroutine<Send: 'static, Yield: 'static, Return: 'static, Error: 'static> + 'static,
{
    type Coroutine = C;

    fn into_driven(self) -> Prepared<C> {
        Prepared::new(self)
    }
}
