//! The main task returns without waiting for its child.
//!
//! This demonstrates:
//!
//! 1. that `run` ends with the main task: what is left is cancelled and waited for, not forgotten;
//! 2. how a cancellation reaches each flavour: a native body is dropped where it waits, so its cleanup is a
//!    destructor; a generator and a fiber receive [`TaskError::Cancelled`] at their wait, and go on with it;
//! 3. dropping a handle, which detaches the task.
//!
//! Golden: the last two lines of `misc.py.out`.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::{Context, run_main};
use crate::say;
use crate::transcript::Transcript;

const HOUR: Duration = Duration::from_secs(3600);

fn main_done(out: &Transcript) {
    say!(out, "main done");
}

fn child_cancelled(out: &Transcript) {
    say!(out, "child cancelled at shutdown");
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

    /// Reports the child if it is dropped before its end.
    struct Guard {
        out: Transcript,
        finished: bool,
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            if !self.finished {
                child_cancelled(&self.out);
            }
        }
    }

    async fn child(out: Transcript) {
        let mut guard = Guard { out, finished: false };
        sleep(HOUR).await;
        guard.finished = true;
    }

    pub(super) async fn main(out: Transcript) -> Result<(), TaskError> {
        drop(spawn(child(out.clone())));
        // A task that has not begun when it is cancelled never runs: let the child begin.
        yield_now().await;
        main_done(&out);
        Ok(())
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::spawn;

    async fn child(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        let slept = co.wait(sleep(HOUR)).await;
        if let Err(Thrown::Error(TaskError::Cancelled(_))) = &slept {
            child_cancelled(&out);
        }
        slept
    }

    pub(super) async fn main(co: &mut TaskCo<'_>, out: Transcript) -> TaskResult<()> {
        let childs_out = out.clone();
        drop(spawn(async move |co| child(co, childs_out).await));
        // A task that has not begun when it is cancelled never runs: let the child begin.
        co.wait(yield_now()).await?;
        main_done(&out);
        Ok(())
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::spawn;

    fn child(co: &mut TaskCo<'_>, out: &Transcript) -> TaskResult<()> {
        let slept = co.wait(sleep(HOUR));
        if let Err(Thrown::Error(TaskError::Cancelled(_))) = &slept {
            child_cancelled(out);
        }
        slept
    }

    pub(super) fn main(co: &mut TaskCo<'_>, out: &Transcript) -> TaskResult<()> {
        let childs_out = out.clone();
        drop(spawn(move |co| child(co, &childs_out)));
        // A task that has not begun when it is cancelled never runs: let the child begin.
        co.wait(yield_now())?;
        main_done(out);
        Ok(())
    }
}
