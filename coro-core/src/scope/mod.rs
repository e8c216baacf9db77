//! Parts of a task that can be cancelled by themselves: cancel scopes, timeouts and shields.
//!
//! | asyncio, trio | around a future, in every flavour | around a part of a body |
//! |---|---|---|
//! | `async with timeout(d)` | [`timeout(d, future)`](timeout) | `co.timeout(d, body)` |
//! | `wait_for(future, d)` | [`wait_for(d, future)`](wait_for) | |
//! | `shield(task)` | [`shield(handle)`](shield) | |
//! | `with CancelScope() as scope` | [`scope.run(future)`](CancelScope::run) | `co.scope(&scope, body)` |
//! | `with fail_after(d)` | [`fail_after(d, future)`](fail_after) | `co.scope(&CancelScope::after(d), body)` |
//! | `with move_on_after(d)` | [`move_on_after(d, future)`](move_on_after) | the same |
//!
//! What is in a scope is cancelled as a task is: what can [hear it](crate::task::Landing) there is told, a
//! [`catch`](crate::native::catch) for example, and the rest is dropped. Nothing outside of the scope notices. In the body of
//! a generator or a fiber, which cannot be dropped in part, the error is thrown at its wait, and the scope takes it when it
//! comes out there.
//!
//! # Edge and level
//!
//! A cancellation of a task, and a timeout, is thrown once, as in asyncio: code that catches it runs on. A [`CancelScope`] is
//! as trio's: it throws at every wait in it, until it is left. So a cleanup that waits needs a shield: a scope with
//! [`shielded`](CancelScope::shielded), into which nothing from outside is thrown. Give it a deadline of its own.

mod body;
mod run;
mod shield;
mod state;
mod timeout;

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

pub use body::EnteredScope;
pub use run::{Held, Scoped};
pub use shield::{Shield, shield};
pub use timeout::{
    FailAfter, MoveOnAfter, TimedOut, Timeout, TimeoutError, WaitFor, fail_after, move_on_after, timeout,
    timeout_at, wait_for,
};

#[doc(hidden)]
pub use state::State;

use crate::task::Cancelled;
use crate::time::Time;

/// A part of a task that can be cancelled by itself: trio's.
///
/// Cloning gives another handle to the same scope. It is entered by one future or body at a time; scopes nest.
///
/// # Examples
///
/// ```
/// use coro_core::scope::CancelScope;
/// use coro_core::{EventLoop, Loop, native::spawn, time};
/// use std::time::Duration;
///
/// let told = Loop::simulated().run(async {
///     let scope = CancelScope::new();
///     let other = scope.clone();
///     spawn(async move { other.cancel_with("changed my mind") }).detach();
///     let result = scope.run(time::sleep(Duration::from_secs(60))).await;
///     // The task itself runs on.
///     result.unwrap_err().message().map(str::to_string)
/// });
/// assert_eq!(told.unwrap().as_deref(), Some("changed my mind"));
/// ```
///
/// # References
///
/// [`trio.CancelScope`](https://trio.readthedocs.io/en/stable/reference-core.html#trio.CancelScope).
#[derive(Clone)]
pub struct CancelScope(Rc<State>);

impl Default for CancelScope {
    fn default() -> Self {
        Self::new()
    }
}

impl CancelScope {
    /// A scope without a deadline.
    pub fn new() -> Self {
        Self(Rc::new(State::new(true)))
    }

    /// A scope that is cancelled so long after it is entered.
    pub fn after(duration: Duration) -> Self {
        let scope = Self::new();
        scope.0.set_duration(duration);
        scope
    }

    /// A scope that is cancelled when the loop's clock reads `deadline`.
    pub fn until(deadline: Time) -> Self {
        let scope = Self::new();
        scope.0.set_deadline(Some(deadline));
        scope
    }

    /// The same, as one into which no cancellation from outside is thrown. It is thrown when the scope is left.
    ///
    /// At the end of a program it holds for as long as the [grace period](crate::Loop::set_grace) lasts, if there is one.
    #[must_use = "gives the scope back"]
    pub fn shielded(self) -> Self {
        self.0.set_shield(state::Shield::Graceful);
        self
    }

    /// A shield for as long as it takes, around a wait for what has been cancelled itself.
    pub(crate) fn firm() -> Self {
        let scope = Self::new();
        scope.0.set_shield(state::Shield::Firm);
        scope
    }

    /// When it is cancelled, once that is known: with [`after`](Self::after), when it has been entered.
    pub fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }

    /// Changes that, also while it is entered. `None` for never. It does not undo a cancellation.
    pub fn set_deadline(&self, deadline: Option<Time>) {
        self.0.set_deadline(deadline);
    }

    /// Cancels what is in it, now or when it is entered. Nothing changes if it is cancelled already.
    pub fn cancel(&self) {
        self.0.cancel(None);
    }

    /// [`cancel`](Self::cancel), with a message for those who see the error.
    pub fn cancel_with(&self, message: &str) {
        self.0.cancel(Some(message));
    }

    /// What it was cancelled with, if it was: trio's `cancel_called`.
    pub fn cancelled(&self) -> Option<Cancelled> {
        self.0.cancelled()
    }

    /// Whether it has ended with its own cancellation.
    pub fn cancelled_caught(&self) -> bool {
        self.0.caught.get()
    }

    /// Waits for `future`, in the scope.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if the scope was, and `future` did not end before that was thrown into it.
    ///
    /// # Cancellation
    ///
    /// As that of `future`.
    pub fn run<F: Future>(&self, future: F) -> Scoped<F, Rc<State>> {
        Scoped::new(future, Rc::clone(&self.0))
    }

    fn state(&self) -> &Rc<State> {
        &self.0
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
