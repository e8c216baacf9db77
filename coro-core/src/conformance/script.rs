//! Bodies that every flavour can perform.

use std::future::Future;
use std::pin::Pin;

use crate::backend::{AnyCoroutine, AnySub};
use crate::coroutine::Thrown;

/// A future that a body waits for.
pub type Leaf = Pin<Box<dyn Future<Output = ()>>>;

/// A coroutine under test.
pub type Subject<S, Y, R, E> = Box<dyn AnyCoroutine<S, Y, R, E>>;

/// What a body was resumed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<S, R, E> {
    /// It begins.
    Begin,
    /// Its yield gave this value.
    Sent(S),
    /// Its wait is over.
    Woken,
    /// What it delegated to returned this.
    Ended(R),
    /// Its yield, its wait or its delegation raised this.
    Thrown(Thrown<E>),
}

impl<S, R, E> Step<S, R, E> {
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

impl<S, R, E> Step<S, R, E> {
    /// The step that follows a delegation.
    pub fn from_delegation(result: Result<R, Thrown<E>>) -> Self {
        match result {
            Ok(value) => Self::Ended(value),
            Err(thrown) => Self::Thrown(thrown),
        }
    }
}

/// What a body does next.
pub enum Do<S, Y, R, E> {
    /// Yield this value.
    Yield(Y),
    /// Wait for this future.
    Wait(Leaf),
    /// Delegate to this, which goes on with the value if it is suspended at a yield.
    Delegate(Box<dyn AnySub<S, Y, R, E>>, Option<S>),
    /// End like this.
    End(Result<R, Thrown<E>>),
}

impl<S, Y, R, E> Do<S, Y, R, E> {
    /// Return `value`.
    pub fn ret(value: R) -> Self {
        Self::End(Ok(value))
    }

    /// Delegate to a coroutine that has not started.
    pub fn delegate(sub: impl AnySub<S, Y, R, E> + 'static) -> Self {
        Self::Delegate(Box::new(sub), None)
    }

    /// Raise `error`.
    pub fn raise(error: impl Into<Thrown<E>>) -> Self {
        Self::End(Err(error.into()))
    }
}

impl<S, Y: std::fmt::Debug, R: std::fmt::Debug, E: std::fmt::Debug> std::fmt::Debug for Do<S, Y, R, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Yield(value) => f.debug_tuple("Yield").field(value).finish(),
            Self::Wait(_) => f.write_str("Wait"),
            Self::Delegate(..) => f.write_str("Delegate"),
            Self::End(result) => f.debug_tuple("End").field(result).finish(),
        }
    }
}

/// A body, as a function from what it was resumed with to what it does next. Dropping it is dropping the body.
pub struct Script<S, Y, R, E>(Next<S, Y, R, E>);

type Next<S, Y, R, E> = Box<dyn FnMut(Step<S, R, E>) -> Do<S, Y, R, E>>;

impl<S, Y, R, E> Script<S, Y, R, E> {
    /// A body that does what `next` says.
    pub fn new(next: impl FnMut(Step<S, R, E>) -> Do<S, Y, R, E> + 'static) -> Self {
        Self(Box::new(next))
    }

    /// What to do after `step`.
    pub fn next(&mut self, step: Step<S, R, E>) -> Do<S, Y, R, E> {
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
    /// Whether one that is dropped before it has begun is reported in debug mode. Only those of a
    /// [`Machine`](crate::backend::Machine) know.
    const TELLS_NEVER_AWAITED: bool = true;

    /// A coroutine whose body performs `script` in the engine of this flavour.
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E>;
}

/// The body of a coroutine that performs a [`Script`](crate::conformance::Script): a loop that asks it what to do and
/// does that with `co`. For a body that is a future, add `await`.
///
/// ```
/// # use coro_core::conformance::Script;
/// # use coro_core::native::Native;
/// # fn perform<S: 'static, Y: 'static, R: 'static, E: 'static>(mut script: Script<S, Y, R, E>) -> Native<S, Y, R, E> {
/// Native::new(async move |co| coro_core::perform!(script, co, await))
/// # }
/// ```
#[macro_export]
macro_rules! perform {
    ($script:ident, $co:ident $(, $await:tt)?) => {{
        use $crate::conformance::{Do, Step};
        let mut step = Step::Begin;
        loop {
            step = match $script.next(step) {
                Do::Yield(value) => Step::from_yield($co.yield_(value)$(.$await)?),
                Do::Wait(future) => Step::from_wait($co.wait(future)$(.$await)?),
                Do::Delegate(sub, None) => Step::from_delegation($co.yield_from(sub)$(.$await)?),
                Do::Delegate(sub, Some(first)) => {
                    Step::from_delegation($co.yield_from_started(sub, first)$(.$await)?)
                }
                Do::End(result) => break result,
            };
        }
    }};
}
