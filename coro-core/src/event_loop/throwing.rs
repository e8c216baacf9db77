//! What is being thrown into the task that runs, while that is polled to find who hears it.

use super::core::Core;
use super::current;
use crate::task::Cancelled;

/// Who has heard what is being thrown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Heard {
    #[default]
    Nobody,
    /// Somebody who waits on: for a task that he has asked to end, or behind a shield.
    Waits,
    /// Somebody who goes on.
    Caught,
}

/// What is thrown, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Throw {
    cancelled: Option<Cancelled>,
    /// The part of the task that throws; `None` for the task itself.
    source: Option<usize>,
    /// It was thrown at this part before.
    again: bool,
    heard: Heard,
}

/// A throw into a part of the body, until it is [over](Self::end) or dropped: then what was thrown before is again.
#[must_use]
pub(crate) struct Throwing(Option<Throw>);

impl Throwing {
    /// Who has heard it.
    pub(crate) fn end(mut self) -> Heard {
        self.restore()
    }

    fn restore(&mut self) -> Heard {
        let Some(before) = self.0.take() else { return Heard::Nobody };
        current::with_current(|core| core.throwing.replace(before).heard).unwrap_or_default()
    }
}

impl Drop for Throwing {
    fn drop(&mut self) {
        self.restore();
    }
}

impl Core {
    /// From now on, who waits in the task that runs is told of this.
    pub(crate) fn begin_throw(&self, cancelled: Cancelled) {
        self.throwing.set(Throw { cancelled: Some(cancelled), ..Throw::default() });
    }

    /// Runs the task to find who hears it.
    pub(crate) fn seek(&self, run: impl FnOnce()) {
        self.seeking.set(true);
        run();
        self.seeking.set(false);
    }

    /// Whether the task that runs is polled to find who hears what is thrown.
    #[inline(always)]
    pub(crate) fn is_seeking(&self) -> bool {
        self.seeking.get()
    }

    /// Gives what nobody has heard.
    pub(crate) fn end_throw(&self) -> Option<Cancelled> {
        let throw = self.throwing.take();
        throw.cancelled.filter(|_| throw.heard == Heard::Nobody)
    }

    /// The same for a part of the task that runs, which is polled meanwhile.
    pub(crate) fn throw_within(cancelled: &Cancelled, source: Option<usize>, again: bool) -> Throwing {
        let throw = Throw { cancelled: Some(cancelled.clone()), source, again, heard: Heard::Nobody };
        Throwing(current::with_current(|core| core.throwing.replace(throw)))
    }

    /// Polls a part of the task that runs which is not to hear what is thrown.
    pub(crate) fn unheard<T>(poll: impl FnOnce() -> T) -> T {
        let _throwing = Throwing(current::with_current(|core| core.throwing.take()));
        poll()
    }

    /// What throws into what is polled, if something does: a part of the task, or the task itself.
    pub(crate) fn thrower() -> Option<Option<usize>> {
        let thrower = current::with_current(|core| {
            let throw = core.throwing.take();
            let thrower = throw.cancelled.is_some().then_some(throw.source);
            core.throwing.set(throw);
            thrower
        });
        thrower.flatten()
    }

    /// Whether what throws has thrown the same before, as a scope does at every wait.
    pub(crate) fn throws_again() -> bool {
        let again = current::with_current(|core| {
            let throw = core.throwing.take();
            let again = throw.again;
            core.throwing.set(throw);
            again
        });
        again.unwrap_or(false)
    }

    /// What is being thrown, for somebody who waits in the task that runs, and who has heard `before`. If that is the same
    /// one, it has gone round a circle of tasks that wait for each other, and is for none of them to hear.
    pub(super) fn hear(&self, before: Option<&Cancelled>) -> Option<Cancelled> {
        let mut throw = self.throwing.take();
        throw.cancelled = throw.cancelled.map(Cancelled::distinct);
        let known = before.zip(throw.cancelled.as_ref()).is_some_and(|(before, now)| before.is(now));
        if throw.cancelled.is_some() && (!known || throw.again) {
            throw.heard = throw.heard.max(Heard::Waits);
        }
        let heard = throw.cancelled.clone().filter(|_| !known);
        self.throwing.set(throw);
        heard
    }

    /// Somebody was told.
    pub(crate) fn note_heard(heard: Heard) {
        current::with_current(|core| {
            let throw = core.throwing.take();
            core.throwing.set(Throw { heard: throw.heard.max(heard), ..throw });
        });
    }
}
