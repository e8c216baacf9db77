//! Where the current context is found.
//!
//! Nothing is switched when a task goes on. Whoever asks for the context looks, from the inside out, at the places that say
//! which one it is:
//!
//! ```text
//!   the fiber that runs ─▶ the one that resumed it ─▶ … ─▶ the thread     each has a Place
//!        says: "in this one", or "ask who runs me", or "ask the loop"
//!                                                              │
//!   the loop: the task or the callback that is being run ◀─────┘
//!   nobody: that of the thread
//! ```

use std::cell::Cell;
use std::fmt;

use super::Context;
use crate::event_loop::Core;

crate::__local! {
    /// A context variable was set on this thread, ever: else there is nothing to look for.
    static USED: Cell<bool> = const { Cell::new(false) };
    /// Of the thread's own stack.
    static PLACE: Place = const { Place::new() };
    /// Shows the places of the fibers that run, the innermost first, until one is seen.
    static FIBERS: Cell<Option<Fibers>> = const { Cell::new(None) };
    /// For what no loop runs.
    static OF_THREAD: Cell<Option<Context>> = const { Cell::new(None) };
}

type Fibers = fn(bool, &mut dyn FnMut(&Place) -> bool);

/// What a stack says about the context of what runs on it. For flavours whose bodies have stacks of their own, which keep one
/// for each that has something to say.
#[derive(Default)]
pub struct Place(Cell<Says>);

#[derive(Default)]
enum Says {
    /// Ask who runs this stack.
    #[default]
    Outside,
    /// Ask the loop.
    Loop,
    /// In this one, which is made when it is needed.
    Own(Option<Context>),
}

impl Place {
    /// That of a body that has the context of whoever resumes it, until it enters another one.
    pub const fn new() -> Self {
        Self(Cell::new(Says::Outside))
    }

    /// That of a body that begins with a copy of the current context for itself.
    #[cold]
    pub fn begin(&self) {
        self.0.set(Says::Own(if is_used() { inherited() } else { None }));
    }

    /// Tells how to find the places of the fibers that run on this thread: `show` is to show them, the innermost first, until
    /// it is told that one is enough. Those that have none are left out, unless the first argument says to make them one.
    pub fn found_by(show: Fibers) {
        FIBERS.set(Some(show));
    }

    fn says_outside(&self) -> bool {
        let says = self.0.take();
        let outside = matches!(says, Says::Outside);
        self.0.set(says);
        outside
    }

    /// What is being said here, or by who runs this.
    fn find(what: impl FnOnce(&Self)) {
        let mut what = Some(what);
        let mut look = |place: &Self, last: bool| {
            let found = last || !place.says_outside();
            if found && let Some(what) = what.take() {
                what(place);
            }
            found
        };
        if let Some(show) = FIBERS.get() {
            show(false, &mut |place| look(place, false));
        }
        // While the thread ends it may be gone, and says nothing.
        if PLACE.try_with(|place| look(place, true)).is_err() {
            look(&Self::new(), true);
        }
    }

    /// Replaces what the innermost stack says.
    fn replace_innermost(says: Says) -> Says {
        let (mut says, mut before) = (Some(says), None);
        let mut replace = |place: &Self| {
            if let Some(says) = says.take() {
                before = Some(place.0.replace(says));
            }
            true
        };
        if let Some(show) = FIBERS.get() {
            show(true, &mut replace);
        }
        let _ = PLACE.try_with(replace);
        before.unwrap_or_default()
    }
}

/// The context of this stack, until it is dropped.
pub(super) struct InPlace(Option<Says>);

impl InPlace {
    pub(super) fn enter(context: Context) -> Self {
        USED.set(true);
        Self(Some(Place::replace_innermost(Says::Own(Some(context)))))
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            let entered = Place::replace_innermost(before);
            drop(entered);
        }
    }
}

/// What runs on top of this stack is the loop's business, until it is dropped. Made by [`set_aside`].
#[must_use]
pub(crate) struct Aside(
    /// Made at the beginning and dropped at the end: its drop does the rest.
    #[expect(dead_code, reason = "it is dropped")]
    InPlace,
);

/// Sets aside what the present stack says: a loop begins to run on it what has a context of its own.
#[inline(always)]
pub(crate) fn set_aside() -> Aside {
    // Where nothing was ever set, nobody says anything.
    Aside(InPlace(if is_used() { Some(ask_the_loop()) } else { None }))
}

#[cold]
#[inline(never)]
fn ask_the_loop() -> Says {
    Place::replace_innermost(Says::Loop)
}

/// The same for what is called as if on another thread: without values.
pub(crate) fn begin_without() -> Aside {
    Aside(InPlace(Some(Place::replace_innermost(Says::Own(None)))))
}

/// Looks at the current context, if there is one. Nothing of the user's may run in it.
pub(super) fn with_current<R>(look: impl FnOnce(Option<&Context>) -> R) -> R {
    if !USED.get() {
        return look(None);
    }
    let mut current = None;
    Place::find(|place| {
        let says = place.0.take();
        current = match &says {
            Says::Own(context) => context.clone(),
            Says::Outside | Says::Loop => of_what_runs(),
        };
        place.0.set(says);
    });
    look(current.as_ref())
}

/// Changes the current context, which is made if there is none. Nothing of the user's may run in it.
pub(super) fn change_current<R>(change: impl FnOnce(&Context) -> R) -> R {
    USED.set(true);
    if let Some(current) = with_current(|context| context.cloned()) {
        return change(&current);
    }
    let made = Context::new();
    Place::find(|place| {
        let says = place.0.take();
        let says = match says {
            Says::Own(_) => Says::Own(Some(made.clone())),
            says => {
                set_of_what_runs(made.clone());
                says
            }
        };
        place.0.set(says);
    });
    change(&made)
}

/// Whether there may be something to inherit.
#[inline(always)]
pub(crate) fn is_used() -> bool {
    USED.get()
}

/// A copy of the current context, for what begins with it. None if there are no values.
#[cold]
#[inline(never)]
pub(crate) fn inherited() -> Option<Context> {
    with_current(|context| context.filter(|context| !context.is_empty()).map(Context::duplicate))
}

fn of_what_runs() -> Option<Context> {
    match Core::running_context() {
        Some(context) => context,
        None => {
            let replace = |of_thread: &Cell<Option<Context>>| {
                let context = of_thread.take();
                of_thread.set(context.clone());
                context
            };
            OF_THREAD.try_with(replace).ok().flatten()
        }
    }
}

fn set_of_what_runs(context: Context) {
    if let Err(context) = Core::set_running_context(context) {
        // While the thread ends, whoever sets it has the only one.
        let _ = OF_THREAD.try_with(|of_thread| of_thread.set(Some(context)));
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("outside", &self.says_outside()).finish()
    }
}
