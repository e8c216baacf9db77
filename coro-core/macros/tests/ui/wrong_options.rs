//! The options are few.

#[coro_core::coroutine(yields = u32, raises = String)]
fn raises() -> Result<(), coro_core::Thrown<String>> {
    Ok(())
}

#[coro_core::coroutine(yields = u32, flavours(native, thread))]
fn flavours() -> Result<(), coro_core::Thrown<()>> {
    Ok(())
}

#[coro_core::coroutine(task, yields = u32)]
fn task() -> coro_core::TaskResult<()> {
    Ok(())
}

#[coro_core::coroutine(yield = u32)]
fn misspelt() -> Result<(), coro_core::Thrown<()>> {
    Ok(())
}

fn main() {}
