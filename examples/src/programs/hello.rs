//! Hello, one second, world.
//!
//! This demonstrates:
//!
//! 1. that a coroutine object does nothing by itself, even if it is printed;
//! 2. `run`, which drives it to its end on a loop;
//! 3. the smallest whole program of each flavour.
//!
//! Golden: `hello.py.out`. The object is printed with its state where CPython prints its address.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::task::IntoTask;
use coro_fiber::Fiber;

use super::Context;
use crate::say;

const SECOND: Duration = Duration::from_secs(1);

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    match flavour {
        Flavour::Native => show_and_run(native::main(context), Coroutine::state, context),
        Flavour::Generator => show_and_run(generator::main(context), Coroutine::state, context),
        Flavour::Fiber => show_and_run(fiber::main(context), Fiber::state, context),
    }
}

fn show_and_run<T>(routine: T, state: fn(&T) -> State, context: &Context) -> Result<(), RunError>
where
    T: IntoTask<Body: 'static, Output = ()>,
{
    say!(context.out, "<coroutine object main, {:?}>", state(&routine));
    context.event_loop.run(routine)
}

mod native {
    use super::*;
    use coro_core::native::{Task, task};

    pub(super) fn main(context: &Context) -> Task<impl Future<Output = ()> + use<>> {
        let out = context.out.clone();
        task(async move {
            say!(out, "Hello ...");
            sleep(SECOND).await;
            say!(out, "World!");
        })
    }
}

mod generator {
    use super::*;
    use coro_gen::task;

    pub(super) fn main(context: &Context) -> impl IntoTask<Body: 'static, Output = ()> + Coroutine + use<> {
        let out = context.out.clone();
        task(async move |co| {
            say!(out, "Hello ...");
            co.wait(sleep(SECOND)).await?;
            say!(out, "World!");
            Ok(())
        })
    }
}

mod fiber {
    use std::convert::Infallible;

    use super::*;
    use coro_fiber::task;

    pub(super) fn main(context: &Context) -> Fiber<(), Infallible, (), TaskError> {
        let out = context.out.clone();
        task(move |co| {
            say!(out, "Hello ...");
            co.wait(sleep(SECOND))?;
            say!(out, "World!");
            Ok(())
        })
    }
}
