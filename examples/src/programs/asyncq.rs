//! Producers and consumers that know only the queue between them.
//!
//! This demonstrates:
//!
//! 1. `Queue`: `put`, `get`, and `join`, which waits until everything that was put has been worked on;
//! 2. that getters are served first come, first served;
//! 3. cancelling tasks that would wait for ever.
//!
//! Goldens: `asyncq_1_5_defaults.out`, `asyncq_1_5_p2_c5.out`, `asyncq.py-p2-c5.out` (bounds 0 to 10),
//! `asyncq.py-p0-c3.out`, all with the seed 444.

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::BuildHasher;
use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::time::{self, Time};

use super::Context;
use crate::python_random::PythonRandom;
use crate::say;
use crate::transcript::Transcript;

/// How many take part, and what they draw.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// How many producers
    #[arg(short = 'p', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub nprod: u32,
    /// How many consumers
    #[arg(short = 'c', long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub ncon: u32,
    /// The smallest number drawn, of seconds and of items
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(..=1_000))]
    pub low: u32,
    /// The largest number drawn, of seconds and of items
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(..=1_000))]
    pub high: u32,
}

impl Options {
    /// Whether the bounds make a range.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        if self.low <= self.high {
            return Ok(());
        }
        Err(format!("--low {} is above --high {}: swap them", self.low, self.high))
    }
}

/// A name, and when it was put.
type Item = (String, Time);

/// What every producer and consumer has: the queue, the shared draws, and the paper to write on.
#[derive(Clone)]
struct Shop {
    queue: Queue<Item>,
    options: Options,
    random: PythonRandom,
    out: Transcript,
}

impl Shop {
    fn new(context: &Context, options: Options) -> Self {
        let (random, out) = (PythonRandom::seed(444), context.out.clone());
        Self { queue: Queue::unbounded(), options, random, out }
    }

    fn draw(&self) -> u32 {
        self.random.randint(self.options.low..=self.options.high)
    }

    /// How long `caller` is going to sleep.
    fn draw_sleep(&self, caller: &str) -> Duration {
        let i = self.draw();
        say!(self.out, "{caller} sleeping for {i} seconds.");
        Duration::from_secs(i.into())
    }

    /// Five random bytes in hexadecimal: the keys of a hasher are as random as `os.urandom` for this.
    fn make_item() -> Item {
        (format!("{:010x}", RandomState::new().hash_one(0) >> 24), time::now())
    }

    fn added(&self, name: u32, item: &str) {
        say!(self.out, "Producer {name} added <{item}> to queue.");
    }

    /// Reports an item that was got, and that the work on it is done.
    fn got(&self, name: u32, (item, put_at): Item) {
        let seconds = (time::now() - put_at).as_secs_f64();
        say!(self.out, "Consumer {name} got element <{item}> in {seconds:.5} seconds.");
        self.queue.task_done().expect("it is called once for each item that was got");
    }
}

/// Runs the program in `flavour`.
///
/// # Errors
///
/// If the loop cannot run it to its end.
///
/// # Panics
///
/// If the bounds do not pass their [check](Options::check).
pub fn run(flavour: Flavour, context: &Context, options: Options) -> Result<(), RunError> {
    let shop = Shop::new(context, options);
    let seconds = match flavour {
        Flavour::Native => native::run(context, shop),
        Flavour::Generator => generator::run(context, shop),
        Flavour::Fiber => fiber::run(context, shop),
    }?;
    say!(context.out, "Program completed in {seconds:.5} seconds.");
    Ok(())
}

mod native {
    use super::*;
    use coro_core::native::spawn;

    async fn produce(shop: Shop, name: u32) {
        for _ in 0..shop.draw() {
            sleep(shop.draw_sleep(&format!("Producer {name}"))).await;
            let item = Shop::make_item();
            shop.queue.put(item.clone()).await.unwrap();
            shop.added(name, &item.0);
        }
    }

    async fn consume(shop: Shop, name: u32) -> Infallible {
        loop {
            sleep(shop.draw_sleep(&format!("Consumer {name}"))).await;
            let item = shop.queue.get().await.unwrap();
            shop.got(name, item);
        }
    }

