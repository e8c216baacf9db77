//! TCP for synchronous code: what [`std::net`] has, where a wait suspends the fiber and not the thread.
//!
//! A library that reads and writes through [`Read`](std::io::Read) and [`Write`](std::io::Write) needs no change: TLS,
//! WebSockets, parsers, protocols. Underneath are the sockets of the loop, [`coro_core::net`], so that the same code runs
//! over the kernel and in a simulated network.
//!
//! # When a wait does not get what it waited for
//!
//! The error is then an [`io::Error`](std::io::Error) of the kind [`Other`](std::io::ErrorKind::Other) with a
//! [`WaitError`](crate::WaitError) inside: the task was cancelled, say, or there is no fiber here. It goes through the
//! library as any other error does, ends its loops (none tries it again, as they do with
//! [`Interrupted`](std::io::ErrorKind::Interrupted)), and is taken out by `error.downcast::<WaitError>()`. A library that
//! drops it, or reads again before it passes it on (as `serde_json` does, for the ends of open lists), has swallowed the
//! cancellation, as `except: pass` does in Python: the next wait waits again. A `shutdown` for reading, by whoever has a
//! clone of the stream, ends also such a library.
//!
//! # Stacks
//!
//! Libraries were written for the stacks of threads. In a debug build `serde_json`, `csv`, `postgres-protocol` and
//! `tungstenite` take some 30 KB, a TLS handshake by `rustls` 50 KB, and `ureq` over TLS 125 KB: more than the 64 KiB of a
//! fiber, so that it needs [`Options::stack_bytes`](crate::Options::stack_bytes). [`stack_used`](crate::stack_used) tells.
//!
//! # Examples
//!
//! ```
//! use coro_core::prelude::*;
//! use coro_fiber::net::{FiberListener, FiberStream};
//! use std::io::{self, BufRead, BufReader, Read, Write};
//!
//! /// Knows nothing of fibers, and would serve a `std::net::TcpStream` as well.
//! fn shout(mut stream: impl Read + Write) -> io::Result<()> {
//!     let mut word = String::new();
//!     Read::by_ref(&mut stream).take(5).read_to_string(&mut word)?;
//!     writeln!(stream, "{}", word.to_uppercase())
//! }
//!
//! let answers = Loop::simulated().run(coro_fiber::task(|_| {
//!     let listener = FiberListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
//!     let address = listener.local_addr().unwrap();
//!     let server = coro_fiber::spawn(move |_| {
//!         for stream in listener.incoming() {
//!             let stream = stream.unwrap();
//!             coro_fiber::spawn(move |_| Ok(shout(stream))).detach();
//!         }
//!         Ok(())
//!     });
//!     let ask = |word: &str| -> io::Result<String> {
//!         let mut stream = FiberStream::connect(address)?;
//!         stream.write_all(word.as_bytes())?;
//!         BufReader::new(stream).lines().next().unwrap()
//!     };
//!     let answers = [ask("hello"), ask("world")].map(Result::unwrap);
//!     server.cancel();
//!     Ok(answers)
//! }));
//! assert_eq!(answers.unwrap(), ["HELLO", "WORLD"]);
//! ```

mod listener;
mod stream;

pub use listener::{FiberListener, Incoming};
pub use stream::FiberStream;
