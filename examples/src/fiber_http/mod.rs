//! An HTTP service in synchronous code, on fibers. To read in this order:
//!
//! - [`Totals`]: the handler, which calls [`ureq`], [`csv`] and [`serde_json`]. Neither it nor they know of fibers.
//! - [`serve()`]: spawns a fiber for each connection. Here they are made.
//! - [`serve_connection`]: reads requests and writes answers, as it would on a thread.
//! - [`FiberConnector`]: gives ureq connections that suspend the fiber.
//!
//! So a thousand requests that wait for another server take a thousand fibers on one thread; and all of it runs in a
//! simulated network, in virtual time.

mod connection;
mod connections;
mod connector;
mod head;
mod message;
mod server;
mod totals;

pub mod command;

pub use connection::serve_connection;
pub use connector::{FiberConnector, FiberTransport, LiteralResolver, agent};
pub use message::{Request, Response};
pub use server::serve;
pub use totals::{Totals, data};
