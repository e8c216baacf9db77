//! What a loop gets to drive is not resumed by anybody else.

use coro_core::prelude::*;
use coro_core::task::IntoTask;

fn main() {
    let mut task = coro_fiber::task(|_| Ok(())).into_task();
    task.start();
}
