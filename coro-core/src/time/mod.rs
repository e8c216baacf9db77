//! Loop time, and waiting for it.

mod instant;
mod sleep;

pub use instant::Time;
pub use sleep::{Sleep, YieldNow, block_for, now, sleep, sleep_until, wall_clock, yield_now};
