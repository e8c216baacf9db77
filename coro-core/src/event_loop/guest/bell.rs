//! How a guest is woken.

use std::sync::PoisonError;
use std::task::Waker;

use crate::driver::Notify;
use crate::threads::Mutex;

/// The notifier of a loop while it is a guest: wakes the task of tokio that turns it, instead of the driver.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<Option<Waker>>);

impl Bell {
    /// From now on it wakes this one.
    pub(super) fn listen(&self, waker: &Waker) {
        let mut listening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !listening.as_ref().is_some_and(|known| known.will_wake(waker)) {
            let outdated = listening.replace(waker.clone());
            drop(listening);
            drop(outdated);
        }
    }
}

impl Notify for Bell {
    fn notify(&self) {
        let listening = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = listening {
            waker.wake();
        }
    }
}
