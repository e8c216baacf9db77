//! What hardly any task has: a context, those who are called when it has ended, and a group that has asked it to end.

use std::cell::Cell;
use std::hint::cold_path;
use std::rc::Rc;

use super::{Header, Joiner};
use crate::context::Context;
use crate::event_loop::{Callback, Word};
use crate::task::landing::Landings;
use crate::task::{Cancelled, Label};

/// What hardly any task has.
#[derive(Default)]
pub(in crate::task) struct Rare {
    pub(super) name: Option<Rc<str>>,
    pub(super) joiner: Option<Joiner>,
    /// What is to be thrown, if it has something to say.
    pub(super) cancelled: Cancelled,
    /// What it was last asked to end with, if it can be told from others, and by which task.
    pub(in crate::task) asked: Option<(Cancelled, Word)>,
    /// Whose group it is a child of, once that group has asked it to end.
    parent: Option<Word>,
    /// A group of its own has asked its children to end.
    is_parent: bool,
    /// Where a cancellation can land in it.
    pub(super) landings: Option<Box<Landings>>,
    /// Its context, once there is something in it.
    context: Cell<Option<Context>>,
    /// Who is to be called when it has ended, in the order in which they asked.
    callbacks: Vec<Callback>,
    /// What its body is called, if somebody has asked while it was there.
    pub(super) label: Option<Label>,
}

impl Rare {
    /// With landings, if there were none yet.
    #[cold]
    #[inline(never)]
    pub(super) fn with_landings(rare: Option<Box<Self>>) -> Box<Self> {
        let mut rare = rare.unwrap_or_default();
        rare.landings.get_or_insert_default();
        rare
    }
}

impl Header {
    /// Looks at where a cancellation can land. Nothing of the user's may run in it.
    #[inline(always)]
    pub(in crate::task) fn with_landings<T>(&self, look: impl FnOnce(&mut Landings) -> T) -> T {
        let mut rare = match self.rare.take() {
            Some(rare) if rare.landings.is_some() => rare,
            rare => Rare::with_landings(rare),
        };
        let result = look(rare.landings.get_or_insert_default());
        self.put_back(rare);
        result
    }

    /// It is looked at no more.
    #[inline(always)]
    fn put_back(&self, rare: Box<Rare>) {
        let since = self.rare.replace(Some(rare));
        if since.is_some() {
            cold_path();
            drop(since);
        }
    }

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

/// What a circle of tasks that wait for each other is found by.
impl Header {
    /// The group that it is in has asked it to end. That of `parent` waits for it, if there still is one.
    #[cold]
    pub(crate) fn set_parent(&self, parent: Option<Word>) {
        self.with_own_rare(|rare| rare.parent = parent);
    }

    /// A group of its own has asked the children to end.
    #[cold]
    pub(in crate::task) fn note_parent(&self) {
        self.with_own_rare(|rare| rare.is_parent = true);
    }

    /// Whether one has, ever.
    pub(in crate::task) fn is_parent(&self) -> bool {
        self.with_rare(|rare| rare.is_parent) == Some(true)
    }

    /// Tells of each task that waits for its end, and whether it awaits this one, which else is in its group.
    pub(in crate::task) fn each_dependent(&self, mut tell: impl FnMut(Word, bool)) {
        self.each_waiter(|word, _| tell(word, true));
        if let Some(parent) = self.with_rare(|rare| rare.parent).flatten() {
            tell(parent, false);
        }
    }
}
