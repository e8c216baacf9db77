//! An asynchronous generator of powers of two, and lists made of its items.
//!
//! This demonstrates:
//!
//! 1. a body that both yields items and waits between them;
//! 2. reading it with `next`, whose wait suspends the reader's own engine;
//! 3. that this adds no concurrency: twenty waits of 0.1 seconds take two seconds.
//!
//! Golden: the lines of the comprehensions in `misc.py.out`.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::Context;
use crate::say;

const PAUSE: Duration = Duration::from_millis(100);
const ITEMS: u32 = 10;

/// The lists `[i async for i in mygen()]` and `[j async for j in mygen() if not (j // 3 % 5)]`.
type Lists = (Vec<u32>, Vec<u32>);

fn every(_: &u32) -> bool {
    true
}

fn chosen(j: &u32) -> bool {
    (j / 3).is_multiple_of(5)
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let ((g, f), seconds) = match flavour {
        Flavour::Native => native::run(context),
        Flavour::Generator => generator::run(context),
        Flavour::Fiber => fiber::run(context),
    }?;
    say!(context.out, "({g:?}, {f:?})");
    say!(context.out, "comprehensions {seconds:.2} s");
    Ok(())
}

mod native {
    use super::*;
    use coro_core::native::Native;

    fn my_gen() -> AsyncGenerator<Native<(), u32, (), TaskError>> {
        AsyncGenerator::new(Native::new(async |co| {
            for i in 0..ITEMS {
                co.yield_(2u32.pow(i)).await?;
                sleep(PAUSE).await;
            }
            Ok(())
        }))
    }

    async fn list(filter: fn(&u32) -> bool) -> TaskResult<Vec<u32>> {
        let (mut items, mut list) = (my_gen(), Vec::new());
        while let Some(item) = items.next().await? {
            list.extend(Some(item).filter(filter));
        }
        Ok(list)
    }

    pub(super) fn run(context: &Context) -> Result<(Lists, f64), RunError> {
        let main = async { TaskResult::Ok((list(every).await?, list(chosen).await?)) };
        let (lists, seconds) = context.timed(main)?;
        Ok((lists.map_err(TaskError::from)?, seconds))
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::{Gen, task};

    fn my_gen() -> AsyncGenerator<Gen<(), u32, (), TaskError>> {
        AsyncGenerator::new(Gen::new(async |co| {
            for i in 0..ITEMS {
                co.yield_(2u32.pow(i)).await?;
                co.wait(sleep(PAUSE)).await?;
            }
            Ok(())
        }))
    }

    async fn list(co: &mut TaskCo<'_>, filter: fn(&u32) -> bool) -> TaskResult<Vec<u32>> {
        let (mut items, mut list) = (my_gen(), Vec::new());
        while let Some(item) = co.wait(items.next()).await?? {
            list.extend(Some(item).filter(filter));
        }
        Ok(list)
    }

    pub(super) fn run(context: &Context) -> Result<(Lists, f64), RunError> {
        context.timed(task(async |co| Ok((list(co, every).await?, list(co, chosen).await?))))
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::{Scope, ScopedFiber, scope, task};

    fn my_gen(scope: Scope<'_>) -> AsyncGenerator<ScopedFiber<'_, (), u32, (), TaskError>> {
        AsyncGenerator::scoped(scope.fiber(|co| {
            for i in 0..ITEMS {
                co.yield_(2u32.pow(i))?;
                co.wait(sleep(PAUSE))?;
            }
            Ok(())
        }))
    }

    fn list(co: &mut TaskCo<'_>, filter: fn(&u32) -> bool) -> TaskResult<Vec<u32>> {
        scope(|scope| {
            let (mut items, mut list) = (my_gen(scope), Vec::new());
            while let Some(item) = co.wait(items.next())?? {
                list.extend(Some(item).filter(filter));
            }
            Ok(list)
        })
    }

    pub(super) fn run(context: &Context) -> Result<(Lists, f64), RunError> {
        context.timed(task(|co| Ok((list(co, every)?, list(co, chosen)?))))
    }
}
