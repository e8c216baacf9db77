//! The fiber that runs on this thread: the innermost one, if fibers have resumed fibers.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use coro_core::context::Place;

use crate::command::{self, Command, Refusals};
use crate::engine::{Erased, Switch};
use crate::local::Locals;
#[cfg(feature = "tracing")]
use crate::span::Spans;

coro_core::__local! {
    /// **Invariant:** nothing, or points to the [`Here`] of a fiber of this thread that runs: it was resumed, and has
    /// neither switched out nor ended since.
    // It needs no destructor, so it is there until the very end of the thread.
    static CURRENT: Cell<Option<NonNull<Here<'static>>>> = const { Cell::new(None) };
    /// How many fibers have begun on this thread.
    static FIBERS: Cell<u32> = const { Cell::new(0) };
}

/// A running fiber, seen from its own stack. Made by [`run_here`], at the bottom of it.
pub(crate) struct Here<'f> {
    switch: &'f Switch,
    /// What it shares with its engine, whatever its types.
    pub(crate) exchange: &'f dyn Erased,
    /// Who was current when this one was last resumed, and is again when it switches out.
    outer: Cell<Option<NonNull<Here<'static>>>>,
    stamp: Cell<Stamp>,
    refusals: Refusals,
    /// Nothing is left of them when they are cleared, so a drop would look for nothing.
    pub(crate) locals: ManuallyDrop<Locals>,
    #[cfg(feature = "tracing")]
    spans: Spans,
}

/// Which fiber, and which of its suspensions was the last. A wait that does not go on where it was does not know what it
/// has missed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    /// Of a fiber that begins: as if the one before it on this thread had suspended as often as any can.
    fn first() -> Self {
        if FIBERS.get() == 0 {
            coro_core::event_loop::refuse_in_fibers(in_fiber);
            Place::found_by(show_places);
        }
        FIBERS.set(FIBERS.get().wrapping_add(1));
        Self(u64::from(FIBERS.get()) << 32)
    }

    fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Runs the body of a fiber, on its stack, to its end.
