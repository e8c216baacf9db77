//! One coroutine contract and one event loop, for `async` bodies, generators and fibers alike.
//!
//! ```
//! use coro_core::native::Native;
//! use coro_core::prelude::*;
//!
//! let mut echo = Native::<u32, u32, &str>::new(async |co| {
//!     let sent = co.yield_(1).await?;
//!     co.yield_(sent).await?;
//!     Ok("done")
//! });
//! assert_eq!(echo.start(), Ok(Outcome::Yielded(1)));
//! assert_eq!(echo.send(7), Ok(Outcome::Yielded(7)));
//! assert_eq!(echo.send(0), Ok(Outcome::Returned("done")));
//! ```
//!
//! **Values** go in with `send` (the result of a `yield_`), come out of `yield_`, and end with the body's `Ok`.
//! **The first value sent** would have no `yield_` to go to: it is refused and handed back; `start` runs a body to
//! its first `yield_`.
//!
//! # Vocabulary
//!
//! - A [*coroutine*](mod@coroutine) is a body that can be suspended, and resumed with a value, an error or a request to
//!   end. A *flavour* is a way to write one: [`native`] here, generators in `coro-gen`, fibers in `coro-fiber`.
//!   The attribute [`coroutine`](macro@coroutine) makes them all of one function body.
//! - It *yields* a value and waits for the next input; it *parks* to wait for an event, inside a resume that is not
//!   over.
//! - A [*task*](task) is a coroutine that yields nothing and is driven by an [*event loop*](event_loop). A
//!   [*driver*](driver) is what the loop waits with: epoll, poll, select, or a simulated world in virtual time.
//! - A *leaf* is an operation that a body waits for, written once, as a future: [`time::sleep`], [`Queue::get`],
//!   a [`JoinHandle`], a read of a [`net::TcpStream`]. A native body writes `leaf.await`, the others
//!   `co.wait(leaf)`.
//!
//! # What holds
//!
//! - Every use of a coroutine has one outcome, the same in every flavour, in debug and release. Misuse is an error,
//!   never a panic, and hands back what it would lose.
//! - Nothing is lost silently: a value, an item, an error, a panic, a wake-up.
//! - A loop runs what is ready first in, first out; what that schedules waits for the next turn. On the simulated
//!   driver the same program does the same every time.
//! - `unsafe` is in the small modules that `ARCHITECTURE.md` lists, each block with its proof, and denied elsewhere.
//!
//! Not here: tasks on several threads (a loop belongs to one; [`event_loop::RemoteHandle`] reaches it from others, and
//! [`executor`] runs on others what blocks), and work stealing.
//!
//! # Features
//!
//! | feature | gives | needs |
//! |---|---|---|
//! | none | [`coroutine`](mod@coroutine), [`native`] without its tasks, [`backend`], the [attribute](macro@coroutine), [`prelude`] | an allocator |
//! | `std` (default) | [`event_loop`], [`driver`], [`task`], [`time`], [`net`], [`queue`], [`sync`], [`executor`], [`random`], [`stats::counts`] | the standard library |
//! | `testing` | the conformance kit, `coro_core::conformance`, for the tests of other flavours and loops, and the simulator, `coro_core::sim` | `std` |
//! | `sim-trap` | catches what a simulated program does around its loop | `testing`, Linux |
//! | `futures` | `futures::task::LocalSpawn` for the [`Loop`] | `std` |
//! | `tokio` | [`guest`](event_loop): a loop and tokio's tasks on one thread | `std`, Unix |
//!
//! Without `std` (`default-features = false`) the crate is `no_std`, and a coroutine means the same, for everything is
//! as it is outside a loop: an [`AsyncGenerator`](coroutine::AsyncGenerator) or a context that is dropped half-way is
//! dropped, and a body waits for whoever calls [`poll_resume`](Coroutine::poll_resume):
//!
//! ```
//! extern crate alloc;
//! use alloc::rc::Rc;
//! use core::cell::Cell;
//! use core::future::poll_fn;
//! use core::task::{Context, Poll, Waker};
//! use coro_core::native::Native;
//! use coro_core::prelude::*;
//!
//! let pressed = Rc::new(Cell::new(false));
//! let button = Rc::clone(&pressed);
//! let mut script = Native::<(), &str, ()>::new(async move |co| {
//!     let press = poll_fn(|_| if button.get() { Poll::Ready(()) } else { Poll::Pending });
//!     co.wait(press).await?;
//!     co.yield_("on").await
//! });
//! let mut frame = || script.poll_resume(&mut Context::from_waker(Waker::noop()), None);
//! assert_eq!(frame(), Poll::Pending);
//! pressed.set(true);
//! assert_eq!(frame(), Poll::Ready(Ok(Outcome::Yielded("on"))));
//! ```

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod backend;
pub mod coroutine;
pub mod native;
pub mod prelude;
pub mod stats;

#[cfg(feature = "std")]
pub mod context;
#[cfg(feature = "std")]
pub mod driver;
#[cfg(feature = "std")]
pub mod event_loop;
#[cfg(not(feature = "std"))]
#[path = "no_loop.rs"]
mod event_loop;
#[cfg(feature = "std")]
pub mod executor;
#[cfg(feature = "std")]
pub mod group;
#[cfg(feature = "std")]
#[doc(hidden)]
pub mod local;
#[cfg(feature = "std")]
pub mod net;
#[cfg(feature = "std")]
pub mod porting;
#[cfg(feature = "std")]
pub mod queue;
#[cfg(feature = "std")]
pub mod runner;
#[cfg(feature = "std")]
pub mod scope;
#[cfg(feature = "std")]
pub mod sync;
#[cfg(feature = "std")]
pub mod task;
#[cfg(feature = "std")]
mod threads;
#[cfg(feature = "std")]
pub mod time;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "std")]
pub mod random;
#[cfg(feature = "testing")]
pub mod sim;

#[cfg(all(feature = "tokio", unix))]
pub use event_loop::guest;

pub use coro_macros::coroutine;
pub use coroutine::{Coroutine, CoroutineExt, Input, Misuse, Outcome, State, Thrown};
#[cfg(feature = "std")]
pub use event_loop::{EventLoop, Loop, RunError};
#[cfg(feature = "std")]
pub use queue::Queue;
#[cfg(feature = "std")]
pub use task::{JoinHandle, TaskError, TaskResult, as_completed, gather};
