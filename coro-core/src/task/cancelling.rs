//! How a cancellation is asked for, and finds the place where it lands.
//!
//! ```text
//!   asked while it      runs, or is to run        waits                  waits where somebody may hear it
//!                       1 Asked                   1 Certain              1 Sought
//!   until it runs       it can be withdrawn       its wait is over       it waits on
//!   when it runs        as if it waited           2 thrown at the body   2 the landings are told, the body is polled;
//!                                                                        3 if none has heard it: thrown at the body
//! ```
//!
//! Those who may hear it are the [landings](super::Landing), and the handles of tasks: these cancel the task that is waited
//! for, and the error comes back when that has ended with it. Whether a handle is being awaited is not kept up to date. The
//! loop has a note of the task that each one awaited last, which holds for as long as that one is to tell it; and to be sure
//! the body is polled once for nothing, which every body tolerates. So a wait for a task costs one store for this.

use std::rc::Rc;

use super::header::{Header, Request};
use super::landing::Landings;
use super::{Cancelled, TaskError, TaskRef};
use crate::event_loop::{Core, Word, find};

impl TaskRef {
    /// Asks the task to end. False if it has ended.
    pub(crate) fn cancel(&self, cancelled: &Cancelled) -> bool {
        let header = self.header();
        if header.is_done() {
            return false;
        }
        header.cancelling.set(header.cancelling.get().saturating_add(1));
        header.note_asked(cancelled);
        // Whoever has it is on the loop's thread: queued in order, whether or not the loop runs.
        if let Some(core) = find(header.core) {
            let request = if !header.is_waiting() || self.as_runnable().is_queued() {
                Request::Asked
            } else if header.can_hear() || core.awaits(self) {
                Request::Sought
            } else if header.is_shielded() {
                Request::Asked
            } else {
                Request::Certain
            };
            header.ask(request, cancelled);
            core.schedule(self);
        }
        true
    }

    /// [`cancel`](Self::cancel), by a task that waits for it and passes on what it was told. If it has been asked with the
    /// very same one before, by the group of both for example, it is not asked again, so that its cleanup is not interrupted;
    /// unless that has gone round a circle of tasks that wait for each other.
    pub(crate) fn cancel_once(&self, cancelled: &Cancelled) {
        if !self.header().was_asked(cancelled) || self.has_passed_on(cancelled) {
            self.cancel(cancelled);
        }
    }

    /// Whether the task that runs was asked with this because this one was.
    fn has_passed_on(&self, cancelled: &Cancelled) -> bool {
        let Some(core) = self.core() else { return false };
        let mut asked = Core::running_task();
        let mut seen = Vec::new();
        while let Some(task) = asked.take_if(|task| task.header().was_asked(cancelled)) {
            let by = task.header().asked_by();
            if by == self.header().word() {
                return true;
            }
            if seen.contains(&by) {
                return false;
            }
            seen.push(by);
            asked = core.task_named(by);
        }
        false
    }

    /// The shields of its loop are lifted: if there are any in its body, it is asked to end. False if there are none.
    pub(crate) fn lift_shields(&self, cancelled: &Cancelled) -> bool {
        let header = self.header();
        let lifted = header.has_rare() && header.with_landings(Landings::lift_shields);
        lifted && self.cancel(cancelled)
    }

    /// A scope that its body is in is cancelled.
    pub(super) fn throw_scope(&self) {
        if let Some(core) = find(self.header().core).filter(|_| !self.header().is_done()) {
            self.header().ask_for_scope();
            core.schedule(self);
        }
    }

    /// What a shield in its body has kept out is thrown at its next wait.
    pub(super) fn throw_kept(&self, kept: &Cancelled) {
        if let Some(core) = find(self.header().core).filter(|_| !self.header().is_done()) {
            self.header().ask(Request::Asked, kept);
            core.schedule(self);
        }
    }

    /// Its loop.
    pub(crate) fn core(&self) -> Option<Rc<Core>> {
        find(self.header().core)
    }

    /// What was thrown, and heard in the body, has come out there again: now it is for the body.
    pub(super) fn comes_back(&self, cancelled: &Cancelled) {
        if let Some(core) = find(self.header().core).filter(|_| !self.header().is_done()) {
            self.header().ask(Request::Certain, cancelled);
            core.schedule(self);
        }
    }
}

impl Header {
    /// How many cancellations were asked for and not withdrawn.
    pub(crate) fn cancelling(&self) -> u32 {
        self.cancelling.get().into()
    }

    /// Withdraws a request; and what it asked for, if none is left and nothing has been cut off for it.
    pub(crate) fn uncancel(&self) -> u32 {
        let Some(left) = self.cancelling.get().checked_sub(1) else { return 0 };
        self.cancelling.set(left);
        if left == 0 && self.request.get() == Request::Asked {
            drop(self.take_cancelled());
            self.request.set(Request::None);
            if self.throws_again() {
                self.ask_for_scope();
            }
        }
        left.into()
    }

