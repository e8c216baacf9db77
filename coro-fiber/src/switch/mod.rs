//! How a body is left and gone on with: by corosensei, which switches stacks, or under `--cfg coro_threads` by threads, for
//! Miri. Both have the same few names; nothing else here names either.

#[cfg(coro_threads)]
mod threads;

#[cfg(not(coro_threads))]
pub(crate) use corosensei::{Coroutine, CoroutineResult, Yielder};
#[cfg(coro_threads)]
pub(crate) use threads::{Coroutine, CoroutineResult, DefaultStack, Yielder};
