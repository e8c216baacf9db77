//! Two tasks are gathered: their results come in the order of the arguments.
//!
//! This demonstrates:
//!
//! 1. `gather`, which takes as long as the slowest task;
//! 2. that the order of the results is that of the arguments, not of the ends;
//! 3. asking the loop which tasks have not ended: none, after a gather.
//!
//! Golden: the line `gather` of `misc.py.out`.

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::task::TaskId;

use super::{Context, longest, python_bool, run_main};
use crate::say;
use crate::transcript::Transcript;

const SEQUENCES: [[u32; 3]; 2] = [[3, 2, 1], [10, 5, 0]];

/// Whether all these tasks have ended. The gather took their handles, but the loop knows.
fn all_done(tasks: &[TaskId]) -> bool {
    let pending = Loop::current().map(|event_loop| event_loop.all_tasks()).unwrap_or_default();
    !pending.iter().any(|task| tasks.contains(&task.id))
}

fn report(results: &[Vec<u32>], tasks: &[TaskId], out: &Transcript) {
    let seconds = coro_core::time::now().as_secs_f64();
    say!(out, "gather {results:?} {seconds:.2} {}", python_bool(all_done(tasks)));
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
        let ids = tasks.each_ref().map(JoinHandle::id);
        let results = gather(tasks).await?;
        report(&results, &ids, &out);
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
        let ids = tasks.each_ref().map(JoinHandle::id);
        let results = co.wait(gather(tasks)).await??;
        report(&results, &ids, &out);
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
        let ids = tasks.each_ref().map(JoinHandle::id);
        let results = co.wait(gather(tasks))??;
        report(&results, &ids, out);
        Ok(())
    }
}
