//! How much of a stack is used.

/// How much of its stack a fiber uses, in bytes. Given by [`stack_used`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackUsed {
    /// Now.
    pub now: usize,
    /// Where it was deepest: the lowest byte that is not zero, below which nothing was written but zeros. In a release
    /// build that may also be what fibers before it have written to the same stack.
    pub peak: usize,
    /// What there is, without the guard page. Up to 2 KiB at the top of it are left out.
    pub stack_bytes: usize,
}

/// How much of its stack the fiber uses that calls this, or whose body does, at any depth: to learn how large
/// [stacks](crate::Options::stack_bytes) must be. `None` outside a fiber, where stacks are not mapped by this crate
/// (Windows), and where locals are not on the stack (AddressSanitizer, with `detect_stack_use_after_return`).
///
/// It takes a few microseconds.
///
/// # Examples
///
/// ```
/// use coro_core::prelude::*;
///
/// assert_eq!(coro_fiber::stack_used(), None);
/// let used = coro_fiber::run(|_| Ok(coro_fiber::stack_used())).unwrap();
/// # #[cfg(unix)]
/// assert!(used.is_some_and(|used| used.now <= used.peak && used.peak < used.stack_bytes));
/// ```
pub fn stack_used() -> Option<StackUsed> {
    super::memory::used()
}

/// How much of its stack the fiber has left that runs. `None` where [`stack_used`] is.
pub(crate) fn room() -> Option<usize> {
    super::memory::room()
}
