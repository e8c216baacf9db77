//! Rule 7: only what is meant for it calls a loop from another thread: `remote().call_soon_threadsafe(…)`.

use coro_core::{EventLoop, Loop};

fn main() {
    let event_loop = Loop::simulated();
    std::thread::spawn(move || drop(event_loop.call_soon(|| ())));
}
