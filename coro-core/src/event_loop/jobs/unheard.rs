//! Panics of jobs that nobody waits for.

use std::sync::Arc;

use crate::event_loop::Exception;
use crate::event_loop::core::Core;
use crate::event_loop::inbox::Inbox;
use crate::event_loop::reports::print;
use crate::task::Panic;

/// A panic that nobody reads. It is printed, unless a loop is told of it.
#[derive(Debug)]
pub(crate) struct Unheard {
    panic: Option<Panic>,
    home: Option<Arc<Inbox>>,
}

impl Unheard {
    pub(crate) fn of(panic: Option<Panic>, home: Option<Arc<Inbox>>) -> Option<Self> {
        panic.map(|panic| Self { panic: Some(panic), home })
    }

    /// Tells the loop of its home, from any thread. If that is closed, it is printed.
    pub(crate) fn send(mut self) {
        if let Some(home) = self.home.take() {
            home.call(Box::new(move || {
                if let Some(core) = Core::current() {
                    self.tell(&core);
                }
            }));
        }
    }

    pub(super) fn tell(mut self, core: &Core) {
        if let Some(panic) = self.panic.take() {
            core.report(Exception::JobPanicked(panic));
        }
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        if let Some(panic) = self.panic.take() {
            print(&Exception::JobPanicked(panic));
        }
    }
}
