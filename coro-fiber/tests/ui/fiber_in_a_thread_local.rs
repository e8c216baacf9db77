//! A fiber that is resumed by hand cannot be put into a `thread_local!`: it would outlive what its stack refers to.

use std::cell::RefCell;

use coro_core::prelude::*;
use coro_fiber::{ScopedFiber, scope};

thread_local! {
    static KEPT: RefCell<Option<ScopedFiber<'static, (), u8, (), ()>>> = const { RefCell::new(None) };
    static TEXT: String = "refers to me".to_string();
}

fn main() {
    scope(|scope| {
        let mut fiber = scope.fiber(|co| {
            TEXT.with(|text| {
                co.yield_(text.as_bytes()[0])?;
                println!("{text}");
                Ok(())
            })
        });
        fiber.start().unwrap();
        KEPT.set(Some(fiber));
    });
}
