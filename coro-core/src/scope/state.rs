//! What a scope is, whoever has a handle to it, and wherever it is entered.

use std::cell::Cell;
use std::fmt;
use std::task::Waker;
use std::time::Duration;

use super::body::Inside;
use crate::event_loop::Core;
use crate::task::{Cancelled, Kind};
use crate::time::Time;

/// A scope.
pub struct State {
    limit: Cell<Limit>,
    shield: Cell<Shield>,
    /// It throws at every wait, not only at one.
    pub(super) level: bool,
    /// It has thrown at a body that has entered it.
    thrown: Cell<bool>,
    cancelled: Cell<Option<Cancelled>>,
    pub(super) caught: Cell<bool>,
    inside: Cell<Entrance>,
}

/// Whether it keeps out what comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shield {
    No,
    /// Until the grace period of a soft shutdown is over.
    Graceful,
    /// What it waits for ends by itself, for it is cancelled as well.
    Firm,
}

/// When it is cancelled.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    Never,
    After(Duration),
    At(Time),
}

/// Where it is entered.
#[derive(Default)]
pub(super) enum Entrance {
    #[default]
    Nowhere,
    /// By a future, which is polled when something changes.
    Future(Waker),
    /// By a part of a body.
    Body(Inside),
}

impl State {
    pub(crate) fn new(level: bool) -> Self {
        Self {
            limit: Cell::new(Limit::Never),
            shield: Cell::new(Shield::No),
            level,
            thrown: Cell::new(false),
            cancelled: Cell::new(None),
            caught: Cell::new(false),
            inside: Cell::default(),
        }
    }

    pub(super) fn with_limit(level: bool, limit: Limit) -> Self {
        Self { limit: Cell::new(limit), ..Self::new(level) }
    }

    pub(super) fn set_shield(&self, shield: Shield) {
        self.shield.set(shield);
    }

    /// Whether nothing passes it.
    pub(crate) fn is_shield(&self) -> bool {
        match self.shield.get() {
            Shield::No => false,
            Shield::Graceful => !Core::has_lifted_shields(),
            Shield::Firm => true,
        }
    }

    /// Whether it is a shield that is lifted when a grace period is over, or has been.
    pub(crate) fn can_be_lifted(&self) -> bool {
        self.shield.get() == Shield::Graceful
    }

    /// What it is among the landings of a task.
    pub(super) fn kind(&self) -> Kind {
        match self.shield.get() {
            Shield::Firm => Kind::FirmShield,
            Shield::Graceful if self.is_shield() => Kind::Shield,
            Shield::No | Shield::Graceful => Kind::Scope,
        }
    }

    pub(super) fn set_duration(&self, duration: Duration) {
        self.limit.set(Limit::After(duration));
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match self.limit.get() {
            Limit::At(deadline) => Some(deadline),
            Limit::Never | Limit::After(_) => None,
        }
    }

    pub(super) fn set_deadline(&self, deadline: Option<Time>) {
        self.limit.set(deadline.map_or(Limit::Never, Limit::At));
        self.changed();
    }

    /// When it is cancelled. From now on, a duration is counted.
    pub(super) fn begin(&self, core: &Core) -> Option<Time> {
        if let Limit::After(duration) = self.limit.get() {
            self.limit.set(Limit::At(core.time() + duration));
        }
        self.deadline()
    }

    pub(super) fn has_limit(&self) -> bool {
        !matches!(self.limit.get(), Limit::Never)
    }

    /// Whether its time is up.
    pub(super) fn is_due(&self) -> bool {
        self.deadline().is_some_and(|deadline| Core::on_current(|core| deadline <= core.time()) == Some(true))
    }

    pub(crate) fn cancelled(&self) -> Option<Cancelled> {
        let cancelled = self.cancelled.take();
        self.cancelled.set(cancelled.clone());
        cancelled
    }

    pub(super) fn is_cancelled(&self) -> bool {
        let cancelled = self.cancelled.take();
        let is = cancelled.is_some();
        self.cancelled.set(cancelled);
        is
    }

    /// What a body that has entered it is to be thrown, if it is cancelled: at every wait, or once.
    pub(crate) fn throws(&self) -> Option<Cancelled> {
        self.cancelled().filter(|_| self.level || !self.thrown.get())
    }

    pub(crate) fn note_thrown(&self) {
        self.thrown.set(true);
    }

    /// Whether this is its own cancellation.
    pub(crate) fn is_own(&self, cancelled: &Cancelled) -> bool {
        self.cancelled().is_some_and(|own| own.is(cancelled))
    }

    /// Cancels what is in it.
    pub(crate) fn cancel(&self, message: Option<&str>) {
        if !self.is_cancelled() {
            self.cancelled.set(Some(Cancelled::because(message, Core::running_id())));
            self.changed();
        }
    }

    /// It has been cancelled by its deadline. Nobody has to be told.
    pub(super) fn expire(&self) -> Cancelled {
        let cancelled = self.cancelled().unwrap_or_else(|| Cancelled::because(Some("the time is up"), None));
        self.cancelled.set(Some(cancelled.clone()));
        cancelled
    }

    /// Tells whoever has entered it.
    pub(super) fn changed(&self) {
        // Nothing is borrowed: another one's waker may come back here.
        let entrance = self.inside.take();
        match &entrance {
            Entrance::Nowhere => return,
            Entrance::Future(waker) => waker.wake_by_ref(),
            Entrance::Body(inside) => inside.changed(self),
        }
        let since = self.inside.take();
        self.inside.set(if matches!(since, Entrance::Nowhere) { entrance } else { since });
    }

    /// It is entered, or left.
    pub(super) fn set_entrance(&self, entrance: Entrance) {
        drop(self.inside.replace(entrance));
    }

    /// A future that has entered it is polled with this.
    pub(super) fn set_waker(&self, waker: &Waker) {
        let entrance = self.inside.take();
        let known = matches!(&entrance, Entrance::Future(known) if known.will_wake(waker));
        self.inside.set(entrance);
        if !known {
            self.set_entrance(Entrance::Future(waker.clone()));
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("limit", &self.limit.get())
            .field("shield", &self.shield.get())
            .field("cancelled", &self.cancelled())
            .finish_non_exhaustive()
    }
}
