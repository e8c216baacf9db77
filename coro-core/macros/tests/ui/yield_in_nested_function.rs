//! A nested function is not a part of the body.

use coro_core::Thrown;

#[coro_core::coroutine(yields = u32)]
fn outer() -> Result<(), Thrown<()>> {
    fn inner() -> Result<(), Thrown<()>> {
        yield_!(1)
    }
    inner()
}

fn main() {}
