//! A body cannot keep its `Co` somewhere outside of itself.

use std::cell::RefCell;
use std::rc::Rc;

use coro_gen::Gen as Body;

fn main() {
    let stash: Rc<RefCell<Option<&'static mut coro_gen::Co<u32, u32, ()>>>> = Rc::default();
    let steal = Body::<u32, u32, (), ()>::new(async move |co| {
        *stash.borrow_mut() = Some(co);
        Ok(())
    });
    drop(steal);
}
