//! Bodies that every flavour can perform.

use std::future::Future;
use std::pin::Pin;

use crate::coroutine::{Coroutine, Thrown};

/// A future that a body waits for.
pub type Leaf = Pin<Box<dyn Future<Output = ()>>>;

/// A coroutine under test.
pub type Subject<S, Y, R, E> = Box<dyn Coroutine<Send = S, Yield = Y, Return = R, Error = E>>;

/// What a body was resumed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<S, E> {
    /// It begins.
    Begin,
    /// Its yield gave this value.
    Sent(S),
    /// Its wait is over.
    Woken,
    /// Its yield or its wait raised this.
    Thrown(Thrown<E>),
}

impl<S, E> Step<S, E> {
    /// The step that follows a yield.
    pub fn from_yield(result: Result<S, Thrown<E>>) -> Self {
        match result {
            Ok(value) => Self::Sent(value),
            Err(thrown) => Self::Thrown(thrown),
        }
    }

    /// The step that follows a wait.
    pub fn from_wait(result: Result<(), Thrown<E>>) -> Self {
        match result {
            Ok(()) => Self::Woken,
            Err(thrown) => Self::Thrown(thrown),
        }
    }
}

/// What a body does next.
pub enum Do<Y, R, E> {
    /// Yield this value.
    Yield(Y),
    /// Wait for this future.
    Wait(Leaf),
    /// End like this.
    End(Result<R, Thrown<E>>),
}

impl<Y, R, E> Do<Y, R, E> {
    /// Return `value`.
    pub fn ret(value: R) -> Self {
        Self::End(Ok(value))
    }

    /// Raise `error`.
    pub fn raise(error: impl Into<Thrown<E>>) -> Self {
        Self::End(Err(error.into()))
    }
}

impl<Y: std::fmt::Debug, R: std::fmt::Debug, E: std::fmt::Debug> std::fmt::Debug for Do<Y, R, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Yield(value) => f.debug_tuple("Yield").field(value).finish(),
            Self::Wait(_) => f.write_str("Wait"),
            Self::End(result) => f.debug_tuple("End").field(result).finish(),
        }
    }
}

/// A body, as a function from what it was resumed with to what it does next. Dropping it is dropping the body.
pub struct Script<S, Y, R, E>(Next<S, Y, R, E>);

type Next<S, Y, R, E> = Box<dyn FnMut(Step<S, E>) -> Do<Y, R, E>>;

impl<S, Y, R, E> Script<S, Y, R, E> {
    /// A body that does what `next` says.
    pub fn new(next: impl FnMut(Step<S, E>) -> Do<Y, R, E> + 'static) -> Self {
        Self(Box::new(next))
    }

    /// What to do after `step`.
    pub fn next(&mut self, step: Step<S, E>) -> Do<Y, R, E> {
        (self.0)(step)
    }
}

impl<S, Y, R, E> std::fmt::Debug for Script<S, Y, R, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

/// A way to write coroutines, under test.
pub trait Flavour {
    /// A coroutine whose body performs `script` in the engine of this flavour.
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E>;
}
