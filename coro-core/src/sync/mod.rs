//! What tasks of one loop agree with: a lock, an event, a value handed over once.
//!
//! Each is a handle: cloning it gives another one to the same thing (but a oneshot has two ends, one of each). None
//! waits when it need not, and each wakes those who can go on, and nobody else. Who waits stands in a line, first come,
//! first served; a wait that is dropped leaves at once, and passes on what it had been promised. Waiting allocates
//! nothing once a line has been as long before.
//!
//! Nothing here is for other threads: see [`RemoteHandle`](crate::event_loop::RemoteHandle). The queue has a module of
//! its own, [`queue`](crate::queue).
//!
//! # References
//!
//! [asyncio's synchronization primitives](https://docs.python.org/3/library/asyncio-sync.html).

pub mod event;
mod line;
pub mod lock;
pub mod oneshot;

pub use event::Event;
pub(crate) use line::{Line, Place};
pub use lock::{Guard, Lock};
pub use oneshot::{Receiver, Sender, oneshot};
