//! Functions that the loop calls.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use super::Exception;
use super::callback::Callback;
use super::core::Core;
use super::timer::{Action, TimerKey};
use crate::task::Panic;
use crate::time::Time;

impl Core {
    #[track_caller]
    pub(super) fn call_soon(&self, function: Box<dyn FnOnce()>) -> Callback {
        self.call_soon_for(function, Location::caller())
    }

    /// [`call_soon`](Self::call_soon), for somebody who asked for it there.
    pub(super) fn call_soon_for(
        &self,
        function: Box<dyn FnOnce()>,
        scheduled_at: &'static Location<'static>,
    ) -> Callback {
        let callback = Callback::new_for(function, scheduled_at);
        self.queue_callback(&callback);
        callback
    }

    /// Queues a callback that was made before.
    pub(crate) fn queue_callback(&self, callback: &Callback) {
        if self.closed.get() {
            self.drop_callback(callback);
        } else {
            self.tally.calls.add(1);
            self.ready.push(callback.as_runnable());
            self.rouse_host();
        }
    }

    /// Lets go of a callback that will not be called. A destructor of what it captured may panic.
    pub(super) fn drop_callback(&self, callback: &Callback) {
        let held = (callback.take(), callback.context().take());
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(held))) {
            self.report(Exception::CallbackPanicked(Panic::new(payload)));
        }
    }

    pub(super) fn call_at(&self, deadline: Time, callback: Callback) -> TimerKey {
        if self.closed.get() {
            self.drop_callback(&callback);
            return TimerKey::new(self.number, None);
        }
        let key = self.add_timer(deadline, Action::Call(callback));
        self.rouse_host();
        key
    }

    /// Calls `function` once the clock reads `deadline`.
    #[track_caller]
    pub(crate) fn call_for_scope(&self, deadline: Time, function: Box<dyn FnOnce()>) -> TimerKey {
        self.call_at(deadline, Callback::new(function))
    }
}

/// A callback that waits for its turn. Dropping the handle leaves it alone.
#[derive(Debug)]
pub struct CallHandle(pub(super) Callback);

impl CallHandle {
    /// Keeps the callback from being called, if it has not been. What it captured is dropped.
    pub fn cancel(&self) {
        drop(self.0.take());
    }
}

/// A callback that waits for its time. Dropping the handle leaves it alone.
#[derive(Debug)]
pub struct TimerHandle {
    pub(super) timer: TimerKey,
    pub(super) callback: Callback,
    pub(super) when: Time,
}

impl TimerHandle {
    /// Keeps the callback from being called, if it has not been. The timer is gone at once.
    pub fn cancel(&self) {
        self.timer.cancel();
        drop(self.callback.take());
    }

    /// When the callback is due.
    pub fn when(&self) -> Time {
        self.when
    }
}
