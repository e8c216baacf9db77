//! Two tasks are awaited as they complete, the faster one first.
//!
//! This demonstrates:
//!
//! 1. `as_completed`, a plain iterator of futures, each of which gives whichever result comes next;
//! 2. that a plain `for` suffices in every flavour, because the suspension is inside it;
//! 3. the clock of the loop, which starts at zero with it.
//!
//! Golden: the lines `as_completed` of `misc.py.out`.

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::time;

use super::{Context, longest, run_main};
use crate::say;
use crate::transcript::Transcript;

const SEQUENCES: [[u32; 3]; 2] = [[3, 2, 1], [10, 5, 0]];

fn report(result: &[u32], out: &Transcript) {
    say!(out, "as_completed {result:?} at {:.2}", time::now().as_secs_f64());
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    run_main(flavour, context, native::main, generator::main, fiber::main)
}

mod native {
    use super::*;
    use coro_core::native::spawn;

    async fn coro(sequence: [u32; 3]) -> Vec<u32> {
        sleep(longest(&sequence)).await;
        sequence.into_iter().rev().collect()
    }

    pub(super) async fn main(out: Transcript) -> Result<(), TaskError> {
        let tasks = SEQUENCES.map(|sequence| spawn(coro(sequence)));
        for next in as_completed(tasks) {
            report(&next.await?, &out);
        }
        Ok(())
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::spawn;

    async fn coro(co: &mut TaskCo<'_>, sequence: [u32; 3]) -> TaskResult<Vec<u32>> {
        co.wait(sleep(longest(&sequence))).await?;
        Ok(sequence.into_iter().rev().collect())
    }

    pub(super) async fn main(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        let tasks = SEQUENCES.map(|sequence| spawn(async move |co| coro(co, sequence).await));
        for next in as_completed(tasks) {
            report(&co.wait(next).await??, &out);
        }
        Ok(())
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::spawn;

    fn coro(co: &mut TaskCo<'_>, sequence: [u32; 3]) -> TaskResult<Vec<u32>> {
        co.wait(sleep(longest(&sequence)))?;
        Ok(sequence.into_iter().rev().collect())
    }

    pub(super) fn main(co: &mut TaskCo<'_>, out: &Transcript) -> TaskResult<()> {
        let tasks = SEQUENCES.map(|sequence| spawn(move |co| coro(co, sequence)));
        for next in as_completed(tasks) {
            report(&co.wait(next)??, out);
        }
        Ok(())
    }
}
