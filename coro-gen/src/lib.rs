//! The generator flavour: a coroutine on [genawaiter](https://docs.rs/genawaiter), stackless, on stable Rust.
//!
//! ```
//! use coro_core::prelude::*;
//! use coro_gen::Gen;
//!
//! let mut counter = Gen::<u32, u32, &str>::new(async |co| {
//!     let step = co.yield_(1).await?;
//!     co.yield_(1 + step).await?;
//!     Ok("done")
//! });
//! assert_eq!(counter.start(), Ok(Outcome::Yielded(1)));
//! assert_eq!(counter.send(10), Ok(Outcome::Yielded(11)));
//! assert_eq!(counter.send(0), Ok(Outcome::Returned("done")));
//! ```
//!
//! **Values** go in with `send` (the result of a `yield_`), come out of `yield_`, and end with the body's `Ok`.
//! **The first value sent** would have no `yield_` to go to: it is refused and handed back. Its siblings are
//! [`coro_core::native`] and `coro_fiber`: the same names, with another engine underneath.
//!
//! # What genawaiter does, and what the contract closes
//!
//! Every resume of a [`Gen`] is one `resume_with` of a `genawaiter::rc::Gen`, used as a bare switch. genawaiter
//! alone loses the first value sent, panics on a resume after the end, and breaks an invariant of its own when the
//! body awaits anything but a yield; here these are [`Misuse`](coro_core::Misuse), the same in debug and release.
//! In particular a body that awaits a foreign future which is not ready gives
//! [`ForeignPending`](coro_core::Misuse::ForeignPending): write [`co.wait(future)`](Co::wait).

#![forbid(unsafe_code)]

mod co;
mod engine;
mod task;
mod with;

use std::any::type_name;
use std::panic::Location;
use std::task::{Context, Poll};

use coro_core::backend::{Delegation, IntoSub, Machine};
use coro_core::coroutine::{Coroutine, FrameInfo, InputOf, MisuseKind, Resumed, State, Thrown};

pub use co::Co;
pub use task::{TaskCo, run, spawn, task};

use engine::Engine;

/// A coroutine on genawaiter.
///
/// `S` is sent, `Y` yielded, `R` returned, `E` thrown and raised. See the [crate] for an example.
#[derive(Debug)]
pub struct Gen<S, Y, R, E = std::convert::Infallible>(Machine<Engine<S, Y, R, E>>);

impl<S, Y, R, E> Gen<S, Y, R, E> {
    /// A coroutine that will run `body`. Nothing runs yet.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: for<'c> AsyncFnOnce(&'c mut Co<S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        Self(Machine::new(Engine::new(body), type_name::<F>(), Location::caller()))
    }
}

impl<S, Y, R, E> Coroutine for Gen<S, Y, R, E> {
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

coro_core::__into_iterator! { [S, Y, R, E] Gen<S, Y, R, E>; }

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoSub<S, Y, E> for Gen<S, Y, R, E> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.0.into_sub(first)
    }
}