    /// What is certain stays so. The last one who says something is heard.
    fn ask(&self, request: Request, cancelled: &Cancelled) {
        if self.request.get() != Request::Certain {
            self.request.set(request);
        }
        self.set_cancelled(cancelled);
    }

    /// What a scope throws is thrown with whatever else is.
    fn ask_for_scope(&self) {
        if self.request.get() == Request::None {
            self.request.set(Request::Scope);
        }
    }

    /// Whether a scope that the body is in throws at its next wait.
    fn throws_again(&self) -> bool {
        self.has_scopes() && self.with_landings(|landings| landings.throws_again())
    }

    /// A scope was left, in which a shield may have kept something out.
    pub(super) fn scope_left(&self, kept: Option<Cancelled>) {
        if self.request.get() == Request::Scope {
            self.request.set(Request::None);
        }
        if self.throws_again() {
            self.ask_for_scope();
        }
        if let Some(kept) = &kept {
            self.ask(Request::Asked, kept);
        }
        if self.request.get() != Request::None
            && let Some(core) = find(self.core)
        {
            core.wake(self.word());
        }
    }

    /// What the body was asked to end with.
    #[cold]
    pub(super) fn take_request(&self) -> TaskError {
        self.request.set(Request::None);
        self.take_cancelled().into()
    }
}

/// What it was asked with.
impl Header {
    /// Whether its body is in a scope with a shield.
    pub(super) fn is_shielded(&self) -> bool {
        self.has_rare() && self.asks_landings(Landings::is_shielded)
    }

    /// It has been asked to end with this, by the task that runs.
    #[cold]
    pub(super) fn note_asked(&self, cancelled: &Cancelled) {
        if !cancelled.is_plain() && !self.was_asked(cancelled) {
            let asked = (cancelled.clone(), Core::current_word());
            drop(self.with_own_rare(|rare| rare.asked.replace(asked)));
        }
    }

    fn asked<T>(&self, look: impl FnOnce(&(Cancelled, Word)) -> T) -> Option<T> {
        self.with_rare(|rare| rare.asked.as_ref().map(look)).flatten()
    }

    /// Whether it was last asked to end with this very one.
    pub(super) fn was_asked(&self, cancelled: &Cancelled) -> bool {
        self.asked(|(asked, _)| asked.is(cancelled)).unwrap_or(false)
    }

    /// Which task has asked it so, if one has.
    pub(super) fn asked_by(&self) -> Word {
        self.asked(|(_, by)| *by).unwrap_or(Word::NOBODY)
    }
}

/// What a step begins with.
pub(super) enum Step {
    /// The body is polled, and nothing else.
    Plain,
    /// The body is polled, for somebody in it may hear what is thrown.
    Seeking,
    /// The error is thrown at the body.
    Throwing(TaskError),
}

/// Begins to throw into the task that runs.
#[cold]
pub(super) fn begin_throw(header: &Header, core: &Core) -> Step {
    let request = header.request.replace(Request::None);
    let asked = header.take_cancelled();
    let asked = match request {
        Request::None => None,
        // What has come back was thrown before, and no shield was there.
        Request::Certain => Some(asked),
        Request::Scope => header.with_landings(|landings| landings.next_throw(None)),
        Request::Asked | Request::Sought if header.has_scopes() => {
            header.with_landings(|landings| landings.next_throw(Some(asked)))
        }
        Request::Asked | Request::Sought => Some(asked),
    };
    let Some(cancelled) = asked else { return Step::Plain };
    let landed = request != Request::Certain && header.can_hear();
    if !landed && (request == Request::Certain || !core.running_awaits()) {
        return Step::Throwing(cancelled.into());
    }
    let wakers =
        if landed { header.with_landings(|landings| landings.throw(&cancelled)) } else { Vec::new() };
    core.begin_throw(cancelled);
    // Whatever this runs, nothing is borrowed.
    wakers.into_iter().for_each(std::task::Waker::wake);
    Step::Seeking
}

/// The body has been polled. Gives the error for it, if nobody in it has heard it.
#[cold]
pub(super) fn end_throw(header: &Header, core: &Core) -> Option<TaskError> {
    let unheard = core.end_throw()?;
    if header.can_hear() {
        header.with_landings(Landings::withdraw);
    }
    Some(unheard.into())
}

/// The body waits after it was thrown at. A scope that it is in may throw at this wait too, in the next turn.
#[cold]
pub(super) fn throw_again(header: &Header, core: &Core) {
    if header.request.get() == Request::None && header.throws_again() {
        header.ask_for_scope();
        core.wake(header.word());
    }
}
