//! Rule 16: the result of a task is what its body gives, and nobody else sets it.

use coro_core::{EventLoop, Loop};

fn main() {
    let task = Loop::simulated().spawn(async { 1 });
    task.set_result(2);
}
