//! What it yields must be said.

#[coro_core::coroutine(send = u32)]
fn forgotten() -> Result<(), coro_core::Thrown<()>> {
    Ok(())
}

fn main() {}
