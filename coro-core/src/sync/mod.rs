//! What tasks of one loop agree with.
//!
//! | | |
//! |---|---|
//! | [`Lock`], [`RwLock`], [`Condition`] | a value that one uses at a time; that many read; that one waits for a change of |
//! | [`Semaphore`], [`BoundedSemaphore`], [`CapacityLimiter`] | so many at once |
//! | [`Event`], [`Barrier`], [`OnceCell`] | something has happened; all are there; a value was made |
//! | [`oneshot()`], [`open_memory_channel`] | a value handed over; many, from many to many, each to one |
//! | [`watch`], [`broadcast`] | the last value, for all; every value, for all |
//!
//! Each is a handle: cloning it gives another one to the same thing, or another end of a channel (but a oneshot has one of
//! each). None waits when it need not, and each wakes those who can go on, and nobody else. Who waits stands in a line,
//! first come, first served; a wait that is dropped leaves at once, and passes on what it had been promised. A task that
//! waits allocates nothing once a line has been as long before. Guards borrow nothing: any body can hold one across its waits.
//! `statistics()` shows what each looks like.
//!
//! Nothing here is for other threads: see [`RemoteHandle`](crate::event_loop::RemoteHandle). The queues have a module of
//! their own, [`queue`](crate::queue).
//!
//! # References
//!
//! [asyncio's synchronization primitives](https://docs.python.org/3/library/asyncio-sync.html),
//! [trio's](https://trio.readthedocs.io/en/stable/reference-core.html#synchronizing-and-communicating-between-tasks).

pub mod barrier;
pub mod bounded_semaphore;
pub mod broadcast;
pub mod capacity_limiter;
pub mod condition;
pub mod event;
mod holders;
mod line;
pub mod lock;
mod marks;
pub mod memory;
pub mod once_cell;
pub mod oneshot;
mod permits;
mod roster;
pub mod rw_lock;
pub mod semaphore;
pub mod watch;
mod who;

pub use barrier::Barrier;
pub use bounded_semaphore::BoundedSemaphore;
pub use capacity_limiter::CapacityLimiter;
pub use condition::Condition;
pub use event::Event;
pub(crate) use line::{Line, Place};
pub use lock::{Guard, Lock};
pub use memory::{MemoryReceiveChannel, MemorySendChannel, open_memory_channel};
pub use once_cell::OnceCell;
pub use oneshot::{Receiver, Sender, oneshot};
pub use rw_lock::RwLock;
pub use semaphore::Semaphore;
