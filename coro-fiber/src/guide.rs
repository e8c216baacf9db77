//! When to choose a fiber, what it costs, and the rules of its stack.
//!
//! # When
//!
//! A fiber is a coroutine with a stack of its own: a plain call suspends it. It is for code that cannot be coloured, because
//! somebody else calls it (comparators, visitors, iterators, `Drop`, the callbacks of an interpreter), or because a library
//! reads and writes through [`Read`](std::io::Read) and [`Write`](std::io::Write). For what can be `async`, a native task is
//! smaller, and cheaper to make; they meet on one loop, wait for each other and delegate to each other.
//!
//! # What it costs
//!
//! Measured beside a native coroutine (`examples/benches/LOG.md`):
//!
//! | | native | fiber |
//! |---|---:|---:|
//! | a value sent in and another one back | 1 | 1 |
//! | the same through delegations, at any depth | 1 | 0.5 |
//! | a turn of the loop, a thousand tasks | 1 | 2 |
//! | the same, of a hundred thousand fibers whose stacks are cold | | 30 |
//! | made, run to its end and joined | 1 | 3.5 |
//! | dropped while it is suspended, which unwinds its stack | 1 | 40 |
//! | memory while it waits, in bytes | 194 | 4,550 |
//! | a TCP connection with its buffers, in bytes | 18,500 | 24,700 |
//! | allocations to make it | 1 | 1 and a used stack |
//! | address space | | 64 KiB and a guard page |
//!
//! A stack is memory only where it was touched: a page, for a body that does little, and 137 bytes of page tables. The
//! stacks of ended fibers are used again, and what many of them hold is given back ([`StackPool`](crate::StackPool)). A
//! hundred thousand live at once under the default limits of Linux.
//!
//! # Waiting where nobody thought of it
//!
//! [`wait`](crate::wait()), [`sleep`](crate::sleep), [`yield_now`](crate::yield_now) and [`suspend`](crate::suspend) suspend
//! the fiber that they are called in. What was thrown meanwhile, a cancellation above all, comes out of them as an error.
//! Where a callback can return none, keep it, do no more, and return it afterwards:
//!
//! ```
//! use coro_core::prelude::*;
//! use std::time::Duration;
//!
//! /// Of a library that knows nothing of waiting, nor of errors.
//! fn visit(leaves: &[u64], visitor: &mut dyn FnMut(u64)) {
//!     leaves.iter().for_each(|leaf| visitor(*leaf));
//! }
//!
//! fn slow_visit(leaves: &[u64]) -> TaskResult<u64> {
//!     let (mut sum, mut waited) = (0, Ok(()));
//!     visit(leaves, &mut |leaf| {
//!         if waited.is_ok() {
//!             waited = coro_fiber::sleep(Duration::from_secs(leaf));
//!             sum += leaf;
//!         }
//!     });
//!     waited?;
//!     Ok(sum)
//! }
//!
//! assert_eq!(Loop::simulated().run(coro_fiber::task(|_| slow_visit(&[1, 2, 3]))).unwrap(), 6);
//! ```
//!
//! [`on_fiber`](crate::on_fiber()) makes a future of such code, for any executor, and [`net`](crate::net) and
//! [`io`](crate::io) are the sockets and streams for it.
//!
//! **Do not block in a fiber**: it blocks the thread, and so all others. To run a loop there is refused
//! ([`RunError::InFiber`](coro_core::RunError::InFiber)), and so are the `block_on` of tokio in a fiber under tokio, and that
//! of `futures` in one under an executor of `futures`, by panics of their own. Where the two do not know of each other, a
//! `block_on` stops the thread until its future is ready, which is for ever if that needs another task of the same thread.
//!
//! # The rules of a small stack
//!
//! **It has 64 KiB**, or what its [`Options`](crate::Options) or pool say, in every build. In a debug build calls take four to
//! ten times as much of it, so a program that passes its tests there has room to spare:
//!
//! | KiB | debug | release |
//! |---|---:|---:|
//! | a panic with a backtrace | 22 | 22 |
//! | `url`, to parse and to join | 17 | 3 |
//! | `regex`, to search; to compile | 51, 107 | 5, 26 |
//! | `serde_json` or `csv` over a connection | 28 | |
//! | `rustls`, a handshake; `ureq` over that | 50, 121 | |
//!
//! To what is beyond give 256 KiB, which takes no more memory. [`stack_used`](crate::stack_used) tells how deep a stack got.
//!
//! **What overflows it ends the program**, with a message that names the fiber, as the overflow of a thread does: below it is
//! a guard page. A function of C with large arrays that was not built with probes (`-fstack-clash-protection`) may step over
//! that page.
//!
//! **Signals.** A handler runs on the stack of the fiber that it interrupts, unless it is installed with `SA_ONSTACK`, which
//! one that is not tiny should be.
//!
//! **Allocators**, and whatever else keeps what belongs to the running *thread*, are right here: a fiber never leaves its own.
//!
//! # Dropping a fiber
//!
//! Cancelling a task does not unwind anything: it is an error that comes out of a wait. Only to *drop* a fiber that is
//! suspended unwinds its stack, at once and wherever that is: in another fiber, during a panic, in a destructor that runs
//! because another fiber is unwound. Destructors run then, and see `std::thread::panicking()`; a `std::sync::Mutex` whose
//! guard is on that stack is poisoned, a [`Lock`](coro_core::sync::Lock) is free afterwards. (A `std` guard that is held across
//! a wait blocks the thread as soon as another fiber wants it.)
//!
//! Nobody will resume a fiber that is being dropped. So what it waits for is refused, with
//! [`Thrown::Exit`](coro_core::Thrown::Exit) or [`WaitError::Unwinding`](crate::WaitError::Unwinding), unless it is ready. A
//! body that catches the unwinding with `catch_unwind` may end in any way. If it goes on to wait instead, a thousand times, it
//! is stopped there: its stack is never used again, with all that is on it, and the loop's exception handler gets an
//! [`Exception::Leaked`](coro_core::event_loop::Exception::Leaked). A destructor that does so, a million times, ends the
//! program with a message.
//!
//! A fiber that was suspended *during* a panic, by a destructor that resumed it, is not unwound when it is dropped before it
//! is resumed without one: it gets the errors only. **With `panic = "abort"`** so is every fiber, for nothing can be unwound: let
//! your bodies end when a wait is refused.
//!
//! # Thread-locals
//!
//! **A thread-local that is set for the time of a call**, and put back after it, is seen by whoever runs meanwhile, and put back
//! too late. Some crates, as `scoped-tls`, rely on the order in unsafe code: do not suspend inside such a call. What a fiber has
//! for itself is in a [`fiber_local!`](crate::fiber_local). `tracing` is such a crate: a span that a fiber has entered would be
//! that of whoever runs next. With the feature `tracing` it is left when the fiber suspends, and entered again when it goes on; a
//! default subscriber that is set for a call (`with_default`) is not: set it around the loop.
//!
//! **A reference into a `thread_local!`** may be live on the stack of a suspended fiber. If that fiber is itself kept in a
//! `thread_local!`, it is unwound while the thread ends, when the local that it refers to may be gone. So a fiber that is
//! resumed by hand belongs to a [`scope`](crate::scope()), which it cannot leave, and a [`Fiber`](crate::Fiber) that has not
//! begun, which may be kept anywhere, cannot be resumed.
//!
//! ## What remains
//!
//! No type can close that where the owner must be `'static`: a loop with fiber tasks, a future made by
//! [`on_fiber`](crate::on_fiber()), a future or a coroutine with a [`scope_async`](crate::scope_async) in it, a coroutine that
//! delegates to a fiber, a delegation on its way (`IntoSub::into_sub`). **Do not keep one of these in a `thread_local!`** while
//! a fiber in it is suspended. Keep it in a variable of the function that runs it.
//! [`EventLoop::run`](coro_core::EventLoop::run) ends every task before it returns, so that a loop that was run by it may be
//! kept anywhere. To make the constructors `unsafe` would put a proof on every task for a mistake that takes a deliberate act.
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
//!
//! Both are shown by `coro-fiber/tests/hole.rs`, under the address sanitizer.
//!
//! # Programs to read
//!
//! - `examples/src/fiber_http/`: an HTTP service whose synchronous handler calls `ureq`, `csv` and `serde_json`.
//! - `examples/tests/fiber_tls.rs`, `fiber_websocket.rs`, `fiber_postgres.rs`: `rustls`, `tungstenite` and a codec, unmodified.
//! - `coro-fiber/tests/callbacks.rs`: an iterator, a comparator, a visitor, a format and a destructor that wait.
//! - `coro-fiber/tests/on_fiber.rs`: the same future under tokio, smol, `futures` and our loop.
