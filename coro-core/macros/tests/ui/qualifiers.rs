//! It is a plain function.

#[coro_core::coroutine(task)]
async fn waits() -> coro_core::TaskResult<()> {
    Ok(())
}

#[coro_core::coroutine(yields = u32)]
unsafe fn trusts() -> Result<(), coro_core::Thrown<()>> {
    Ok(())
}

struct Counter(u32);

impl Counter {
    #[coro_core::coroutine(yields = u32)]
    fn count(self) -> Result<(), coro_core::Thrown<()>> {
        yield_!(self.0)
    }
}

fn main() {}
