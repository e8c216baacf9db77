//! What threads share. It is the standard library's, or under `--cfg coro_loom` that of loom, which runs the models of
//! `event_loop/models.rs` in every order that the memory model allows.
//!
//! A module that is to be modelled takes its locks and atomics from here. `Arc` and `OnceLock` stay the standard
//! library's: what they publish is there before the threads that use it.

#[cfg(coro_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
#[cfg(not(coro_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

/// Makes statics. In a model they begin anew with each of its runs.
#[cfg(not(coro_loom))]
macro_rules! shared {
    ($($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;)*) => {
        $($(#[$doc])* static $name: $type = $value;)*
    };
}
#[cfg(coro_loom)]
macro_rules! shared {
    ($($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;)*) => {
        loom::lazy_static! { $($(#[$doc])* static ref $name: $type = $value;)* }
    };
}
pub(crate) use shared;
