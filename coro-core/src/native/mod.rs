//! The native flavour: a coroutine whose body is an `async` block, a state machine made by the compiler.
//!
//! Its siblings are `coro_gen` and `coro_fiber`: the same names, with another engine underneath. A native body
//! awaits any future directly; a throw (a cancellation is one) that meets it in such a plain `.await` ends it
//! there, with everything in it dropped. Where the body wants to receive the throw, it writes
//! [`co.wait(future)`](Co::wait), as the other two flavours do everywhere.

mod co;
mod engine;
mod task;
mod with;

use std::any::type_name;
use std::panic::Location;
use std::task::{Context, Poll};

pub use co::Co;
pub use task::{Task, run, spawn, task};

use crate::backend::{Delegation, IntoSub, Machine};
use crate::coroutine::{Coroutine, FrameInfo, InputOf, MisuseKind, Resumed, State, Thrown};
use engine::Engine;

/// A coroutine with an `async` body.
///
/// `S` is sent, `Y` yielded, `R` returned, `E` thrown and raised.
///
/// # Examples
///
/// ```
/// use coro_core::native::Native;
/// use coro_core::prelude::*;
///
/// let mut greeter = Native::<&str, String, ()>::new(async |co| {
///     let name = co.yield_("who is there?".to_string()).await?;
///     co.yield_(format!("hello, {name}")).await?;
///     Ok(())
/// });
/// assert_eq!(greeter.start(), Ok(Outcome::Yielded("who is there?".to_string())));
/// assert_eq!(greeter.send("you"), Ok(Outcome::Yielded("hello, you".to_string())));
/// assert_eq!(greeter.send("you"), Ok(Outcome::Returned(())));
/// ```
#[derive(Debug)]
pub struct Native<S, Y, R, E = std::convert::Infallible>(Machine<Engine<S, Y, R, E>>);

impl<S, Y, R, E> Native<S, Y, R, E> {
    /// A coroutine that will run `body`. Nothing runs yet.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: for<'c> AsyncFnOnce(&'c mut Co<S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        E: 'static,
    {
        Self(Machine::new(Engine::new(body), type_name::<F>(), Location::caller()))
    }
}

impl<S, Y, R, E> Coroutine for Native<S, Y, R, E> {
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    fn state(&self) -> State {
        self.0.state()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.0.delegates()
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.0.poll_resume(cx, input)
    }
}

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoSub<S, Y, E> for Native<S, Y, R, E> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.0.into_sub(first)
    }
}
