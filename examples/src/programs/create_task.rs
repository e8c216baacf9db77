//! A task is started, awaited, and asked whether it is done.
//!
//! This demonstrates:
//!
//! 1. `spawn`, which starts a task that runs on its own;
//! 2. that the handle of a task has the same type in every flavour, so that they can await each other's;
//! 3. that a handle which was awaited by reference can still be asked.
//!
//! Golden: the lines `t:` of `misc.py.out`. The first one differs from it on purpose: where CPython prints
//! `<class '_asyncio.Task'>`, this prints the name of our own type, and the comparison with it masks it.

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::{Context, longest, python_bool, run_main};
use crate::say;
use crate::transcript::Transcript;

const SEQUENCE: [u32; 3] = [3, 2, 1];

fn type_of<T>(_: &T) -> &'static str {
    std::any::type_name::<T>()
}

fn report<T>(t: &JoinHandle<T>, out: &Transcript) {
    say!(out, "t: type {}", type_of(t));
    say!(out, "t done: {}", python_bool(t.is_done()));
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
        let mut t = spawn(coro(SEQUENCE));
        (&mut t).await?;
        report(&t, &out);
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
        let mut t = spawn(async |co| coro(co, SEQUENCE).await);
        co.wait(&mut t).await??;
        report(&t, &out);
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
        let mut t = spawn(|co| coro(co, SEQUENCE));
        co.wait(&mut t)??;
        report(&t, out);
        Ok(())
    }
}
