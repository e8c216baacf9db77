//! A value that one side changes and the other sees the latest of.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{Line, Place};
use crate::event_loop::Wanted;

/// Makes a value to watch, and its two ends. A receiver has seen the first value, and may miss all but the last one.
///
/// Both ends can be cloned. A value is read as a snapshot, an `Rc`, so nothing is locked, however long it is kept.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, native::spawn, sync::watch, time::yield_now};
///
/// let seen = Loop::simulated().run(async {
///     let (settings, mut watched) = watch::channel("first");
///     let seen = spawn(async move {
///         let mut seen = vec![*watched.latest()];
///         while watched.changed().await.is_ok() {
///             seen.push(*watched.latest_seen());
///         }
///         seen
///     });
///     yield_now().await;
///     settings.send("missed");
///     settings.send("second");
///     yield_now().await;
///     settings.send("third");
///     drop(settings);
///     seen.await.unwrap()
/// });
/// assert_eq!(seen.unwrap(), ["first", "second", "third"]);
/// ```
///
/// # References
///
/// [`tokio::sync::watch`](https://docs.rs/tokio/latest/tokio/sync/watch/).
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: RefCell::new(Rc::new(value)),
        version: Cell::new(0),
        senders: Cell::new(1),
        receivers: Cell::new(1),
        changed: Line::of(Wanted::Change),
        abandoned: Line::of(Wanted::Closed),
    });
    (Sender(Rc::clone(&shared)), Receiver { shared, seen: 0 })
}

struct Shared<T> {
    value: RefCell<Rc<T>>,
    /// How often it was changed.
    version: Cell<u64>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    /// Those who wait for a change, or for the end.
    changed: Line,
    /// Senders that wait until nobody watches.
    abandoned: Line,
}

/// The value will not change any more: every sender is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value will not change any more: every sender is gone; latest() has the last one")]
pub struct Closed;

impl<T> Shared<T> {
    fn latest(&self) -> Rc<T> {
        Rc::clone(&self.value.borrow())
    }

    fn replace(&self, value: Rc<T>) -> Rc<T> {
        let before = self.value.replace(value);
        self.version.set(self.version.get() + 1);
        self.changed.call_all();
        before
    }
}

/// The end that changes the value. Dropping the last one tells the receivers that it changes no more.
pub struct Sender<T>(Rc<Shared<T>>);

impl<T> Sender<T> {
    /// Changes the value, whoever watches, and gives the one before.
    pub fn send(&self, value: T) -> Rc<T> {
        self.0.replace(Rc::new(value))
    }

    /// Changes a copy of the value, and sends that.
    pub fn send_modify(&self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        // Nothing is borrowed while code of the user's runs.
        let mut value = self.latest();
        change(Rc::make_mut(&mut value));
        drop(self.0.replace(value));
    }

    /// The value.
    pub fn latest(&self) -> Rc<T> {
        self.0.latest()
    }

    /// Another receiver, which has seen the value as it is.
    pub fn subscribe(&self) -> Receiver<T> {
        self.0.receivers.set(self.0.receivers.get() + 1);
        Receiver { shared: Rc::clone(&self.0), seen: self.0.version.get() }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.0.receivers.get()
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn closed(&self) -> Abandoned<'_, T> {
        Abandoned { shared: &self.0, place: Place::NONE }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.set(self.0.senders.get() + 1);
        Self(Rc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.senders.set(self.0.senders.get() - 1);
        if self.0.senders.get() == 0 {
            self.0.changed.call_all();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("value", &self.latest()).finish_non_exhaustive()
    }
}

/// The end that watches. A clone has seen what this one has.
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    /// The version that was seen last.
    seen: u64,
}

impl<T> Receiver<T> {
    /// The value, without noting that it was seen.
    pub fn latest(&self) -> Rc<T> {
        self.shared.latest()
    }

    /// The value, which [`changed`](Self::changed) does not tell of again.
    pub fn latest_seen(&mut self) -> Rc<T> {
        self.seen = self.shared.version.get();
        self.latest()
    }

    /// Whether there is a value that was not seen.
    pub fn has_changed(&self) -> bool {
        self.seen != self.shared.version.get()
    }

    /// Waits until there is a value that was not seen, and counts it as seen.
    ///
    /// # Errors
    ///
    /// [`Closed`] if there is none and every sender is gone.
    ///
    /// # Cancellation
    ///
    /// Strict: a change that a dropped wait did not tell of is told of by the next one.
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed { receiver: self, place: Place::NONE }
    }

    /// Waits until the value is as `predicate` wants it, and gives it; not at all if it is.
    ///
    /// # Errors
    ///
    /// [`Closed`] if it is not, and every sender is gone.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub async fn wait_for(&mut self, mut predicate: impl FnMut(&T) -> bool) -> Result<Rc<T>, Closed> {
        loop {
            let value = self.latest_seen();
            if predicate(&value) {
                return Ok(value);
            }
            drop(value);
            self.changed().await?;
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.receivers.set(self.shared.receivers.get() + 1);
        Self { shared: Rc::clone(&self.shared), seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receivers.set(self.shared.receivers.get() - 1);
        if self.shared.receivers.get() == 0 {
            self.shared.abandoned.call_all();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("value", &self.latest())
            .field("has_changed", &self.has_changed())
            .finish_non_exhaustive()
    }
}

/// A [`Receiver::changed`] on its way.
#[must_use = "this does nothing until it is awaited"]
pub struct Changed<'r, T> {
    receiver: &'r mut Receiver<T>,
    place: Place,
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { receiver: Receiver { shared, seen }, place } = &mut *self;
        shared.changed.poll(place, cx, |_| {
            let version = shared.version.get();
            if *seen == version {
                return (shared.senders.get() == 0).then_some(Err(Closed));
            }
            *seen = version;
            Some(Ok(()))
        })
    }
}

impl<T> Drop for Changed<'_, T> {
    fn drop(&mut self) {
        // Everybody is called: there is nothing to pass on.
        self.receiver.shared.changed.leave(&mut self.place);
    }
}

impl<T: fmt::Debug> fmt::Debug for Changed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Changed").field(&self.receiver).finish()
    }
}

/// A [`Sender::closed`] on its way.
#[must_use = "this does nothing until it is awaited"]
pub struct Abandoned<'s, T> {
    shared: &'s Shared<T>,
    place: Place,
}

impl<T> Future for Abandoned<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { shared, place } = &mut *self;
        shared.abandoned.poll(place, cx, |_| (shared.receivers.get() == 0).then_some(()))
    }
}

impl<T> Drop for Abandoned<'_, T> {
    fn drop(&mut self) {
        self.shared.abandoned.leave(&mut self.place);
    }
}

impl<T> fmt::Debug for Abandoned<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Abandoned").field("receivers", &self.shared.receivers.get()).finish()
    }
}
