//! The frames above the root of a chain, and a close on its way through them.

use alloc::collections::VecDeque;

use super::{BoxedFrame, Resume, Sub};

/// A close on its way down a chain of delegations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closing {
    /// The level that is being closed; everything above it belongs to its last words. The root is level 0.
    pub(super) level: u32,
    /// Whether the close ends with the root. If not, the root has `Exit` thrown into it, and may go on.
    pub(super) root: bool,
}

impl Closing {
    /// The close of the level beneath, if that is to be closed.
    pub(super) fn down(self) -> Option<Self> {
        let level = self.level.checked_sub(1)?;
        (level > 0 || self.root).then_some(Self { level, ..self })
    }
}

/// The frames above the root. Dropped from the top, one by one: a thousand destructors nest no deeper than one.
pub(super) struct Chain<S, Y, E>(pub(super) VecDeque<BoxedFrame<S, Y, E>>);

impl<S, Y, E> Chain<S, Y, E> {
    /// Puts the frames of `sub` on top. Gives what its top goes on with.
    pub(super) fn extend(&mut self, sub: Sub<S, Y, E>) -> Resume<S, E> {
        let Sub { frame, above, first } = sub;
        match above {
            None => self.0.push_back(frame),
            Some(above) => self.splice(frame, *above),
        }
        first.map_or(Resume::Continue, Resume::Send)
    }

    /// The level of its top; 0, that of the root, if it is empty.
    pub(super) fn level(&self) -> u32 {
        // More do not fit in memory.
        self.0.len() as u32
    }

    #[inline(never)]
    fn splice(&mut self, frame: BoxedFrame<S, Y, E>, mut above: Self) {
        if self.0.len() < above.0.len() {
            // The smaller side moves.
            above.0.push_front(frame);
            while let Some(frame) = self.0.pop_back() {
                above.0.push_front(frame);
            }
            core::mem::swap(self, &mut above);
        } else {
            self.0.push_back(frame);
            self.0.append(&mut above.0);
        }
    }

    pub(super) fn clear(&mut self) {
        while let Some(top) = self.0.pop_back() {
            drop(top);
        }
    }
}

impl<S, Y, E> Default for Chain<S, Y, E> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<S, Y, E> Drop for Chain<S, Y, E> {
    fn drop(&mut self) {
        self.clear();
    }
}
