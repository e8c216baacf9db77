//! Three tasks draw random numbers until one is high enough, each at its own pace.
//!
//! This demonstrates:
//!
//! 1. tasks that share a generator of random numbers without a lock: nobody else runs between two waits;
//! 2. fairness: the order of the draws is the order of the wake-ups, so a wrong order would change every number;
//! 3. results in the order of the arguments, whatever the order of the ends.
//!
//! Golden: `rand.py.out`, with the seed 444.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::Context;
use crate::python_random::PythonRandom;
use crate::say;
use crate::transcript::Transcript;

const END: &str = "\x1b[0m";
const COLOURS: [&str; 3] = ["\x1b[36m", "\x1b[91m", "\x1b[35m"];

/// One of the three: what it prints and draws, and how long it waits.
struct Player {
    index: usize,
    threshold: u32,
    random: PythonRandom,
    out: Transcript,
}

impl Player {
    fn all(context: &Context) -> [Self; 3] {
        let random = PythonRandom::seed(444);
        [(0, 9), (1, 8), (2, 7)].map(|(index, threshold)| Self {
            index,
            threshold,
            random: random.clone(),
            out: context.out.clone(),
        })
    }

    fn begin(&self) -> u32 {
        say!(self.out, "{}Initiated makerandom({}).", COLOURS[self.index], self.index);
        self.draw()
    }

    fn draw(&self) -> u32 {
        self.random.randint(0..=10)
    }

    fn retry(&self, drawn: u32) {
        say!(self.out, "{}makerandom({}) == {drawn} too low; retrying.", COLOURS[self.index], self.index);
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(self.index as u64 + 1)
    }

    fn finish(&self, drawn: u32) {
        let colour = COLOURS[self.index];
        say!(self.out, "{colour}---> Finished: makerandom({}) == {drawn}{END}", self.index);
    }
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
pub fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let players = Player::all(context);
    let drawn = match flavour {
        Flavour::Native => native::run(context, players),
        Flavour::Generator => generator::run(context, players),
        Flavour::Fiber => fiber::run(context, players),
    }?;
    let results: Vec<_> = drawn.iter().zip(1..).map(|(drawn, place)| format!("r{place}: {drawn}")).collect();
    say!(context.out);
    say!(context.out, "{}", results.join(", "));
    Ok(())
}

mod native {
    use super::*;
    use coro_core::native::spawn;

    async fn make_random(player: Player) -> u32 {
        let mut drawn = player.begin();
        while drawn <= player.threshold {
            player.retry(drawn);
            sleep(player.pause()).await;
            drawn = player.draw();
        }
        player.finish(drawn);
        drawn
    }

    pub(super) fn run(context: &Context, players: [Player; 3]) -> Result<Vec<u32>, RunError> {
        let main = async move { gather(players.map(|player| spawn(make_random(player)))).await };
        Ok(context.event_loop.run(main)??)
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::{spawn, task};

    async fn make_random(co: &mut TaskCo<'_>, player: Player) -> TaskResult<u32> {
        let mut drawn = player.begin();
        while drawn <= player.threshold {
            player.retry(drawn);
            co.wait(sleep(player.pause())).await?;
            drawn = player.draw();
        }
        player.finish(drawn);
        Ok(drawn)
    }

    pub(super) fn run(context: &Context, players: [Player; 3]) -> Result<Vec<u32>, RunError> {
        context.event_loop.run(task(async move |co| {
            let tasks = players.map(|player| spawn(async move |co| make_random(co, player).await));
            Ok(co.wait(gather(tasks)).await??)
        }))
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::{spawn, task};

    fn make_random(co: &mut TaskCo<'_>, player: &Player) -> TaskResult<u32> {
        let mut drawn = player.begin();
        while drawn <= player.threshold {
            player.retry(drawn);
            co.wait(sleep(player.pause()))?;
            drawn = player.draw();
        }
        player.finish(drawn);
        Ok(drawn)
    }

    pub(super) fn run(context: &Context, players: [Player; 3]) -> Result<Vec<u32>, RunError> {
        context.event_loop.run(task(move |co| {
            let tasks = players.map(|player| spawn(move |co| make_random(co, &player)));
            Ok(co.wait(gather(tasks))??)
        }))
    }
}
