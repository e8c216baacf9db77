//! What `coro bench` and its peers use word for word: the peers' package includes these files by their path. So the
//! work is the same by construction, and so is the way it is measured.

pub mod contender;
pub mod core;
pub mod meter;
pub mod record;
pub mod remote;
pub mod request;
pub mod scenario;
pub mod schedule;
pub mod turns;
