//! The words of the contract: what goes into a coroutine, what comes out, and what is refused.

use core::fmt;

/// What a body receives at a suspension point instead of a value, and what may leave a body.
///
/// Python's exceptions, as a value. `?` passes it on, `match` is `except`, and the code after the match is
/// `finally`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thrown<E> {
    /// An error of the program's own.
    Error(E),
    /// The request to end: Python's `GeneratorExit`. A body that catches it should clean up and end.
    Exit,
    /// A misuse of another coroutine, raised inside this one.
    Misuse(MisuseKind),
}

impl<E> Thrown<E> {
    /// The program's own error, if it is one. `Exit` and misuse are not: a handler of ordinary errors does not
    /// catch them.
    pub fn error(self) -> Result<E, Self> {
        match self {
            Self::Error(error) => Ok(error),
            other => Err(other),
        }
    }

    /// Whether this is the request to end.
    pub fn is_exit(&self) -> bool {
        matches!(self, Self::Exit)
    }
}

impl<E> From<E> for Thrown<E> {
    fn from(error: E) -> Self {
        Self::Error(error)
    }
}

impl<E: fmt::Display> fmt::Display for Thrown<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Exit => f.write_str("the coroutine was asked to exit"),
            Self::Misuse(kind) => kind.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for Thrown<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Error(error) => Some(error),
            Self::Exit | Self::Misuse(_) => None,
        }
    }
}

/// What goes in with a resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<S, E> {
    /// A value: the result of the `yield` that the body is suspended at.
    Send(S),
    /// An error, raised at the `yield` or the wait that the body is suspended at.
    Throw(Thrown<E>),
    /// The request to end: like throwing [`Thrown::Exit`], but an answer other than ending is a misuse.
    Close,
}

/// What comes out of a resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<Y, R, E> {
    /// The body suspended at a `yield`.
    Yielded(Y),
    /// The body ended with a value.
    Returned(R),
    /// The body ended with an error.
    Raised(Thrown<E>),
    /// The body ended because it was asked to, by [`Input::Close`], without a value of its own.
    Closed,
}

impl<Y, R, E> Outcome<Y, R, E> {
    /// The yielded value, if the coroutine goes on.
    pub fn yielded(self) -> Option<Y> {
        match self {
            Self::Yielded(value) => Some(value),
            _ => None,
        }
    }

    /// The returned value, if the coroutine ended with one.
    pub fn returned(self) -> Option<R> {
        match self {
            Self::Returned(value) => Some(value),
            _ => None,
        }
    }
}

/// Where a coroutine stands, seen from outside.
///
/// ```text
///            start                 yield
///  Created ─────────▶ Running ◀─────────────▶ Suspended
///     │                  │        send, throw      │
///     │ throw, close     │ return, raise, panic    │ hard end (drop)
///     └──────────────────┴─────────▶ Finished ◀────┘
/// ```
///
/// A coroutine that is parked (it waits for a wake-up inside a resume that is not over) is `Running`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing has run yet.
    Created,
    /// The body is executing, or parked inside a resume that has not answered yet.
    Running,
    /// The body waits at a `yield` for the next input.
    Suspended,
    /// The body has ended, by return, by error, by panic, or before it ever ran.
    Finished,
}

/// A use of a coroutine that the contract refuses. It never panics, changes nothing that it does not name, and
/// hands back whatever the caller would otherwise lose. The same in every flavour, in debug and release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misuse<S, Y, E> {
    /// A value was sent to a coroutine that has not run to its first `yield`: nothing could receive it.
    NotStarted(S),
    /// The coroutine is already executing (it was resumed from its own body, or is parked in a wait).
    Running(Option<Input<S, E>>),
    /// The coroutine has ended. The value that was sent, if any, comes back.
    Finished(Option<S>),
    /// The body yielded this value when it was asked to close. It stays suspended and can be resumed.
    IgnoredExit(Y),
    /// A value was sent to what cannot receive one: an iterator, by [`from_iter`](super::from_iter). Only
    /// [nothing](super::Nothing) can be sent to it.
    CannotReceive(S),
    /// The body is suspended at a `yield` and was resumed without an input for it.
    NoInput,
    /// The body waits for a wake-up, and this resume carries none. It stays parked: go on with
    /// [`poll_resume`](super::Coroutine::poll_resume).
    WouldPark,
    /// The body awaited a future that is not of its own engine. It stays where it is: use `co.wait(future)`.
    ForeignPending,
}

