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
//! # Without a `Co`
//!
//! [`wait()`], [`yield_now`], [`sleep`] and, for values, [`suspend`] find the innermost fiber that runs on their thread, and
//! suspend it from any depth: in a destructor, in a comparator, in a callback of a library that knows nothing of
//! coroutines. Where there is none, the error says what to do.
//!
//! A `Co` is lent as `&mut`, so that two suspensions of a body cannot be mixed up. These functions go around that, which
//! does no harm: a fiber can be in only one call at a time. What a future that the body waits for does in its `poll`
//! is such a call, too: if it suspends, the whole body stands still, and whatever is polled beside it.
//!
//! [`on_fiber`] makes a future of synchronous code that waits in this way, for any executor.
//!
//! **Do not block in a fiber.** To run a loop there is refused ([`RunError::InFiber`](coro_core::RunError::InFiber)), and
//! so are the `block_on` of tokio in a fiber under tokio, and that of `futures` in one under an executor of `futures`:
//! these say so by a panic of their own. Where the two do not know of each other, a `block_on` stops the thread until
//! its future is ready, which is for ever if that needs another task of the same thread: use [`wait()`].
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
//! # What a fiber costs, and what to beware of
//!
//! From when it begins until it ends, a fiber has a stack of 64 KiB of address space, or of what its [`Options`] say. Of
//! that, the pages that it touches are committed: one, for a body that does little. The stacks of ended fibers are used
//! again, and what many of them hold is given back ([`StackPool`]).
//!
//! **A stack is small.** Below it is a guard page, so that what overflows it ends the program, with a message that names the
//! fiber, as the overflow of a thread does; it never goes on. Deep recursion needs a larger stack ([`stack_used`] tells how
//! large), and so may code that was written for threads: formatting of floats, regular expressions, a backtrace, which takes
//! 30 KiB or so in a debug build. A function of C with large arrays that was not built with probes (`-fstack-clash-protection`)
//! may step over the guard page. The handler of a signal runs on the stack of the fiber that it interrupts, unless it is
//! installed with `SA_ONSTACK`, which what is not tiny should be. A memory allocator that keeps what belongs to the running
//! *thread* is right here, for a fiber never leaves its own.
//!
//! # Dropping a fiber
//!
//! Cancelling a task does not unwind anything: it is an error that comes out of a wait. Only to *drop* a fiber that is
//! suspended unwinds its stack, at once and wherever that is: in another fiber, during a panic, in a destructor that runs
//! because another fiber is unwound. Destructors run then, and see `std::thread::panicking()`; a `std::sync::Mutex` whose
//! guard is on that stack is poisoned, a [`Lock`](coro_core::sync::Lock) is free afterwards.
//!
//! Nobody will resume a fiber that is being dropped. So what it waits for is refused, with
//! [`Thrown::Exit`](coro_core::Thrown::Exit) or [`WaitError::Unwinding`], unless it is ready. A body that catches the
//! unwinding with `catch_unwind` may end in any way. If it goes on to wait instead, a thousand times, it is stopped there: its
//! stack is never used again, with all that is on it, and the loop's exception handler gets an
//! [`Exception::Leaked`](coro_core::event_loop::Exception::Leaked). A destructor that does so, a million times, ends the
//! program with a message.
//!
//! A fiber that was suspended *during* a panic, by a destructor that resumed it, is not unwound when it is dropped before it
//! is resumed without one: it gets the errors only. So is every fiber of a program that is built with `panic = "abort"`, where
//! nothing can be unwound: let your bodies end when a wait is refused, and do not drop what is suspended.
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
//!
//! # Thread-locals
//!
//! Crates that rely on stack discipline in thread-locals (a value that is set for the time of a call) see the
//! switches of fibers as violations of it. Some, as `scoped-tls`, rely on it in unsafe code: do not suspend inside such
//! a call. `tracing` is one of them: a span that a fiber has entered would be that of whoever runs next. With the feature
//! `tracing` it is left when the fiber suspends, and entered again when it goes on; a default subscriber that is set for a
//! call (`with_default`) is not: set it around the loop.
//!
//! What a fiber has for itself, as a thread has its locals, is in a [`fiber_local!`].
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
