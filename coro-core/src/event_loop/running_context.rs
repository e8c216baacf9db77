//! The context of what a loop runs.

use std::cell::Cell;

use super::callback::Callback;
use super::core::Core;
use super::current;
use crate::context::Context;
use crate::task::TaskRef;

impl Core {
    /// The context of the task or the callback that runs, on whatever loop, if one does.
    pub(crate) fn running_context() -> Option<Option<Context>> {
        Self::with_running_context(|context| {
            let lent = context.take();
            context.set(lent.clone());
            lent
        })
    }

    /// Gives the task or the callback that runs a context. It comes back if none does.
    pub(crate) fn set_running_context(context: Context) -> Result<(), Context> {
        let mut given = Some(context);
        Self::with_running_context(|of_it| of_it.set(given.take()));
        given.map_or(Ok(()), Err)
    }

    fn with_running_context<T>(look: impl FnOnce(&Cell<Option<Context>>) -> T) -> Option<T> {
        let looked = current::with_current(|core| {
            core.ready.with_running(|running| match TaskRef::of(running) {
                Some(task) => Some(task.header().with_context(look)),
                None => Callback::of(running).map(|callback| look(callback.context())),
            })
        });
        looked.flatten().flatten()
    }
}
