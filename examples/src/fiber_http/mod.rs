//! An HTTP service in synchronous code, on fibers.
//!
//! [`serve_connection`] and [`Totals`] would do on threads as they are: they read, write, and call [`ureq`], [`csv`] and
//! [`serde_json`], which know nothing of fibers either. What makes fibers of it is at the edges: [`serve()`] spawns one for
//! each connection, and [`FiberConnector`] gives ureq connections that suspend it. So a thousand requests that wait for
//! another server take a thousand fibers on one thread; and all of it runs in a simulated network, in virtual time.

mod connection;
mod connector;
mod message;
mod server;
mod totals;

pub mod command;

pub use connection::serve_connection;
pub use connector::{FiberConnector, FiberTransport, LiteralResolver, agent};
pub use message::{Request, Response};
pub use server::serve;
pub use totals::{Totals, data};
