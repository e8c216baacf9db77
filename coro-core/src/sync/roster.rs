//! Who waits in a line, for those who want to know.
//!
//! The line and its loop share it, from when somebody first has to wait. So nothing is noted at a wait, and nothing is
//! taken back: whoever looks finds those who wait now.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::holders::Holders;
use super::line::{Line, Node};
use crate::event_loop::{Awaited, Core, ObjectName, Waiting, Wanted, Word};
use crate::task::word_of;

/// The nodes of a line, and whom those in it wait for.
pub(super) struct Roster {
    pub(super) nodes: RefCell<Vec<Node>>,
    /// What reports call the object.
    number: Cell<u32>,
    holder: Cell<Word>,
    holders: Option<Holders>,
}

impl Roster {
    /// Makes one, known to the loop that runs, of an object with this name.
    #[cold]
    pub(super) fn register(name: &ObjectName, holder: Word, holders: Option<Holders>) -> Rc<Self> {
        let (number, holder) = (Cell::new(0), Cell::new(holder));
        let roster = Rc::new(Self { nodes: RefCell::default(), number, holder, holders });
        let known: Weak<Self> = Rc::downgrade(&roster);
        Core::on_current(|core| {
            core.note_object(known);
            roster.number.set(name.number(core));
        });
        roster
    }

    /// Apart, so that the way of those who need not wait is short.
    #[inline(never)]
    pub(super) fn set_holder(&self, holder: Word) {
        self.holder.set(holder);
    }
}

/// What is known of those who wait.
impl Line {
    /// Who enters from now on wants this.
    #[inline]
    pub(crate) fn set_wanted(&self, wanted: Wanted) {
        self.wanted.set(wanted);
    }

    /// This task has what is waited for, or nobody.
    #[inline]
    pub(crate) fn set_holder(&self, holder: Word) {
        self.holder.set(holder);
        if let Some(roster) = self.roster.get() {
            roster.set_holder(holder);
        }
    }

    /// The task that has it, or one of them.
    fn holder(&self) -> Word {
        self.holders.as_ref().map_or(self.holder.get(), Holders::any)
    }

    /// Says that the present task waits in it, if somebody wants to know.
    #[inline(always)]
    pub(crate) fn note_wait(&self) {
        self.note_wait_named(&self.name);
    }

    /// [`note_wait`](Self::note_wait), for something of this name.
    #[inline(always)]
    pub(crate) fn note_wait_named(&self, name: &ObjectName) {
        name.note_wait(self.wanted.get(), || self.holder());
    }
}

impl Awaited for Roster {
    fn each_wait(&self, core: &Core, tell: &mut dyn FnMut(Word, Waiting)) {
        let holder = self.holders.as_ref().map_or(self.holder.get(), Holders::any);
        let (object, held_by) = (self.number.get(), core.task_of(holder));
        for node in &*self.nodes.borrow() {
            if let Some(word) = node.waker.as_ref().and_then(word_of) {
                tell(word, Waiting::For { what: node.wanted, object, held_by });
            }
        }
    }
}
