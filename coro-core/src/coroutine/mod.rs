//! The contract: a coroutine is something you can send to.
//!
//! Python's generator object is the model ([PEP 342](https://peps.python.org/pep-0342/)). Three flavours implement
//! it with the same outcome for every use: native ([`crate::native`]), generators (`coro_gen`) and fibers
//! (`coro_fiber`). The laws are run against all of them by `coro_core::conformance` (feature `testing`).

#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod adapter;
mod asynchronous;
mod body;
mod consumer;
mod ext;
mod from_iter;
mod items;
mod outcome;
mod settle;
mod shared;
mod with;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

pub use crate::backend::FrameInfo;
#[cfg(feature = "std")]
pub use crate::backend::{Captured, FrameTrace, OwnStack};
pub use adapter::{Adapt, Chain, Inspect, MapReturn, MapYield, Take, Zip, ZipEnd};
pub use asynchronous::{AsyncGenerator, Resuming};
pub use body::BodyResult;
pub use consumer::{ConsumeError, Consumer};
#[cfg(feature = "std")]
pub(crate) use ext::closed;
pub(crate) use ext::finished;
pub use ext::{CloseError, CoroutineExt, Nothing};
pub use from_iter::{FromIter, from_iter};
pub use items::Items;
pub use outcome::{Input, Misuse, MisuseKind, Outcome, State, Thrown};
pub use settle::{Interrupted, Settle, Settling};
pub use shared::Shared;
pub use with::{AsyncContext, Ending, with};

/// What one resume of `C` gives: what came out, or why it was refused.
pub type Resumed<C> = Result<
    Outcome<<C as Coroutine>::Yield, <C as Coroutine>::Return, <C as Coroutine>::Error>,
    Misuse<<C as Coroutine>::Send, <C as Coroutine>::Yield, <C as Coroutine>::Error>,
>;

/// What a close of `C` gives: the value that its body returned on it, if it did, or why it did not end quietly.
pub type Closed<C> = Result<
    Option<<C as Coroutine>::Return>,
    CloseError<<C as Coroutine>::Send, <C as Coroutine>::Yield, <C as Coroutine>::Error>,
>;

/// What goes into `C` with a resume.
pub type InputOf<C> = Input<<C as Coroutine>::Send, <C as Coroutine>::Error>;

/// A body that can be suspended and resumed with a value, an error or a request to end.
///
/// # The first resume
///
/// A new coroutine has run nothing. [`start`](Self::start) (or `next`) runs it to its first `yield`; there is no
/// `yield` yet whose result a value could become, so **sending a value first is refused**
/// ([`Misuse::NotStarted`], which hands the value back) and changes nothing. That goes for every value, `()` and
/// `None` too: where Python starts a generator with `send(None)`, here `next` does. Throwing into a new coroutine, or
/// closing it, ends it without running its body.
///
/// # Resume and wake
///
/// A coroutine may *yield* (hand out a value and wait for the next input) and it may *park* (wait for an event,
/// inside a resume that is not over). [`poll_resume`](Self::poll_resume) serves both: `Poll::Ready` is the answer
/// to the resume, `Poll::Pending` is the park, and `cx` is the wake, from the very first resume on. When the wake
/// comes, call it again **without** an input. A [task](crate::task) is a coroutine that yields nothing and is
/// driven by `poll_resume` alone; an async generator is one that does both.
///
/// # The laws
///
/// In the words of Python, where "raises" is [`Outcome::Raised`]:
///
/// | state | `start` / `next` | `send(v)` | `throw(e)` | `close()` |
/// |---|---|---|---|---|
/// | created | runs to the first yield | [`NotStarted`](Misuse::NotStarted) | raises `e`; the body never runs | `Closed`; the body never runs |
/// | running | [`Running`](Misuse::Running) | `Running` | `Running` | `Running` |
/// | suspended | sends nothing | `v` is the result of the yield | `e` appears at the yield | `Exit` appears at the yield |
/// | finished | [`Finished`](Misuse::Finished) | `Finished` | raises `e` | `Closed` |
///
/// While it is parked: no input continues it, an error or a close is delivered at the wait, and a value is
/// refused as `Running`. Closing a body that returns gives its value; one that lets `Exit` out is `Closed`; one
/// that yields has ignored its exit: [`IgnoredExit`](Misuse::IgnoredExit), and it stays suspended and resumable.
///
/// # Cancellation
///
/// Dropping a coroutine ends it hard: its destructors run and everything it holds is released.
///
/// # Panics
///
/// A panic of the body finishes the coroutine and continues in the caller of the resume. No method panics by
/// itself.
///
/// # References
///
/// [PEP 342](https://peps.python.org/pep-0342/), [PEP 525](https://peps.python.org/pep-0525/).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a coroutine that can be resumed by hand",
    label = "cannot be resumed",
    note = "a fiber is resumed by hand in a scope: `coro_fiber::scope(|scope| scope.own(fiber).start())`"
)]
pub trait Coroutine {
    /// What a `yield` evaluates to.
    type Send;
    /// What a `yield` hands out.
    type Yield;
    /// What the body ends with.
    type Return;
    /// The program's own error, thrown in and raised out.
    type Error;

