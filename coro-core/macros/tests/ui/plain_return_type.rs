//! The body ends with a result.

#[coro_core::coroutine(yields = u32)]
fn plain() -> u32 {
    3
}

fn main() {}
