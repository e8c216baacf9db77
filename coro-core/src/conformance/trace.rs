//! What happened, in order.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A list of events that scenarios compare as a whole. Cloning gives another handle to the same list.
#[derive(Clone, Default)]
pub struct Trace(Rc<RefCell<Vec<String>>>);

impl Trace {
    /// Nothing has happened.
    pub fn new() -> Self {
        Self::default()
    }

    /// Something happened.
    pub fn log(&self, event: impl fmt::Display) {
        self.0.borrow_mut().push(event.to_string());
    }

    /// Something that logs `event` when it is dropped.
    #[must_use = "it logs when it is dropped"]
    pub fn on_drop(&self, event: &'static str) -> impl Sized + use<> {
        OnDrop(self.clone(), event)
    }

    /// Takes what was logged so far.
    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }

    /// Compares the whole list, and empties it.
    ///
    /// # Panics
    ///
    /// If anything else happened, or in another order.
    #[track_caller]
    pub fn expect(&self, events: &[&str]) {
        let happened = self.0.take();
        assert_eq!(happened, events);
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.0.borrow()).finish()
    }
}

struct OnDrop(Trace, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.log(self.1);
    }
}
