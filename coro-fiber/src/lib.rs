//! The fiber flavour: a coroutine on [corosensei](https://docs.rs/corosensei), with a stack of its own, so that a
//! plain call suspends it, at any depth of ordinary synchronous code.
//!
//! ```
//! use coro_core::prelude::*;
//! use coro_fiber::{Co, Fiber};
//!
//! // No `async` anywhere between the body and the yield.
//! fn visit(co: &mut Co<u32, u32>, step: u32) -> Result<u32, Thrown<std::convert::Infallible>> {
//!     co.yield_(1 + step)
//! }
//!
//! let mut counter = Fiber::<u32, u32, &str>::new(|co| {
//!     let step = co.yield_(1)?;
//!     visit(co, step)?;
//!     Ok("done")
//! });
//! assert_eq!(counter.start(), Ok(Outcome::Yielded(1)));
//! assert_eq!(counter.send(10), Ok(Outcome::Yielded(11)));
//! assert_eq!(counter.send(0), Ok(Outcome::Returned("done")));
//! ```
//!
//! **Values** go in with `send` (the result of a `yield_`), come out of `yield_`, and end with the body's `Ok`.
//! **The first value sent** would have no `yield_` to go to: it is refused and handed back. Its siblings are
//! [`coro_core::native`] and `coro_gen`: the same names, with another engine underneath.
//!
//! # What corosensei does, and what the contract closes
//!
//! Every resume of a [`Fiber`] is one `resume` of a `corosensei::Coroutine`, used as a bare switch. corosensei
//! alone panics on a resume after the end and reports a running fiber as done; here these are
//! [`Misuse`](coro_core::Misuse) and [`State`], the same in debug and release.
//!
//! # What a fiber costs, and what to beware of
//!
//! A fiber reserves 256 KiB of address space, of which the pages it touches are committed, and the stacks of ended
//! fibers are reused. A fiber never leaves its thread. Dropping a suspended one unwinds its stack: destructors
//! run, and see `std::thread::panicking()`; a `std::sync::Mutex` whose guard is on that stack is poisoned. A body
//! that is asked to suspend while it is being unwound gets [`Thrown::Exit`] instead. The
//! program must be built with `panic = "unwind"`.
//!
//! A reference into a `thread_local!` that is live on a suspended fiber's stack dangles if the fiber outlives its
//! thread's locals, which is possible only by keeping the fiber itself in a `thread_local!`. **Do not do that.**
//! Crates that rely on stack discipline in thread-locals (a value that is set for the time of a call) see the
//! switches of fibers as violations of it.

#![forbid(unsafe_code)]

mod co;
mod engine;
mod stack;
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

/// A coroutine on corosensei.
///
/// `S` is sent, `Y` yielded, `R` returned, `E` thrown and raised. See the [crate] for an example.
///
/// It never leaves its thread:
///
/// ```compile_fail,E0277
/// let fiber = coro_fiber::Fiber::<u32, u32, (), ()>::new(|_| Ok(()));
/// std::thread::spawn(move || drop(fiber));
/// ```
#[derive(Debug)]
pub struct Fiber<S, Y, R, E = std::convert::Infallible>(Machine<Engine<S, Y, R, E>>);

impl<S, Y, R, E> Fiber<S, Y, R, E> {
    /// A coroutine that will run `body` on a stack of its own. Nothing runs yet.
    ///
    /// # Panics
    ///
    /// If the system has no memory left for a stack.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        Self(Machine::new(Engine::new(body), type_name::<F>(), Location::caller()))
    }
}

impl<S, Y, R, E> Coroutine for Fiber<S, Y, R, E> {
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

coro_core::__into_iterator! { [S, Y, R, E] Fiber<S, Y, R, E>; }

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoSub<S, Y, E> for Fiber<S, Y, R, E> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.0.into_sub(first)
    }
}
