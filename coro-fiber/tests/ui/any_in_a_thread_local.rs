//! Nor with its type hidden.

use std::any::Any;
use std::cell::RefCell;

use coro_fiber::{Fiber, scope};

thread_local! {
    static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

fn main() {
    let fiber = Fiber::<(), u8, (), ()>::new(|co| co.yield_(1));
    scope(|scope| KEPT.with_borrow_mut(|kept| kept.push(Box::new(scope.own(fiber)))));
}
