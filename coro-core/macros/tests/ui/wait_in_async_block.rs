//! An `async` block is a future of its own.

use coro_core::TaskResult;

#[coro_core::coroutine(task)]
fn nested() -> TaskResult<()> {
    let future = async { wait!(coro_core::time::yield_now()) };
    wait!(future)?
}

fn main() {}
