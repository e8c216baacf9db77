//! What a generator task that waits shows of itself.

use std::time::Duration;

use coro_core::coroutine::OwnStack;
use coro_core::prelude::*;
use coro_core::time::{sleep, yield_now};
use coro_gen::{Gen, TaskCo};

type Task = Gen<(), std::convert::Infallible, u32, TaskError>;

fn innermost() -> Task {
    Gen::new(async |co: &mut TaskCo<'_>| {
        co.wait(sleep(Duration::from_secs(1))).await?;
        Ok(1)
    })
}

fn between() -> Task {
    Gen::new(async |co: &mut TaskCo<'_>| co.yield_from(innermost()).await)
}

fn outermost() -> Task {
    Gen::new(async |co: &mut TaskCo<'_>| co.yield_from(between()).await)
}

#[test]
fn a_chain_of_generators_is_shown_the_innermost_first() {
    let event_loop = Loop::simulated();
    let mut task = event_loop.spawn(outermost());
    let before = task.backtrace().unwrap();
    assert_eq!(before.frames.len(), 1, "{before}");
    assert_eq!(before.frames[0].info.state, State::Created);
    event_loop.run_until_complete(event_loop.spawn(async { yield_now().await })).unwrap();
    let backtrace = task.backtrace().unwrap();
    assert!(backtrace.frames.iter().all(|frame| matches!(frame.stack, OwnStack::None)));
    let shown = backtrace.to_string();
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 4, "{shown}");
    for (line, (number, name)) in lines[1..].iter().zip([(0, "innermost"), (1, "between"), (2, "outermost")])
    {
        assert!(line.starts_with(&format!("  {number}: generator backtrace::{name}::")), "{shown}");
        assert!(line.contains(", Running, made at coro-gen/tests/backtrace.rs:"), "{shown}");
    }
    assert_eq!(event_loop.run_until_complete(&mut task).unwrap(), 1);
    assert!(task.backtrace().is_none());
}
