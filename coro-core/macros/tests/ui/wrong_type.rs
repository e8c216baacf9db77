//! A mistake in the body is told once, where it is.

use coro_core::Thrown;

#[coro_core::coroutine(send = u32, yields = u32, flavours(native, generator, fiber))]
fn mistaken() -> Result<String, Thrown<()>> {
    let sent = yield_!("one")?;
    Ok(sent)
}

fn main() {}