    /// Where the coroutine stands.
    fn state(&self) -> State;

    /// Resumes the coroutine, or continues a resume that parked. See the trait's documentation.
    ///
    /// # Errors
    ///
    /// [`Misuse`], in the states that the table of laws names.
    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>>;

    /// Asks for the memory that the next resume will touch, where that is far from this. It is suspended.
    #[doc(hidden)]
    fn fetch(&self) {}

    /// [`poll_resume`](Self::poll_resume) with an input, or only the beginning of it: then this gives `None`, and a
    /// `poll_resume` without an input is to follow at once. So whoever drives it has one place where its body is run.
    #[doc(hidden)]
    fn begin_resume(&mut self, cx: &mut Context<'_>, input: InputOf<Self>) -> Option<Poll<Resumed<Self>>> {
        Some(self.poll_resume(cx, Some(input)))
    }

    /// What it is: its own frame, whether or not it has begun or ended.
    fn info(&self) -> FrameInfo {
        FrameInfo { flavour: None, name: core::any::type_name::<Self>(), made_at: None, state: self.state() }
    }

    /// What it delegates to while it is suspended or parked, from the outside in; nothing otherwise.
    fn delegates(&self) -> Vec<FrameInfo> {
        Vec::new()
    }

    /// Its frames while it is suspended, parked or not begun, itself first and then what it delegates to, with what is on
    /// their stacks. Nothing of it runs, and it goes on as if nobody had looked.
    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<FrameTrace> {
        if self.state() == State::Finished {
            return Vec::new();
        }
        core::iter::once(self.info()).chain(self.delegates()).map(FrameTrace::logical).collect()
    }

    /// Runs a new coroutine to its first suspension.
    ///
    /// # Errors
    ///
    /// [`Misuse`]: [`WouldPark`](Misuse::WouldPark) if the body waits for a wake-up, which this call cannot give.
    #[inline]
    fn start(&mut self) -> Resumed<Self> {
        resume_now(self, None)
    }

    /// Resumes a coroutine that does not wait.
    ///
    /// # Errors
    ///
    /// [`Misuse`]: [`WouldPark`](Misuse::WouldPark) if the body waits for a wake-up, which this call cannot give.
    /// The input has been delivered by then; the coroutine stays parked and can be continued by `poll_resume`.
    #[inline(always)]
    fn resume(&mut self, input: InputOf<Self>) -> Resumed<Self> {
        resume_now(self, Some(input))
    }
}

#[inline(always)]
fn resume_now<C: Coroutine + ?Sized>(coroutine: &mut C, input: Option<InputOf<C>>) -> Resumed<C> {
    answer_now(coroutine.poll_resume(&mut Context::from_waker(Waker::noop()), input))
}

/// The answer to a resume that has no wake.
#[inline(always)]
pub(crate) fn answer_now<T, S, Y, E>(answer: Poll<Result<T, Misuse<S, Y, E>>>) -> Result<T, Misuse<S, Y, E>> {
    match answer {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(Misuse::WouldPark),
    }
}

/// Whether `cx` belongs to a resume that cannot park: a leaf that needs an event loop must not complain there.
#[cfg(feature = "std")]
pub(crate) fn is_resume_without_wake(cx: &Context<'_>) -> bool {
    // Not `will_wake`: the table of `Waker::noop()` may have another address in another crate.
    cx.waker().data().is_null()
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<C: Coroutine + ?Sized> Coroutine for $pointer {
            type Send = C::Send;
            type Yield = C::Yield;
            type Return = C::Return;
            type Error = C::Error;

            fn state(&self) -> State {
                (**self).state()
            }

            fn info(&self) -> FrameInfo {
                (**self).info()
            }

            fn delegates(&self) -> Vec<FrameInfo> {
                (**self).delegates()
            }

            #[cfg(feature = "std")]
            fn backtrace(&mut self) -> Vec<FrameTrace> {
                (**self).backtrace()
            }

            fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<C>>) -> Poll<Resumed<Self>> {
                (**self).poll_resume(cx, input)
            }

            fn start(&mut self) -> Resumed<Self> {
                (**self).start()
            }

            fn resume(&mut self, input: InputOf<C>) -> Resumed<Self> {
                (**self).resume(input)
            }
        }
    )*};
}

forward!(&mut C, Box<C>);
