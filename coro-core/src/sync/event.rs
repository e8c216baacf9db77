//! A flag that tasks can wait for: asyncio's event.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{Line, Place};
use crate::event_loop::Wanted;

/// Something that has happened or not, for many to wait for.
///
/// Cloning gives another handle to the same event.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, native::spawn, sync::Event};
///
/// let seen = Loop::simulated().run(async {
///     let opened = Event::new();
///     let visitor = spawn({
///         let opened = opened.clone();
///         async move {
///             opened.wait().await;
///             "came in"
///         }
///     });
///     opened.set();
///     visitor.await.unwrap()
/// });
/// assert_eq!(seen.unwrap(), "came in");
/// ```
///
/// # References
///
/// [`asyncio.Event`](https://docs.python.org/3/library/asyncio-sync.html#asyncio.Event).
#[derive(Clone)]
pub struct Event(Rc<Shared>);

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

struct Shared {
    set: Cell<bool>,
    line: Line,
}

/// What an event looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Whether it is set.
    pub set: bool,
    /// How many wait for it.
    pub waiting: usize,
}

impl Event {
    /// An event that has not happened.
    pub fn new() -> Self {
        Self(Rc::new(Shared { set: Cell::new(false), line: Line::of(Wanted::Event) }))
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.set.get()
    }

    /// Sets it, and wakes everybody who waits: their wait is over, even if it is cleared before they run.
    pub fn set(&self) {
        self.0.set.set(true);
        self.0.line.call_all();
    }

    /// Makes those who come from now on wait for the next [`set`](Self::set).
    pub fn clear(&self) {
        self.0.set.set(false);
    }

    /// What it looks like now.
    pub fn statistics(&self) -> Statistics {
        Statistics { set: self.is_set(), waiting: self.0.line.len() }
    }

    /// Waits until it is set; not at all if it is.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn wait(&self) -> Wait {
        Wait { event: self.clone(), place: Place::NONE }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).finish_non_exhaustive()
    }
}

/// An [`Event::wait`] on its way.
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait {
    event: Event,
    place: Place,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { event: Event(shared), place } = &mut *self;
        shared.line.poll(place, cx, |called| (called || shared.set.get()).then_some(()))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.event.0.line.leave(&mut self.place);
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wait").field(&self.event).finish()
    }
}
