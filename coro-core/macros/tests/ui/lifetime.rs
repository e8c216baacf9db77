//! A fiber cannot borrow from its maker, nor can a task.

#[coro_core::coroutine(yields = &'a str, flavours(native, generator, fiber))]
fn words<'a>(text: &'a str) -> Result<(), coro_core::Thrown<()>> {
    for word in text.split(' ') {
        yield_!(word)?;
    }
    Ok(())
}

#[coro_core::coroutine(yields = u32, flavours(fiber))]
fn lengths(words: &[String], measure: fn(&str) -> u32) -> Result<(), coro_core::Thrown<()>> {
    for word in words {
        yield_!(measure(word))?;
    }
    Ok(())
}

#[coro_core::coroutine(yields = u32, flavours(native, fiber))]
fn shared(cell: std::cell::Ref<'_, u32>) -> Result<(), coro_core::Thrown<()>> {
    yield_!(*cell)
}

#[coro_core::coroutine(task)]
fn length(word: &str) -> coro_core::TaskResult<usize> {
    Ok(word.len())
}

fn main() {}
