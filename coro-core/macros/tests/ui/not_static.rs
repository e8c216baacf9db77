//! A coroutine owns its types.

use coro_core::Thrown;

#[coro_core::coroutine(yields = T)]
fn once<T>(value: T) -> Result<(), Thrown<()>> {
    yield_!(value)
}

fn main() {}
