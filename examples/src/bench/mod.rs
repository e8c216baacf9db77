//! `coro bench`: what the flavours cost on our loop, beside other runtimes.
//!
//! Every contender does the same work ([`shared`]), each measurement in a process of its own, pinned to one core. The
//! contenders take turns, so that what disturbs the machine disturbs them all; the medians of the rounds are held
//! against each other, and against the [targets](target).

pub mod child;
pub mod command;
pub mod instructions;
pub mod machine;
pub mod own;
pub mod report;
pub mod results;
pub mod shared;
pub mod target;
