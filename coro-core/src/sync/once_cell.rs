//! A value that is made once, by a task, when it is first needed.

use std::cell::{self, Cell};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{Line, Place};
use crate::event_loop::{Core, Wanted, Word};

/// A value that is made once, by whoever needs it first; the others wait.
///
/// If making it fails, or is cancelled, or panics, the next one in line makes it, in its own way. Cloning gives another
/// handle to the same cell.
///
/// ```text
///         get_or_init           the value is made
///   Empty ───────────▶ Making ───────────────────▶ there, for ever
///     ▲                 ▲  │ it is not made
///     │  nobody waits   │  │ one waits
///     ├─────────────────│──┴──────────▶ Promised ──┐ the called one is dropped,
///     │  nobody waits   └──────────────────│ ▲     │ one waits
///     └────────────────────────────────────┘ └─────┘
/// ```
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, sync::OnceCell, time};
/// use std::time::Duration;
///
/// let name = Loop::simulated().run(async {
///     let name = OnceCell::new();
///     let ask = || async {
///         time::sleep(Duration::from_secs(1)).await;
///         "Ada".to_string()
///     };
///     assert_eq!(name.get_or_init(ask).await, "Ada");
///     name.get_or_init(|| async { unreachable!() }).await.clone()
/// });
/// assert_eq!(name.unwrap(), "Ada");
/// ```
///
/// # References
///
/// [`std::cell::OnceCell`], with makers that may wait.
pub struct OnceCell<T>(Rc<Shared<T>>);

struct Shared<T> {
    value: cell::OnceCell<T>,
    turns: Turns,
}

/// Whose turn it is to make the value.
struct Turns {
    state: Cell<State>,
    /// The task that makes the value is its holder.
    line: Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody waits.
    Empty,
    Making,
    /// One who waited has been called to make it, and has not run.
    Promised,
    There,
}

/// [`OnceCell::set`] came too late. The value comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError<T> {
    /// There is one.
    #[error("the cell has a value: get() it")]
    AlreadySet(T),
    /// It is being made.
    #[error("a task makes the value of the cell: wait for it with get_or_init()")]
    BeingMade(T),
}

impl<T> OnceCell<T> {
    /// A cell without a value.
    pub fn new() -> Self {
        let turns = Turns { state: Cell::new(State::Empty), line: Line::of(Wanted::Cell) };
        Self(Rc::new(Shared { value: cell::OnceCell::new(), turns }))
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        self.0.value.get()
    }

    /// Puts `value` in, if nobody has, or is about to.
    ///
    /// # Errors
    ///
    /// [`SetError`] hands it back.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        match self.0.turns.state.get() {
            State::Empty => {
                self.0.turns.end(self.0.value.set(value).is_ok());
                Ok(())
            }
            State::There => Err(SetError::AlreadySet(value)),
            State::Making | State::Promised => Err(SetError::BeingMade(value)),
        }
    }

    /// The value. If it is not there it is made with `make`, or waited for, if another task is at it.
    ///
    /// A `make` that needs the value of the same cell waits for ever.
    ///
    /// # Cancellation
    ///
    /// Strict for the cell: if this is dropped, the next in line makes the value. What `make` had done is dropped.
    pub async fn get_or_init<M, F>(&self, make: M) -> &T
    where
        M: FnOnce() -> F,
        F: Future<Output = T>,
    {
        let made = self.get_or_try_init(|| async { Ok::<_, Infallible>(make().await) }).await;
        match made {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// The value, made with `make` if it is not there.
    ///
    /// # Errors
    ///
    /// Of `make`. Then the next in line makes the value.
    ///
    /// # Cancellation
    ///
    /// As [`get_or_init`](Self::get_or_init).
    pub async fn get_or_try_init<M, F, E>(&self, make: M) -> Result<&T, E>
    where
        M: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        let waiting = Waiting { turns: &self.0.turns, place: Place::NONE };
        if let Some(turn) = waiting.await {
            let value = make().await?;
            turn.end(self.0.value.set(value).is_ok());
        }
        match self.get() {
            Some(value) => Ok(value),
            None => unreachable!("nobody waits for a turn but for one, or for the value"),
        }
    }
}

impl Turns {
    /// Who had the turn has made the value, or not.
    fn end(&self, made: bool) {
        self.line.set_holder(Word::NOBODY);
        if made {
            self.state.set(State::There);
            self.line.call_all();
        } else {
            // Before the call: a foreign waker may come back here.
            self.state.set(if self.line.is_empty() { State::Empty } else { State::Promised });
            self.line.call_next();
        }
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for OnceCell<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell")
            .field("value", &self.get())
            .field("state", &self.0.turns.state.get())
            .finish_non_exhaustive()
    }
}

/// Waits for the turn to make the value, or for the value: then there is no turn.
struct Waiting<'c> {
    turns: &'c Turns,
    place: Place,
}

impl<'c> Future for Waiting<'c> {
    type Output = Option<Turn<'c>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { turns, place } = &mut *self;
        turns.line.poll(place, cx, |called| match turns.state.get() {
            State::There => Some(None),
            State::Making => None,
            State::Promised if !called => None,
            State::Empty | State::Promised => {
                turns.state.set(State::Making);
                turns.line.set_holder(Core::current_word());
                Some(Some(Turn { turns, over: false }))
            }
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.turns.line.leave(&mut self.place) && self.turns.state.get() == State::Promised {
            self.turns.end(false);
        }
    }
}

/// The turn to make the value. Dropped, it goes to the next one.
struct Turn<'c> {
    turns: &'c Turns,
    over: bool,
}

impl Turn<'_> {
    fn end(mut self, made: bool) {
        self.over = true;
        self.turns.end(made);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.turns.end(false);
        }
    }
}
