//! How much a task may do in one step without giving way.

use std::cell::Cell;

use super::core::Core;
use super::word::Word;

/// How many operations that are over at once a task may do in a step: as many as tokio lets it.
const OPERATIONS: u32 = 128;

/// What the task that runs has left. It is begun anew when somebody spends of it, so that a step costs nothing.
#[derive(Debug)]
pub(super) struct Budget {
    /// Whose it is: in one turn a task has one step.
    of: Cell<(Word, u64)>,
    left: Cell<u32>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { of: Cell::new((Word::NOBODY, 0)), left: Cell::new(0) }
    }
}

impl Core {
    /// Whether the task that runs may do one more operation that is over at once. If not, it is to give way: a stream that
    /// always has something, or a peer that always takes something, would stop the loop.
    ///
    /// For what the kernel or another thread keeps going. Local locks, queues and events are never asked: they are moved
    /// by other tasks of this loop only.
    pub(crate) fn may_go_on(&self) -> bool {
        let step = (self.running_word(), self.tally.turns.get());
        if step.0 == Word::NOBODY {
            return true;
        }
        if self.budget.of.replace(step) != step {
            self.budget.left.set(OPERATIONS);
        }
        let left = self.budget.left.get();
        self.budget.left.set(left.saturating_sub(1));
        left > 0
    }
}
