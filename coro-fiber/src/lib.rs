//! The fiber flavour: a coroutine on [corosensei](https://docs.rs/corosensei), with a stack of its own, so that a
//! plain call suspends it, at any depth of ordinary synchronous code.
//!
//! ```
//! use coro_core::prelude::*;
//! use coro_fiber::{Co, Fiber, scope};
//!
//! // No `async` anywhere between the body and the yield.
//! fn visit(co: &mut Co<u32, u32>, step: u32) -> Result<u32, Thrown<std::convert::Infallible>> {
//!     co.yield_(1 + step)
//! }
//!
//! let counter = Fiber::<u32, u32, &str>::new(|co| {
//!     let step = co.yield_(1)?;
//!     visit(co, step)?;
//!     Ok("done")
//! });
//! scope(|scope| {
//!     let mut counter = scope.own(counter);
//!     assert_eq!(counter.start(), Ok(Outcome::Yielded(1)));
//!     assert_eq!(counter.send(10), Ok(Outcome::Yielded(11)));
//!     assert_eq!(counter.send(0), Ok(Outcome::Returned("done")));
//! });
//! ```
//!
//! **Values** go in with `send` (the result of a `yield_`), come out of `yield_`, and end with the body's `Ok`.
//! **The first value sent** would have no `yield_` to go to: it is refused and handed back. Its siblings are
//! [`coro_core::native`] and `coro_gen`: the same names, with another engine underneath. One thing is a fiber's own: a
//! new [`Fiber`] is run by an event loop or by a coroutine that delegates to it, and by hand only in a [`scope`].
//!
//! When to choose a fiber, what it costs, how code that knows nothing of it waits, and **the rules of its stack**, are in the
//! [`guide`].
//!
//! # Without a `Co`
//!
//! [`wait()`], [`yield_now`], [`sleep`] and, for values, [`suspend`] find the innermost fiber that runs on their thread, and
//! suspend it from any depth: in a destructor, in a comparator, in a callback of a library that knows nothing of
//! coroutines. Where there is none, the error says what to do. [`on_fiber`] makes a future of such code, for any executor.
//!
//! A `Co` is lent as `&mut`, so that two suspensions of a body cannot be mixed up. These functions go around that, which
//! does no harm: a fiber can be in only one call at a time. What a future that the body waits for does in its `poll`
//! is such a call, too: if it suspends, the whole body stands still, and whatever is polled beside it.
//!
//! # As in gevent
//!
//! A [`Group`] is waited for, and ended, as one; a [`Pool`] is a group with so many places. Both run a function over many
//! items (`map`, `imap`, `imap_unordered`). A [`Greenlet`] is a task whose result is for any number to have, or to be
//! [linked](Eventual::link) to; an [`AsyncResult`] is a result that is set by hand. Whatever waits is a future, so that it
//! works with a `Co`, without one, and in native tasks.
//!
//! # What corosensei does, and what the contract closes
//!
//! Every resume of a fiber is one `resume` of a `corosensei::Coroutine`, used as a bare switch. corosensei
//! alone panics on a resume after the end and reports a running fiber as done; here these are
//! [`Misuse`](coro_core::Misuse) and [`State`](coro_core::State), the same in debug and release.
//!
//! # Backtraces
//!
//! [`JoinHandle::backtrace`](coro_core::task::JoinHandle::backtrace) shows in which calls a fiber is suspended. It looks from
//! the stack of the fiber, which does not notice, and needs 16 KiB of it; where a fiber has less, and where
//! [`stack_used`] knows nothing, it says so instead.
//!
//! ```
//! use coro_core::prelude::*;
//! use std::time::Duration;
//!
//! #[inline(never)]
//! fn wait_for_the_tide() {
//!     coro_fiber::sleep(Duration::from_secs(6 * 3600)).unwrap();
//!     std::hint::black_box(());
//! }
//!
//! let event_loop = Loop::simulated();
//! let sailor = event_loop.spawn(coro_fiber::task(|_| Ok(wait_for_the_tide())));
//! event_loop.run_until_complete(event_loop.spawn(coro_core::time::yield_now())).unwrap();
//! # #[cfg(unix)]
//! assert!(sailor.backtrace().unwrap().to_string().contains("wait_for_the_tide"));
//! ```

#![deny(unsafe_code)]

mod ambient;
mod body;
mod cancel_scope;
mod co;
mod command;
#[cfg(feature = "testing")]
pub mod conformance;
mod current;
mod engine;
mod error;
mod fiber;
mod greenlet;
pub mod guide;
pub mod io;
mod local;
pub mod net;
mod on_fiber;
mod options;
mod pool;
mod scope;
mod settle;
#[cfg(feature = "tracing")]
mod span;
mod stack;
mod switch;
mod task;
mod task_group;
mod tethered;
mod thrown;
mod with;

pub use ambient::{sleep, suspend, wait, yield_now};
pub use co::Co;
pub use current::in_fiber;
pub use error::{SuspendError, Types, WaitError};
pub use fiber::Fiber;
pub use greenlet::{AlreadySet, AsyncResult, Eventual, Failed, GetError, Greenlet, Link, TimedOut};
pub use local::{FiberLocal, LocalError, inheriting};
pub use on_fiber::{OnFiber, on_fiber};
pub use options::Options;
pub use pool::{Full, Group, Imap, ImapStream, Pool};
pub use scope::{Scope, ScopedFiber, scope, scope_async};
pub use stack::{StackError, StackPool, StackPoolBuilder, StackStatistics, StackUsed, stack_used};
pub use task::{TaskCo, run, spawn, spawn_later, task};
pub use tethered::{NotHere, Tethered};
pub use thrown::ThrownError;
