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
//! # What corosensei does, and what the contract closes
//!
//! Every resume of a fiber is one `resume` of a `corosensei::Coroutine`, used as a bare switch. corosensei
//! alone panics on a resume after the end and reports a running fiber as done; here these are
//! [`Misuse`](coro_core::Misuse) and [`State`](coro_core::State), the same in debug and release.
//!
//! # What a fiber costs, and what to beware of
//!
//! A fiber reserves 256 KiB of address space, of which the pages it touches are committed, and the stacks of ended
//! fibers are reused. A fiber never leaves its thread. Dropping a suspended one unwinds its stack: destructors
//! run, and see `std::thread::panicking()`; a `std::sync::Mutex` whose guard is on that stack is poisoned. A body
//! that is asked to suspend while it is being unwound gets [`Thrown::Exit`](coro_core::Thrown::Exit) instead. The
//! program must be built with `panic = "unwind"`.
//!
//! Crates that rely on stack discipline in thread-locals (a value that is set for the time of a call) see the
//! switches of fibers as violations of it. Some, as `scoped-tls`, rely on it in unsafe code: do not suspend inside such
//! a call.
//!
//! # A fiber and its thread's locals
//!
//! A reference into a `thread_local!` may be live on the stack of a suspended fiber. If that fiber is itself kept in a
//! `thread_local!`, it is unwound while the thread ends, when the local that it refers to may be gone. So a fiber that
//! is resumed by hand belongs to a [`scope`], which it cannot leave, and a [`Fiber`] that has not begun, which may be
//! kept anywhere, cannot be resumed.
//!
//! ## What remains
//!
//! No type can close it where the owner must be `'static`: a loop with fiber tasks, a future or a coroutine with a
//! [`scope_async`] in it, a coroutine that delegates to a fiber, a delegation on its way (`IntoSub::into_sub`). **Do not
//! keep one of these in a `thread_local!`** while a fiber in it is suspended. Keep it in a variable of the function that
//! runs it. [`EventLoop::run`](coro_core::EventLoop::run) ends every task before it returns, so that a loop that was run
//! by it may be kept anywhere. To make the constructors `unsafe` would put a proof on every task for a mistake that takes
//! a deliberate act.
//!
//! And none can see that a fiber is leaked, by `mem::forget` or because its body holds the last handle to it, in a scope
//! or not. Its stack is left alone for ever then, and so is what it refers to, but for the locals of a thread that ends.
//! Nobody looks at them from there, unless they were lent to a thread that goes on. **Do not suspend where a
//! `thread_local!` is lent to other threads**:
//!
//! ```no_run
//! # use coro_fiber::{Co, Fiber};
//! # use coro_core::prelude::*;
//! # thread_local! { static LOCAL: String = String::new(); }
//! # let fiber = Fiber::<(), u32, (), ()>::new(|co| {
//! LOCAL.with(|local| {
//!     std::thread::scope(|threads| {
//!         threads.spawn(move || println!("{local}")); // waited for when the stack is unwound: never, if it is leaked
//!         co.yield_(1)
//!     })
//! })
//! # });
//! ```

#![forbid(unsafe_code)]

mod co;
#[cfg(feature = "testing")]
pub mod conformance;
mod engine;
mod fiber;
mod scope;
mod settle;
mod stack;
mod stagger;
mod task;
mod with;

pub use co::Co;
pub use fiber::Fiber;
pub use scope::{Scope, ScopedFiber, scope, scope_async};
pub use task::{TaskCo, run, spawn, task};
