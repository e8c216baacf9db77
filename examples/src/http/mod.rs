//! HTTP/1.1 over the loop's own sockets: a client session like aiohttp's, and a small static file server.
//!
//! The protocol is [hyper](https://docs.rs/hyper)'s; the connections, the clock and the tasks are the loop's, so
//! that the same program runs over epoll and in a simulated network. Every operation of a [`Session`] or a
//! [`Response`] is a plain future, to be awaited by a native task or waited for with `co.wait(…)` by the others.

mod body;
mod error;
mod io;
mod limit;
mod pool;
mod resolve;
mod response;
mod server;
mod session;
mod source;

pub use error::FetchError;
pub use io::HyperIo;
pub use response::Response;
pub use server::{Server, Statistics};
pub use session::{Session, Settings};
pub use source::{Found, Source};