impl<S, Y, E> Misuse<S, Y, E> {
    /// The same misuse without the values handed back: what can be raised inside another body.
    pub fn kind(&self) -> MisuseKind {
        match self {
            Self::NotStarted(_) => MisuseKind::NotStarted,
            Self::Running(_) => MisuseKind::Running,
            Self::Finished(_) => MisuseKind::Finished,
            Self::IgnoredExit(_) => MisuseKind::IgnoredExit,
            Self::CannotReceive(_) => MisuseKind::CannotReceive,
            Self::NoInput => MisuseKind::NoInput,
            Self::WouldPark => MisuseKind::WouldPark,
            Self::ForeignPending => MisuseKind::ForeignPending,
        }
    }

    /// The same misuse of a coroutine that yields something else.
    pub(crate) fn map_yield<Z>(self, map: impl FnOnce(Y) -> Z) -> Misuse<S, Z, E> {
        match self {
            Self::NotStarted(sent) => Misuse::NotStarted(sent),
            Self::Running(input) => Misuse::Running(input),
            Self::Finished(sent) => Misuse::Finished(sent),
            Self::IgnoredExit(value) => Misuse::IgnoredExit(map(value)),
            Self::CannotReceive(sent) => Misuse::CannotReceive(sent),
            Self::NoInput => Misuse::NoInput,
            Self::WouldPark => Misuse::WouldPark,
            Self::ForeignPending => Misuse::ForeignPending,
        }
    }
}

impl<S, Y, E> fmt::Display for Misuse<S, Y, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl<S: fmt::Debug, Y: fmt::Debug, E: fmt::Debug> core::error::Error for Misuse<S, Y, E> {}

/// The kinds of [`Misuse`], without the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
// As wide as what else an error holds: an enum of mixed widths is moved in pieces that overlap, and the processor waits for
// each. A task's result is moved several times.
#[repr(align(8))]
pub enum MisuseKind {
    /// See [`Misuse::NotStarted`].
    #[error("can't send a value to a coroutine that has not started: run it to its first yield with start()")]
    NotStarted,
    /// See [`Misuse::Running`].
    #[error("the coroutine is already executing: let the resume in progress end first")]
    Running,
    /// See [`Misuse::Finished`].
    #[error("the coroutine has finished: make a new one")]
    Finished,
    /// See [`Misuse::IgnoredExit`].
    #[error("the coroutine ignored its exit by yielding a value: end the body when a yield gives Exit")]
    IgnoredExit,
    /// See [`Misuse::NoInput`].
    #[error("the coroutine waits at a yield: resume it with a value, an error or a close")]
    NoInput,
    /// See [`Misuse::WouldPark`].
    #[error("the coroutine waits for a wake-up: resume it on an event loop, or with poll_resume()")]
    WouldPark,
    /// See [`Misuse::CannotReceive`]. Also raised in a coroutine that delegates to an iterator, when a value is sent
    /// through it.
    #[error("an iterator can't receive a value: send it nothing, also while a coroutine delegates to it")]
    CannotReceive,
    /// See [`Misuse::ForeignPending`].
    #[error("the coroutine awaited a future of another engine: write co.wait(future) instead")]
    ForeignPending,
    /// There was no memory for the stack of a fiber when it should have begun, so its body was dropped unrun. The
    /// system is out of memory or of mappings, or the pool of its stacks at its capacity.
    #[error("no stack is left for the fiber, which never ran: let others end first, or raise the limit")]
    NoStack,
}
