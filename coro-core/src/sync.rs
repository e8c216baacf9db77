//! The atomics of what other threads touch, or those of loom, which tries every order of them.

#[cfg(coro_loom)]
pub(crate) use loom::sync::atomic::AtomicU32;
#[cfg(not(coro_loom))]
pub(crate) use std::sync::atomic::AtomicU32;
