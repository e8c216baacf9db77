//! The stacks of fibers: pools of slots in mapped memory, each thread's its own.
//!
//! ```text
//!   a pool ─▶ chunks, mapped, 1 to 64 MiB each
//!             │ slot │ slot │ slot │ …          as many as were cut; the rest is address space
//!             └──────┴──────┴──────┘
//!   a slot    │ guard │ ………… stack, grows down ◀ │ header │ left out │
//!             low     limit + a page             base               top
//! ```
//!
//! - A slot is *cut* from the last chunk when no free one is left: that gives it its guard page, for which a new Linux
//!   needs no mapping (`unix/memory.rs`). Its pages are committed when they are touched.
//! - It is *on loan* as a [`Stack`] while a fiber runs on it, and *free* before and after. Free stacks are reused, the
//!   last one given back first, for its pages are in the cache. Where they are more than a mark, the pages of those that
//!   were given back first are given to the system (`pool.rs`).
//! - A chunk is unmapped with its pool, and never while a slot of it is on loan: a fiber that is forgotten keeps its stack
//!   for ever.
//! - The header says whose stack it is, and where the slots are is known without a lock (`unix/place.rs`), so that the handler
//!   of a fault can name the fiber that has overflowed (`unix/overflow.rs`).
//! - Something is left out at the top, another amount in each slot. If all bodies began at the same place of a page, what
//!   is touched at every switch would lie in the same few sets of the caches for all fibers. It is half a page at most, so
//!   that a body with little on its stack touches no second page.
//!
//! Where there is no `mmap`, stacks are those of corosensei, each in a box (`boxed.rs`), and an overflow is the
//! system's to report.

#[cfg(any(not(unix), coro_threads))]
mod boxed;
mod error;
mod fetch;
mod header;
mod pool;
#[cfg(all(unix, not(coro_threads)))]
mod unix;
mod used;

#[cfg(any(not(unix), coro_threads))]
use boxed as memory;
#[cfg(all(unix, not(coro_threads)))]
use unix as memory;

pub use error::StackError;
pub(crate) use fetch::fetch_beneath;
pub(crate) use header::{Site, Stack};
pub use pool::{StackPool, StackPoolBuilder, StackStatistics};
pub(crate) use used::room;
pub use used::{StackUsed, stack_used};
