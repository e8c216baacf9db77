//! Three counters wait one second each, at the same time: it takes one second.
//!
//! This demonstrates:
//!
//! 1. a wait that lets the other tasks run: all three say "One" before any says "Two";
//! 2. `gather`, which waits for several tasks;
//! 3. the clock of the loop, which on the simulated loop says exactly one second.
//!
//! Golden: `countasync.py.out`.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::Context;
use crate::say;
use crate::transcript::Transcript;

const SECOND: Duration = Duration::from_secs(1);

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let seconds = match flavour {
        Flavour::Native => native::run(context),
        Flavour::Generator => generator::run(context),
        Flavour::Fiber => fiber::run(context),
    }?;
    say!(context.out, "countasync.py executed in {seconds:.2} seconds.");
    Ok(())
}

mod native {
    use super::*;
    use coro_core::native::spawn;

    async fn count(out: Transcript) {
        say!(out, "One");
        sleep(SECOND).await;
        say!(out, "Two");
    }

    async fn main(out: Transcript) -> Result<Vec<()>, TaskError> {
        gather([spawn(count(out.clone())), spawn(count(out.clone())), spawn(count(out))]).await
    }

    pub(super) fn run(context: &Context) -> Result<f64, RunError> {
        let (counted, seconds) = context.timed(main(context.out.clone()))?;
        counted?;
        Ok(seconds)
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::{spawn, task};

    async fn count(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        say!(out, "One");
        co.wait(sleep(SECOND)).await?;
        say!(out, "Two");
        Ok(())
    }

    async fn main(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        let counters = [out.clone(), out.clone(), out].map(|out| spawn(async move |co| count(co, out).await));
        co.wait(gather(counters)).await??;
        Ok(())
    }

    pub(super) fn run(context: &Context) -> Result<f64, RunError> {
        let out = context.out.clone();
        let ((), seconds) = context.timed(task(async move |co| main(co, out).await))?;
        Ok(seconds)
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::{spawn, task};

    fn count(co: &mut TaskCo<'_>, out: &Transcript) -> TaskResult<()> {
        say!(out, "One");
        co.wait(sleep(SECOND))?;
        say!(out, "Two");
        Ok(())
    }

    fn main(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        let counters = [out.clone(), out.clone(), out].map(|out| spawn(move |co| count(co, &out)));
        co.wait(gather(counters))??;
        Ok(())
    }

    pub(super) fn run(context: &Context) -> Result<f64, RunError> {
        let out = context.out.clone();
        let ((), seconds) = context.timed(task(move |co| main(co, out)))?;
        Ok(seconds)
    }
}
