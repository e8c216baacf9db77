//! The native flavour: a coroutine whose body is an `async` block, a state machine made by the compiler.
//!
//! Its siblings are `coro_gen` and `coro_fiber`: the same names, with another engine underneath. A native body
//! awaits any future directly; a throw (a cancellation is one) that meets it in such a plain `.await` ends it
//! there, with everything in it dropped. Where the body wants to receive the throw, it writes
//! [`co.wait(future)`](Co::wait), as the other two flavours do everywhere; where the body is a plain future, and the throw
//! a cancellation of its task, `native::catch(future)`.

#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

#[cfg(feature = "std")]
mod cancel_scope;
#[cfg(feature = "std")]
mod catch;
mod co;
mod engine;
#[cfg(feature = "std")]
mod in_place;
mod movable;
mod settle;
#[cfg(feature = "std")]
mod task;
#[cfg(feature = "std")]
mod task_group;
mod with;

use alloc::vec::Vec;
use core::any::type_name;
use core::convert::Infallible;
use core::future::Future;
use core::panic::Location;
use core::task::{Context, Poll};

pub use crate::backend::{Local, Movable};
#[cfg(feature = "std")]
pub use catch::{Catch, catch};
pub use co::Co;
pub use engine::Erased;
#[cfg(feature = "std")]
pub use in_place::InPlace;
#[cfg(feature = "std")]
pub use task::{Task, run, spawn, task};

use crate::backend::{Delegation, IntoSub, Machine};
use crate::coroutine::{Coroutine, FrameInfo, InputOf, MisuseKind, Resumed, State, Thrown};
use engine::{Engine, engine};

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
///
/// The type `F` of the body is erased here; with [`new`](fn@new) it is not.
#[derive(Debug)]
pub struct Native<S, Y, R, E = Infallible, F: ?Sized = Erased<R, E>>(Machine<Engine<S, Y, E, F>>)
where
    F: Future<Output = Result<R, Thrown<E>>>;

impl<S, Y, R, E> Native<S, Y, R, E> {
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

/// A coroutine that will run `body`, whose type it keeps: a resume calls it directly, and the coroutine can go to
/// another thread if the body can. Nothing runs yet.
///
/// Its [`Co`] delegates only to what can go there with it, see [`Movable`].
///
/// # Examples
///
/// ```
/// use coro_core::native;
/// use coro_core::prelude::*;
///
/// let mut sum = native::new::<u32, u32, (), (), _>(async |co| {
///     let mut sum = 0;
///     loop {
///         sum += co.yield_(sum).await?;
///     }
/// });
/// sum.start()?; // on this thread
/// let sum = std::thread::spawn(move || sum.send(3)).join().unwrap();
/// assert_eq!(sum, Ok(Outcome::Yielded(3)));
/// # Ok::<(), coro_core::Misuse<u32, u32, ()>>(())
/// ```
#[track_caller]
pub fn new<S, Y, R, E, F>(body: F) -> Native<S, Y, R, E, impl Future<Output = Result<R, Thrown<E>>>>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E, Movable>) -> Result<R, Thrown<E>> + 'static,
{
    Native(Machine::new(engine(body), type_name::<F>(), Location::caller()))
}

/// A coroutine that will run `body`, which may borrow; it stays on its thread. Nothing runs yet.
///
/// # Examples
///
/// ```
/// use coro_core::native;
/// use coro_core::prelude::*;
///
/// let text = "one two".to_string();
/// let words = native::borrowing::<(), &str, (), (), _>(async |co| {
///     for word in text.split(' ') {
///         co.yield_(word).await?;
///     }
///     Ok(())
/// });
/// assert_eq!(words.items().map(Result::unwrap).collect::<Vec<_>>(), ["one", "two"]);
/// ```
#[track_caller]
pub fn borrowing<S, Y, R, E, F>(body: F) -> Native<S, Y, R, E, impl Future<Output = Result<R, Thrown<E>>>>
where
    F: for<'a, 'c> AsyncFnOnce(&'a mut Co<'c, S, Y, E>) -> Result<R, Thrown<E>>,
{
    Native(Machine::new(engine(body), type_name::<F>(), Location::caller()))
}

impl<S, Y, R, E, F> Native<S, Y, R, E, F>
where
    F: Future<Output = Result<R, Thrown<E>>> + 'static,
{
    /// The same coroutine, with the type of its body erased. No memory is taken for that.
    pub fn boxed(self) -> Native<S, Y, R, E> {
        Native(self.0.map_engine(Engine::erase))
    }
}

impl<S, Y, R, E, F> Coroutine for Native<S, Y, R, E, F>
where
    F: Future<Output = Result<R, Thrown<E>>> + ?Sized,
{
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

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<crate::coroutine::FrameTrace> {
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

impl<S, Y, R, E, F> IntoSub<S, Y, E> for Native<S, Y, R, E, F>
where
    S: 'static,
    Y: 'static,
    R: 'static,
    E: 'static,
    F: Future<Output = Result<R, Thrown<E>>> + ?Sized + 'static,
{
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.0.into_sub(first)
    }
}
