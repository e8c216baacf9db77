//! Loop time, and waiting for it.

mod instant;
mod interval;
mod sleep;

pub use instant::Time;
pub use interval::{Interval, MissedTicks, Tick, interval, interval_at};
pub use sleep::{Sleep, YieldNow, block_for, now, sleep, sleep_until, wall_clock, yield_now};