pub(crate) fn run_here<T>(
    switch: &Switch,
    exchange: &dyn Erased,
    own_context: bool,
    body: impl FnOnce(&Here<'_>) -> T,
) -> T {
    /// Also if the body unwinds.
    struct Leaves<'a, 'f>(&'a Here<'f>);

    impl Drop for Leaves<'_, '_> {
        fn drop(&mut self) {
            self.0.leave();
        }
    }

    /// Before that, and after all else on the stack.
    struct Clears<'a, 'f>(&'a Here<'f>);

    impl Drop for Clears<'_, '_> {
        fn drop(&mut self) {
            self.0.locals.clear();
        }
    }

    let here = Here {
        switch,
        exchange,
        outer: Cell::new(None),
        stamp: Cell::new(Stamp::first()),
        refusals: Refusals::default(),
        locals: ManuallyDrop::new(Locals::default()),
        #[cfg(feature = "tracing")]
        spans: Spans::default(),
    };
    if own_context {
        here.locals.with_place(true, Place::begin);
    }
    here.enter();
    let leaves = Leaves(&here);
    let clears = Clears(leaves.0);
    body(clears.0)
}

impl Here<'_> {
    /// The fiber has been resumed.
    #[inline(always)]
    fn enter(&self) {
        #[cfg(feature = "tracing")]
        {
            self.outer.set(CURRENT.replace(None));
            self.spans.enter();
            CURRENT.set(Some(NonNull::from(self).cast()));
        }
        #[cfg(not(feature = "tracing"))]
        self.outer.set(CURRENT.replace(Some(NonNull::from(self).cast())));
    }

    /// The fiber gives the thread back to whoever resumed it.
    #[inline(always)]
    fn leave(&self) {
        #[cfg(feature = "tracing")]
        {
            CURRENT.set(None);
            self.spans.leave();
        }
        CURRENT.set(self.outer.get());
    }

    /// Switches out, until the fiber is resumed to go on.
    ///
    /// # Panics
    ///
    /// Unwinds, if the fiber is resumed for that.
    #[inline(always)]
    pub(crate) fn suspend(&self) {
        self.stamp.set(self.stamp.get().next());
        match self.switch() {
            Command::GoOn => self.enter(),
            _ => self.obey(),
        }
    }

    /// Switches out, until the fiber is resumed. For what, is asked at once: before anybody else could be resumed. Then it is to
    /// [`enter`](Self::enter), or to [`obey`](Self::obey).
    #[inline(always)]
    fn switch(&self) -> Command {
        self.leave();
        self.switch.suspend(());
        command::look()
    }

    #[cold]
    #[inline(never)]
    fn obey(&self) {
        let command = self.answer_probes(command::take());
        self.enter();
        match command {
            Command::GoOn | Command::Probe => (),
            // If it cannot be unwound, whatever it asks for next is refused.
            Command::Unwind if self.exchange.is_in_doubt() => (),
            Command::Unwind => command::unwind(),
        }
    }

    /// Before the fiber is the current one: to everybody else, it has not been resumed. The name of this function is where a
    /// backtrace begins.
    #[inline(never)]
    fn answer_probes(&self, mut command: Command) -> Command {
        while command == Command::Probe {
            command::answer_probe();
            self.switch.suspend(());
            command = command::take();
        }
        command
    }

    /// The fiber has asked to suspend where nobody would resume it. If it is being dropped, and has done so too often, it
    /// does not go on: whoever drops it leaves it alone then.
    ///
    /// # Panics
    ///
    /// In a destructor that has done so too often, which ends the program. To leave the stack in the middle of its
    /// unwinding would make the thread one that panics for ever.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&self) {
        let in_destructor = self.exchange.is_in_destructor();
        if !self.exchange.is_dropped() || self.refusals.add() {
            return;
        }
        assert!(
            !in_destructor,
            "a destructor asks to suspend for ever, while the stack of its fiber is unwound"
        );
        loop {
            self.switch();
            command::take();
            self.enter();
        }
    }

    /// Tells whether there was a suspension between two calls.
    #[inline(always)]
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp.get()
    }
}

impl fmt::Debug for Here<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Here").finish_non_exhaustive()
    }
}

/// Whether this thread is in a fiber, so that [`wait`](crate::wait()) can wait.
pub fn in_fiber() -> bool {
    CURRENT.get().is_some()
}

/// Looks at the fiber that runs on this thread.
///
/// `look` runs nothing of the user's, unless by switching out.
#[inline(always)]
pub(crate) fn with_current<T>(look: impl FnOnce(&Here<'_>) -> T) -> Option<T> {
    // SAFETY: by the invariant a pointer is to the `Here` of a fiber that runs. It lies in the frame of `run_here`, at the
    // bottom of that fiber's stack, and every way out of that frame, and every switch off that stack through us, takes
    // the pointer away first, in `leave`. What `leave` puts in its place is who was current when this fiber was resumed:
    // that one's resume is under way, for it is the caller of this fiber, and it can leave its own stack only when this one
    // has given the thread back. A `Here` never moves, and is only ever shared.
    //
    // The reference that is made here ends with `look`, in which nothing of the user's runs, so it is used by this very
    // fiber only, or, after `look` has switched out, when the same fiber has been resumed. A fiber that is never resumed
    // again was leaked, and its stack is never used again. No other thread sees the pointer, which is in a thread-local.
    CURRENT.get().map(|here| look(unsafe { here.as_ref() }))
}

/// Shows the places of the fibers that run, the innermost first, until one is seen; of those that have one, or are to.
fn show_places(make: bool, see: &mut dyn FnMut(&Place) -> bool) {
    let mut here = CURRENT.get();
    while let Some(running) = here {
        // SAFETY: as in `with_current`, of which this is the same for those further out: the resume of each is under way, for
        // the one further in was resumed by it. Nothing of the user's runs in `see`.
        let running = unsafe { running.as_ref() };
        if running.locals.with_place(make, &mut *see) == Some(true) {
            return;
        }
        here = running.outer.get();
    }
}
