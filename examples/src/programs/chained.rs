//! Three bakers each bake, then eat: a chain of calls that suspends at its innermost link.
//!
//! This demonstrates:
//!
//! 1. coroutines that call coroutines: `chain` calls `part1` and `part2`, and the wait is inside those;
//! 2. that a fiber's chain is made of ordinary functions, where the links of the others are all `async`;
//! 3. that chains run side by side: the whole takes as long as the longest, 17 seconds.
//!
//! Golden: `chained.py.out`, with the seed 12, byte for byte but for the last duration.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::Context;
use crate::python_random::PythonRandom;
use crate::say;
use crate::transcript::Transcript;

const END: &str = "\x1b[0m";
const BAKERS: [(&str, &str); 3] = [("张三", "\x1b[36m"), ("李四", "\x1b[91m"), ("王五", "\x1b[35m")];

/// One of the three: what it draws and prints.
struct Baker {
    name: &'static str,
    colour: &'static str,
    random: PythonRandom,
    out: Transcript,
}

impl Baker {
    fn all(context: &Context) -> [Self; 3] {
        let random = PythonRandom::seed(12);
        BAKERS.map(|(name, colour)| Self { name, colour, random: random.clone(), out: context.out.clone() })
    }

    fn draw(&self) -> u32 {
        self.random.randint(0..=10)
    }

    /// A line in the baker's colour, beginning with the name.
    fn says(&self, what: &str) {
        say!(self.out, "{}({}) {what}", self.colour, self.name);
    }

    fn sums_up(&self, baked: u32, eaten: u32) {
        say!(self.out, "-->{}的工作 做面包用了{baked}分钟, 吃面包用了{eaten}分钟.", self.name);
    }
}

fn minutes(count: u32) -> Duration {
    // A minute of the story is a second of the program.
    Duration::from_secs(count.into())
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let bakers = Baker::all(context);
    let seconds = match flavour {
        Flavour::Native => native::run(context, bakers),
        Flavour::Generator => generator::run(context, bakers),
        Flavour::Fiber => fiber::run(context, bakers),
    }?;
    say!(context.out, "Program finished in {seconds:.2} seconds.");
    Ok(())
}

mod native {
    use super::*;
    use coro_core::native::spawn;

    async fn part1(baker: &Baker) -> u32 {
        let i = baker.draw();
        baker.says(&format!("开始做{i}个面包."));
        sleep(minutes(i)).await;
        baker.says(&format!("做好了{i}个面包."));
        i
    }

    async fn part2(baker: &Baker, breads: u32) -> u32 {
        let i = baker.draw();
        baker.says("开始吃面包.");
        sleep(minutes(i)).await;
        baker.says(&format!("花了{i}分钟吃了{breads}个面包.{END}"));
        i
    }

    async fn chain(baker: Baker) {
        let baked = part1(&baker).await;
        let eaten = part2(&baker, baked).await;
        baker.sums_up(baked, eaten);
    }

    pub(super) fn run(context: &Context, bakers: [Baker; 3]) -> Result<f64, RunError> {
        let main = async move { gather(bakers.map(|baker| spawn(chain(baker)))).await };
        let (baked, seconds) = context.timed(main)?;
        baked?;
        Ok(seconds)
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::{spawn, task};

    async fn part1(co: &mut TaskCo<'_>, baker: &Baker) -> TaskResult<u32> {
        let i = baker.draw();
        baker.says(&format!("开始做{i}个面包."));
        co.wait(sleep(minutes(i))).await?;
        baker.says(&format!("做好了{i}个面包."));
        Ok(i)
    }

    async fn part2(co: &mut TaskCo<'_>, baker: &Baker, breads: u32) -> TaskResult<u32> {
        let i = baker.draw();
        baker.says("开始吃面包.");
        co.wait(sleep(minutes(i))).await?;
        baker.says(&format!("花了{i}分钟吃了{breads}个面包.{END}"));
        Ok(i)
    }

    async fn chain(co: &mut TaskCo<'_>, baker: Baker) -> TaskResult<()> {
        let baked = part1(co, &baker).await?;
        let eaten = part2(co, &baker, baked).await?;
        baker.sums_up(baked, eaten);
        Ok(())
    }

    pub(super) fn run(context: &Context, bakers: [Baker; 3]) -> Result<f64, RunError> {
        let main = task(async move |co| {
            let chains = bakers.map(|baker| spawn(async move |co| chain(co, baker).await));
            Ok(co.wait(gather(chains)).await??)
        });
        Ok(context.timed(main)?.1)
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::{spawn, task};

    fn part1(co: &mut TaskCo<'_>, baker: &Baker) -> TaskResult<u32> {
        let i = baker.draw();
        baker.says(&format!("开始做{i}个面包."));
        co.wait(sleep(minutes(i)))?;
        baker.says(&format!("做好了{i}个面包."));
        Ok(i)
    }

    fn part2(co: &mut TaskCo<'_>, baker: &Baker, breads: u32) -> TaskResult<u32> {
        let i = baker.draw();
        baker.says("开始吃面包.");
        co.wait(sleep(minutes(i)))?;
        baker.says(&format!("花了{i}分钟吃了{breads}个面包.{END}"));
        Ok(i)
    }

    fn chain(co: &mut TaskCo<'_>, baker: &Baker) -> TaskResult<()> {
        let baked = part1(co, baker)?;
        let eaten = part2(co, baker, baked)?;
        baker.sums_up(baked, eaten);
        Ok(())
    }

    pub(super) fn run(context: &Context, bakers: [Baker; 3]) -> Result<f64, RunError> {
        let main = task(move |co| {
            let chains = bakers.map(|baker| spawn(move |co| chain(co, &baker)));
            Ok(co.wait(gather(chains))??)
        });
        Ok(context.timed(main)?.1)
    }
}
