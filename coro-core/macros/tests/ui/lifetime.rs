//! A coroutine cannot borrow from its maker.

#[coro_core::coroutine(yields = &'a str, flavours(fiber))]
fn words<'a>(text: &'a str) -> Result<(), coro_core::Thrown<()>> {
    for word in text.split(' ') {
        yield_!(word)?;
    }
    Ok(())
}

#[coro_core::coroutine(yields = u32, flavours(native, fiber))]
fn lengths(words: &[String], measure: fn(&str) -> u32) -> Result<(), coro_core::Thrown<()>> {
    for word in words {
        yield_!(measure(word))?;
    }
    Ok(())
}

fn main() {}