    async fn main(shop: Shop) -> Result<(), TaskError> {
        let Options { nprod, ncon, .. } = shop.options;
        let producers: Vec<_> = (0..nprod).map(|name| spawn(produce(shop.clone(), name))).collect();
        let consumers: Vec<_> = (0..ncon).map(|name| spawn(consume(shop.clone(), name))).collect();
        gather(producers).await?;
        shop.queue.join().await;
        for consumer in consumers {
            consumer.cancel();
        }
        Ok(())
    }

    pub(super) fn run(context: &Context, shop: Shop) -> Result<f64, RunError> {
        let (completed, seconds) = context.timed(main(shop))?;
        completed?;
        Ok(seconds)
    }
}

mod generator {
    use super::*;
    use coro_gen::TaskCo;
    use coro_gen::{spawn, task};

    async fn produce(co: &mut TaskCo<'_>, shop: Shop, name: u32) -> TaskResult<()> {
        for _ in 0..shop.draw() {
            co.wait(sleep(shop.draw_sleep(&format!("Producer {name}")))).await?;
            let item = Shop::make_item();
            co.wait(shop.queue.put(item.clone())).await?.unwrap();
            shop.added(name, &item.0);
        }
        Ok(())
    }

    async fn consume(co: &mut TaskCo<'_>, shop: Shop, name: u32) -> TaskResult<Infallible> {
        loop {
            co.wait(sleep(shop.draw_sleep(&format!("Consumer {name}")))).await?;
            let item = co.wait(shop.queue.get()).await?.unwrap();
            shop.got(name, item);
        }
    }

    async fn main(co: &mut TaskCo<'_>, shop: Shop) -> TaskResult<()> {
        let Options { nprod, ncon, .. } = shop.options;
        let producer = |(shop, name)| spawn(async move |co| produce(co, shop, name).await);
        let consumer = |(shop, name)| spawn(async move |co| consume(co, shop, name).await);
        let producers: Vec<_> = (0..nprod).map(|name| producer((shop.clone(), name))).collect();
        let consumers: Vec<_> = (0..ncon).map(|name| consumer((shop.clone(), name))).collect();
        co.wait(gather(producers)).await??;
        co.wait(shop.queue.join()).await?;
        for consumer in consumers {
            consumer.cancel();
        }
        Ok(())
    }

    pub(super) fn run(context: &Context, shop: Shop) -> Result<f64, RunError> {
        Ok(context.timed(task(async move |co| main(co, shop).await))?.1)
    }
}

mod fiber {
    use super::*;
    use coro_fiber::TaskCo;
    use coro_fiber::{spawn, task};

    fn produce(co: &mut TaskCo<'_>, shop: &Shop, name: u32) -> TaskResult<()> {
        for _ in 0..shop.draw() {
            co.wait(sleep(shop.draw_sleep(&format!("Producer {name}"))))?;
            let item = Shop::make_item();
            co.wait(shop.queue.put(item.clone()))?.unwrap();
            shop.added(name, &item.0);
        }
        Ok(())
    }

    fn consume(co: &mut TaskCo<'_>, shop: &Shop, name: u32) -> TaskResult<Infallible> {
        loop {
            co.wait(sleep(shop.draw_sleep(&format!("Consumer {name}"))))?;
            let item = co.wait(shop.queue.get())?.unwrap();
            shop.got(name, item);
        }
    }

    fn main(co: &mut TaskCo<'_>, shop: &Shop) -> TaskResult<()> {
        let Options { nprod, ncon, .. } = shop.options;
        let producer = |(shop, name)| spawn(move |co| produce(co, &shop, name));
        let consumer = |(shop, name)| spawn(move |co| consume(co, &shop, name));
        let producers: Vec<_> = (0..nprod).map(|name| producer((shop.clone(), name))).collect();
        let consumers: Vec<_> = (0..ncon).map(|name| consumer((shop.clone(), name))).collect();
        co.wait(gather(producers))??;
        co.wait(shop.queue.join())?;
        for consumer in consumers {
            consumer.cancel();
        }
        Ok(())
    }

    pub(super) fn run(context: &Context, shop: Shop) -> Result<f64, RunError> {
        Ok(context.timed(task(move |co| main(co, &shop)))?.1)
    }
}
