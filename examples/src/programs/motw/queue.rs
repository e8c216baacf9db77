//! A bounded queue: whoever puts into it waits while it is full, and for all that it holds to be done.

use std::time::Duration;

use coro_core::prelude::*;
use coro_core::stats::Flavour;

use super::{Context, run_task};
use crate::say;
use crate::transcript::Transcript;

const CONSUMERS: usize = 2;

/// A number, or `None`: there is no more.
type Item = Option<u32>;

fn python(item: Item) -> String {
    item.map_or_else(|| "None".to_string(), |item| item.to_string())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn consumer(n: usize, queue: Queue<Item>, out: Transcript) -> TaskResult<()> {
    say!(out, "consumer {n}: starting");
    loop {
        say!(out, "consumer {n}: waiting for item");
        let item = wait!(queue.get())?.map_err(TaskError::other)?;
        say!(out, "consumer {n}: has item {}", python(item));
        let Some(item) = item else { break };
        wait!(sleep(Duration::from_millis(10) * item))?;
        queue.task_done().map_err(TaskError::other)?;
    }
    queue.task_done().map_err(TaskError::other)?;
    say!(out, "consumer {n}: ending");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn producer(queue: Queue<Item>, out: Transcript) -> TaskResult<()> {
    say!(out, "producer: starting");
    for item in 0..3 * CONSUMERS as u32 {
        wait!(queue.put(Some(item)))?.map_err(TaskError::other)?;
        say!(out, "producer: added task {item} to the queue");
    }
    say!(out, "producer: adding stop signals to the queue");
    for _ in 0..CONSUMERS {
        wait!(queue.put(None))?.map_err(TaskError::other)?;
    }
    say!(out, "producer: waiting for queue to empty");
    wait!(queue.join())?;
    say!(out, "producer: ending");
    Ok(())
}

#[coro_core::coroutine(task, flavours(native, generator, fiber))]
fn main(event_loop: Loop, out: Transcript) -> TaskResult<()> {
    let queue = Queue::new(CONSUMERS);
    let mut tasks = Vec::new();
    for n in 0..CONSUMERS {
        tasks.push(event_loop.spawn(sub!(consumer(n, queue.clone(), out.clone()))));
    }
    tasks.push(event_loop.spawn(sub!(producer(queue, out))));
    wait!(gather(tasks))??;
    Ok(())
}

pub(super) fn run(flavour: Flavour, context: &Context) -> Result<(), RunError> {
    let Context { event_loop, out } = context;
    run_task!(flavour, event_loop, main(event_loop.clone(), out.clone()))
}
