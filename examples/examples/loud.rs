//! This demonstrates: 1. the report of a deadlock, 2. slow steps, named in debug mode.

use std::io::{self, stdout};

use coro_examples::loud::{deadlock, slow_steps};

fn main() -> io::Result<()> {
    deadlock(&mut stdout())?;
    slow_steps(&mut stdout())
}
