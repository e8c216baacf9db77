//! A context between its two ends.

use core::marker::PhantomData;
use core::panic::Location;

use crate::coroutine::{AsyncContext, Ending};
use crate::event_loop::{CleanupError, Core};

/// A context that was entered. Dropped before it was left, its loop leaves it.
#[derive(Debug)]
pub struct Entered<C: AsyncContext<E> + 'static, E: 'static> {
    context: Option<C>,
    entered_at: &'static Location<'static>,
    error: PhantomData<fn() -> E>,
}

impl<C: AsyncContext<E> + 'static, E: 'static> Entered<C, E> {
    /// `context` has been entered.
    #[track_caller]
    pub fn new(context: C) -> Self {
        Self { context: Some(context), entered_at: Location::caller(), error: PhantomData }
    }

    /// Leaves it.
    ///
    /// # Errors
    ///
    /// Those of [`AsyncContext::exit`].
    pub async fn exit(mut self, ending: Ending) -> Result<(), E> {
        match self.context.take() {
            Some(context) => context.exit(ending).await,
            None => Ok(()),
        }
    }
}

impl<C: AsyncContext<E> + 'static, E: 'static> Drop for Entered<C, E> {
    fn drop(&mut self) {
        if let Some(context) = self.context.take()
            && let Some(core) = Core::current_for_cleanup()
        {
            let exit = async { context.exit(Ending::Cancelled).await.map_err(CleanupError::raised) };
            core.clean_up(exit, self.entered_at);
        }
    }
}
