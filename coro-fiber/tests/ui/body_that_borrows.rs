//! The body of a fiber in a scope cannot borrow from outside of it: a fiber may be forgotten.

use coro_fiber::scope;

fn main() {
    let text = "borrowed".to_string();
    scope(|scope| {
        let fiber = scope.fiber::<(), usize, (), ()>(|co| co.yield_(text.len()));
        std::mem::forget(fiber);
    });
}
