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
//! Every resume of a [`Gen`] is one `async_resume` of a `genawaiter::stack::Gen`, used as a bare switch. genawaiter
//! alone loses the first value sent, panics on a resume after the end, and breaks an invariant of its own when the
//! body awaits anything but a yield; here these are [`Misuse`](coro_core::Misuse), the same in debug and release.
//! In particular a body that awaits a foreign future which is not ready gives
//! [`ForeignPending`](coro_core::Misuse::ForeignPending): write [`co.wait(future)`](Co::wait).

#![deny(unsafe_code)]

mod cancel_scope;
mod co;
#[cfg(feature = "testing")]
pub mod conformance;
mod engine;
mod settle;
mod task;
mod task_group;
mod with;

use std::any::type_name;
use std::convert::Infallible;
use std::future::Future;
use std::panic::Location;
use std::task::{Context, Poll};

use coro_core::backend::{Delegation, IntoSub, Machine};
use coro_core::coroutine::{Coroutine, FrameInfo, FrameTrace, InputOf, MisuseKind, Resumed, State, Thrown};

pub use co::Co;
pub use task::{TaskCo, run, spawn, task};

pub use engine::Erased;
use engine::{Engine, engine};

/// A coroutine on genawaiter.
///
/// `S` is sent, `Y` yielded, `R` returned, `E` thrown and raised. See the [crate] for an example.
///
/// The type `B` of the body is erased here; with [`borrowing`] it is not.
#[derive(Debug)]
pub struct Gen<S, Y, R, E = Infallible, B: ?Sized = Erased<R, E>>(Machine<Engine<S, Y, E, B>>)
where
    B: Future<Output = Result<R, Thrown<E>>>;

impl<S, Y, R, E> Gen<S, Y, R, E> {
    /// A coroutine that will run `body`. Nothing runs yet.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        Self(Machine::new(engine(body).erase(), type_name::<F>(), Location::caller()))
    }
}

/// A coroutine that will run `body`, whose type it keeps: a resume calls it directly. Nothing runs yet.
///
/// # Examples
///
/// ```
/// use coro_core::prelude::*;
///
/// let mut sum = coro_gen::new::<u32, u32, (), (), _>(async |co| {
///     let mut sum = 0;
///     loop {
///         sum += co.yield_(sum).await?;
///     }
/// });
/// sum.start()?;
/// assert_eq!(sum.send(3), Ok(Outcome::Yielded(3)));
/// # Ok::<(), coro_core::Misuse<u32, u32, ()>>(())
/// ```
#[track_caller]
pub fn new<S, Y, R, E, F>(body: F) -> Gen<S, Y, R, E, impl Future<Output = Result<R, Thrown<E>>>>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
{
    Gen(Machine::new(engine(body), type_name::<F>(), Location::caller()))
}

/// A coroutine that will run `body`, which may borrow. Nothing runs yet.
///
/// # Examples
///
/// ```
/// use coro_core::prelude::*;
///
/// let text = "one two".to_string();
/// let words = coro_gen::borrowing::<(), &str, (), (), _>(async |co| {
///     for word in text.split(' ') {
///         co.yield_(word).await?;
///     }
///     Ok(())
/// });
/// assert_eq!(words.items().map(Result::unwrap).collect::<Vec<_>>(), ["one", "two"]);
/// ```
#[track_caller]
pub fn borrowing<S, Y, R, E, F>(body: F) -> Gen<S, Y, R, E, impl Future<Output = Result<R, Thrown<E>>>>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E>) -> Result<R, Thrown<E>>,
{
    Gen(Machine::new(engine(body), type_name::<F>(), Location::caller()))
}

impl<S, Y, R, E, B: Future<Output = Result<R, Thrown<E>>> + 'static> Gen<S, Y, R, E, B> {
    /// The same coroutine, with the type of its body erased. No memory is taken for that.
    pub fn boxed(self) -> Gen<S, Y, R, E> {
        Gen(self.0.map_engine(Engine::erase))
    }
}

impl<S, Y, R, E, B: Future<Output = Result<R, Thrown<E>>> + ?Sized> Coroutine for Gen<S, Y, R, E, B> {
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    fn state(&self) -> State {
        self.0.state()
    }

    fn info(&self) -> FrameInfo {
        self.0.info()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.0.delegates()
    }

    fn backtrace(&mut self) -> Vec<FrameTrace> {
        self.0.backtrace()
    }

    #[inline(always)]
    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.0.poll_resume(cx, input)
    }

    fn begin_resume(&mut self, cx: &mut Context<'_>, input: InputOf<Self>) -> Option<Poll<Resumed<Self>>> {
        self.0.begin_resume(cx, input)
    }

    fn start(&mut self) -> Resumed<Self> {
        self.0.start()
    }

    #[inline(always)]
    fn resume(&mut self, input: InputOf<Self>) -> Resumed<Self> {
        self.0.resume(input)
    }
}

coro_core::__into_iterator! { [S, Y, R, E, B] Gen<S, Y, R, E, B> where { B: Future<Output = Result<R, Thrown<E>>> + ?Sized, }; }

impl<S, Y, R, E, B> IntoSub<S, Y, E> for Gen<S, Y, R, E, B>
where
    S: 'static,
    Y: 'static,
    R: 'static,
    E: 'static,
    B: Future<Output = Result<R, Thrown<E>>> + ?Sized + 'static,
{
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.0.into_sub(first)
    }
}
