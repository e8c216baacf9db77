//! The stacks of a thread's fibers: those of ended fibers are kept for new ones.

use std::cell::RefCell;
use std::io;

use corosensei::stack::DefaultStack;

/// Address space reserved for a stack; its pages are committed when they are touched.
const STACK_BYTES: usize = 256 * 1024;
/// How many free stacks a thread keeps.
const KEPT: usize = 256;

thread_local! {
    static FREE: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// A stack, used before or new.
///
/// # Errors
///
/// If the system has no memory left for one.
pub(crate) fn take() -> io::Result<DefaultStack> {
    match FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten() {
        Some(kept) => Ok(kept),
        None => DefaultStack::new(STACK_BYTES),
    }
}

/// Keeps a stack for the next fiber, or unmaps it.
pub(crate) fn give_back(stack: DefaultStack) {
    let mut stack = Some(stack);
    // While the thread ends there is no list any more; the stack is unmapped then.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < KEPT {
            free.extend(stack.take());
        }
    });
}
