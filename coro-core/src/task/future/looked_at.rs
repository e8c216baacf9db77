//! What those see of a future who look at the tasks that wait for it.

use std::rc::{Rc, Weak};

use super::Shared;
use crate::event_loop::{Awaited, Core, Waiting, Word};

impl<T: 'static> Shared<T> {
    /// From now on whoever looks at the tasks finds those who wait for it.
    #[cold]
    pub(super) fn register(self: &Rc<Self>) {
        let known: Weak<Self> = Rc::downgrade(self);
        Core::on_current(|core| {
            self.name.number(core);
            core.note_object(known);
        });
    }
}

impl<T> Shared<T> {
    pub(super) fn waiting(&self, core: &Core) -> Waiting {
        Waiting::Result { future: self.name.number(core), made_at: self.made_at }
    }
}

impl<T> Awaited for Shared<T> {
    fn each_wait(&self, core: &Core, tell: &mut dyn FnMut(Word, Waiting)) {
        self.waiters.each_word(|word| tell(word, self.waiting(core)));
    }
}
