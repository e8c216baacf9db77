//! `.await` waits in one flavour only.

use coro_core::TaskResult;

#[coro_core::coroutine(task)]
fn waits() -> TaskResult<()> {
    coro_core::time::yield_now().await;
    println!("{:?}", coro_core::time::yield_now().await);
    wait!(async { coro_core::time::yield_now().await })?;
    Ok(())
}

fn main() {}
