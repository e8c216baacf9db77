//! What the body ends with must be said.

#[coro_core::coroutine(yields = u32)]
fn forgotten() {
    yield_!(1)?;
}

fn main() {}
