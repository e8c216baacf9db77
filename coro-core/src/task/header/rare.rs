//! What hardly any task has: a context, and those who are called when it has ended.

use std::cell::Cell;

use super::{Header, Rare};
use crate::context::Context;
use crate::event_loop::Callback;

impl Header {
    /// Looks at it, if there is any. Nothing of the user's may run in it.
    pub(in crate::task) fn with_rare<T>(&self, look: impl FnOnce(&mut Rare) -> T) -> Option<T> {
        let mut rare = self.rare.take()?;
        let looked = look(&mut rare);
        self.rare.set(Some(rare));
        Some(looked)
    }

    /// The same, made if there is none.
    pub(in crate::task) fn with_own_rare<T>(&self, look: impl FnOnce(&mut Rare) -> T) -> T {
        let mut rare = self.rare.take().unwrap_or_default();
        let looked = look(&mut rare);
        self.rare.set(Some(rare));
        looked
    }

    #[cold]
    pub(crate) fn set_context(&self, context: Context) {
        drop(self.with_own_rare(|rare| rare.context.replace(Some(context))));
    }

    /// Lends its context. Nothing of the user's may run in it.
    pub(crate) fn with_context<T>(&self, look: impl FnOnce(&Cell<Option<Context>>) -> T) -> T {
        if self.has_rare() {
            let mut look = Some(look);
            let looked = self.with_rare(|rare| look.take().map(|look| look(&rare.context)));
            if let Some(Some(looked)) = looked {
                return looked;
            }
            unreachable!("it has some");
        }
        let context = Cell::new(None);
        let looked = look(&context);
        if let Some(context) = context.take() {
            self.set_context(context);
        }
        looked
    }

    /// Its context, which is made if it had none.
    pub(in crate::task) fn context(&self) -> Context {
        if self.is_done() {
            return Context::new();
        }
        self.with_context(|context| {
            let shared = context.take().unwrap_or_default();
            context.set(Some(shared.clone()));
            shared
        })
    }

    /// It has ended, and needs it no more.
    pub(crate) fn take_context(&self) -> Option<Context> {
        self.with_rare(|rare| rare.context.take()).flatten()
    }

    /// Calls this too when it has ended.
    pub(in crate::task) fn add_callback(&self, callback: Callback) {
        self.with_own_rare(|rare| rare.callbacks.push(callback));
    }

    /// Does not call this any more. It comes back, if it was to be called.
    pub(in crate::task) fn remove_callback(&self, callback: &Callback) -> Option<Callback> {
        let remove = |rare: &mut Rare| {
            let at = rare.callbacks.iter().position(|other| other.is(callback))?;
            Some(rare.callbacks.remove(at))
        };
        self.with_rare(remove).flatten()
    }

    /// Those who are to be called now that it has ended.
    pub(crate) fn take_callbacks(&self) -> Vec<Callback> {
        self.with_rare(|rare| std::mem::take(&mut rare.callbacks)).unwrap_or_default()
    }
}
