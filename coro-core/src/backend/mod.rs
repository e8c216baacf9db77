//! What a flavour is made of. Only those who write one need this module.
//!
//! A flavour supplies an [`Engine`] (how a body is run to its next request) and a `Co` (how a body makes one);
//! [`Machine`] supplies the laws, once for all flavours.
//!
//! The checklist for a new flavour:
//!
//! 1. an [`Engine`] that owns the body and shares an [`Airlock`] with it;
//! 2. a `Co`, lent to the body as `&mut`, whose `yield_` and `wait` put a [`Request`] into the airlock, switch
//!    out, and take the answer from it; and whose `with` is made of `wait` and [`Entered`];
//! 3. a public type around [`Machine`] that implements [`Coroutine`](crate::coroutine::Coroutine) by forwarding,
//!    with the constructor `new(body)`;
//! 4. `task(body)`, `spawn(body)` and `run(body)` for bodies that an event loop drives;
//! 5. a test file that runs `coro_core::conformance` on it.
//!
//! `examples/tests/by_hand_engine.rs` is the shortest such flavour. A coroutine that is written by hand, without a
//! machine (`examples/tests/by_hand.rs`), can be delegated to as well: [`Delegation::of`].

#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod airlock;
#[cfg(feature = "std")]
mod backtrace;
mod cell;
mod chain;
mod entered;
mod frame;
mod machine;
mod memory;
mod phase;
mod request;
mod running;
pub mod stackless;
mod sub;
mod wake;

pub use airlock::{Airlock, Delegated, Point};
#[cfg(feature = "std")]
pub use backtrace::{Captured, FrameTrace, OwnStack};
pub use cell::{BodyCell, Exclusive, Inner, Link, Local, Mobility, Movable};
pub use entered::Entered;
pub use frame::{BoxedFrame, Frame, FrameInfo, Level, Resume, Step, Sub};
pub use machine::{Engine, Machine, Progress};
pub use request::Request;
pub use running::Apart;
pub(crate) use sub::Sealed;
pub use sub::{AnyCoroutine, AnySub, Delegation, IntoSub, MovableSub, Plain};
pub use wake::CurrentWake;

use phase::Phase;
