//! The stacks of a thread's fibers: those of ended fibers are kept for new ones.

use std::cell::RefCell;

use corosensei::stack::DefaultStack;

/// Address space reserved for a stack; its pages are committed when they are touched.
const STACK_BYTES: usize = 256 * 1024;
/// How many free stacks a thread keeps.
const KEPT: usize = 256;

thread_local! {
    static FREE: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// A stack, used before or new.
pub(crate) fn take() -> DefaultStack {
    let kept = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| match DefaultStack::new(STACK_BYTES) {
        Ok(stack) => stack,
        Err(error) => panic!("no memory for the stack of a fiber ({STACK_BYTES} bytes): {error}"),
    })
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
