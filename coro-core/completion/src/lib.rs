//! A driver in completion style, written with what `coro-core` shows to everybody: the tutorial for authors of drivers.
//!
//! A *readiness* driver (epoll) is told that something can be done, and does it. A *completion* driver (io_uring, this
//! one) hands over what is to be done, with all that it takes, and is told that it is over. Here a thread takes the place
//! of the kernel; what crosses the two queues is what would cross the rings.
//!
//! ```text
//!   the loop's thread                                   the proactor's thread
//!   ┌────────────┐  Submission: start, cancel, close   ┌───────────────────────────┐
//!   │ Completion │ ──────────────────────────────────▶ │ Proactor                  │
//!   │ (Driver)   │                                     │ owns descriptors, buffers │
//!   │            │ ◀────────────────────────────────── │ until they are over       │
//!   └────────────┘  Finished: slot, result, buffer     └───────────────────────────┘
//! ```
//!
//! ```
//! # #[cfg(target_os = "linux")]
//! # fn main() -> std::io::Result<()> {
//! use coro_completion::CompletionDriver;
//! use coro_core::net::{TcpListener, TcpStream};
//! use coro_core::prelude::*;
//! use futures::{AsyncReadExt, AsyncWriteExt};
//!
//! let event_loop = Loop::with_driver(CompletionDriver::new()?);
//! let text = event_loop.run(async {
//!     let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
//!     let mut client = TcpStream::connect(listener.local_address()).await?;
//!     let (mut server, _) = listener.accept().await?;
//!     client.write_all(b"hello").await?;
//!     drop(client);
//!     let mut text = String::new();
//!     server.read_to_string(&mut text).await?;
//!     Ok::<_, std::io::Error>(text)
//! })??;
//! assert_eq!(text, "hello");
//! # Ok(())
//! # }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```
//!
//! # What a driver has to do
//!
//! 1. **Name operations by their slot.** The loop chooses a [`Slot`](coro_core::driver::Slot) for each operation, and
//!    takes its completion by that name, once. The loop checks: a completion of what is not in flight ends the run with
//!    [`RunError::Driver`](coro_core::RunError::Driver), and is never undefined behaviour. So a driver has no `unsafe` of
//!    its own to answer for, unless its kernel interface does.
//! 2. **Own what an operation needs, until its completion is delivered**: the buffer, and the descriptor. Whoever waits may
//!    be gone long before: a future that is dropped only [cancels](coro_core::driver::Driver::cancel). A kernel that
//!    still writes into the buffer writes into ours. Here both are moved to the proactor's thread, and a buffer comes back
//!    with the completion even where the result has no place for it; it is freed when that is delivered.
//! 3. **Complete what is cancelled.** A cancellation is a submission like others, and may be too late. Exactly one
//!    completion follows: [`Interrupted`](std::io::ErrorKind::Interrupted) if it was in time, else the result. If that is
//!    a socket, of an accept or a connect, nobody knows it: the loop closes it. So a driver must not close it itself, nor
//!    forget it.
//! 4. **Close when nothing is in flight.** A socket is a number, which is never given again. Its descriptor is closed
//!    after the last operation on it is over: a descriptor that was closed and given out anew by the system would make an
//!    operation in flight one on another socket. Receives and accepts are cancelled by a close; sends are sent in full.
//! 5. **Be over at once where the caller cannot wait.** `TcpListener::bind` is no future: a
//!    [`Listen`](coro_core::driver::Operation::Listen) gives its result in `submit`.
//! 6. **Wait in one place**: for completions, for the [`notifier`](coro_core::driver::Driver::notifier), for a deadline of
//!    your own clock. Returning early is harmless. What was submitted since the last wait goes to the kernel here, all at
//!    once: one system call a turn, as with `io_uring_enter`.
//! 7. **Let hosts wait for you**, if you have a descriptor: [`pollable`](coro_core::driver::Driver::pollable) becomes
//!    readable with a completion and with a notification, and [`has_more`](coro_core::driver::Driver::has_more) says if
//!    there is something to do before a wait: completions that are here, or submissions that are not there yet. With
//!    these two a loop can be a guest of tokio.
//!
//! # How to test a driver
//!
//! With the laws: `coro_core::completing_event_loop_conformance!` (feature `testing`) makes a module of hundreds of tests of
//! them, for a flavour and a function that makes a loop. A clock of the real world is paced
//! ([`Paced`](coro_core::driver::Paced)), so that nobody waits: see `tests/conformance.rs`. What the laws do not see,
//! because it is below the loop, is tested on the driver itself: `tests/cancellation.rs`, `tests/descriptors.rs`.

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod driver;
mod endpoint;
mod proactor;
mod queue;

pub use driver::CompletionDriver;
