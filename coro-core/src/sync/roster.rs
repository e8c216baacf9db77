//! Who waits in a line, for those who want to know.
//!
//! The line and its loop share it, from when somebody first has to wait. So nothing is noted at a wait, and nothing is
//! taken back: whoever looks finds those who wait now.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::holders::Holders;
use super::line::{Line, Node};
use super::who::Who;
use crate::event_loop::{Awaited, Core, ObjectName, Waiting, Wanted, Word};

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
            roster.holder.set(holder);
        }
    }

    /// The task that has it, or one of them.
    fn holder(&self) -> Word {
        self.holders.as_ref().map_or(self.holder.get(), Holders::any)
    }

    /// Says that the present task waits in it, for something of this name, if somebody wants to know.
    #[inline(always)]
    pub(super) fn note_wait(&self, name: &ObjectName) {
        name.note_wait(self.wanted.get(), || self.holder());
    }
}

impl Awaited for Roster {
    fn each_wait(&self, core: &Core, tell: &mut dyn FnMut(Word, Waiting)) {
        let holder = self.holders.as_ref().map_or(self.holder.get(), Holders::any);
        let (object, held_by) = (self.number.get(), core.task_of(holder));
        for node in &*self.nodes.borrow() {
            if let Who::Task(word) = node.who {
                tell(word, Waiting::For { what: node.wanted, object, held_by });
            }
        }
    }
}
