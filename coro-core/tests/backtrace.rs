//! What a task that waits shows of itself.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use coro_core::coroutine::{InputOf, OwnStack, Resumed, Shared};
use coro_core::event_loop::Waiting;
use coro_core::native::{self, Native};
use coro_core::prelude::*;
use coro_core::sim::Sim;
use coro_core::stats::Flavour;
use coro_core::task::{Backtrace, from_coroutine};
use coro_core::time::{now, sleep, yield_now};

type Task = Native<(), std::convert::Infallible, u32, TaskError>;

const SECOND: Duration = Duration::from_secs(1);

fn run_a_little(event_loop: &Loop) {
    event_loop.run_until_complete(event_loop.spawn(async { yield_now().await })).unwrap();
}

/// The states of its frames, the innermost first.
fn states(backtrace: &Backtrace) -> Vec<State> {
    backtrace.frames.iter().map(|frame| frame.info.state).collect()
}

fn innermost() -> Task {
    Native::new(async |co| {
        co.wait(sleep(SECOND)).await?;
        Ok(1)
    })
}

fn between() -> Task {
    Native::new(async |co| co.yield_from(innermost()).await)
}

fn outermost() -> Task {
    Native::new(async |co| co.yield_from(between()).await)
}

#[test]
fn a_chain_of_natives_is_shown_the_innermost_first() {
    let event_loop = Loop::simulated();
    let mut task = event_loop.spawn(outermost()).named("chain");
    run_a_little(&event_loop);
    let backtrace = task.backtrace().unwrap();
    assert_eq!(states(&backtrace), [State::Running; 3]);
    let shown = backtrace.to_string();
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[0].starts_with("<Task pending name='chain' native coro=<outermost() running at "),
        "{shown}"
    );
    for (line, (number, name)) in lines[1..].iter().zip([(0, "innermost"), (1, "between"), (2, "outermost")])
    {
        assert!(line.starts_with(&format!("  {number}: native backtrace::{name}::")), "{shown}");
        assert!(line.contains(", Running, made at ") && line.contains("backtrace.rs:"), "{shown}");
    }
    assert_eq!(lines.len(), 4, "{shown}");
    assert!(backtrace.frames.iter().all(|frame| matches!(frame.stack, OwnStack::None)));
    assert_eq!(event_loop.run_until_complete(&mut task).unwrap(), 1);
    assert!(task.backtrace().is_none());
}

#[test]
fn a_future_is_created_then_parked_then_nothing() {
    let event_loop = Loop::simulated();
    let mut task = event_loop.spawn(async { sleep(SECOND).await });
    assert_eq!(states(&task.backtrace().unwrap()), [State::Created]);
    run_a_little(&event_loop);
    let backtrace = task.backtrace().unwrap();
    assert_eq!(states(&backtrace), [State::Running]);
    assert_eq!(backtrace.frames[0].info.flavour, Some(Flavour::Native));
    event_loop.run_until_complete(&mut task).unwrap();
    assert!(task.backtrace().is_none());
}

#[test]
fn a_chain_that_has_not_begun_is_its_body_alone() {
    let task = Loop::simulated().spawn(outermost());
    assert!(task.backtrace().is_none(), "its loop is gone, and with it the task");
    let event_loop = Loop::simulated();
    let task = event_loop.spawn(outermost());
    assert_eq!(states(&task.backtrace().unwrap()), [State::Created]);
}

#[test]
fn a_task_that_runs_has_none_and_the_others_come_in_the_order_of_spawning() {
    let event_loop = Loop::simulated();
    let own = Rc::new(RefCell::new(None::<JoinHandle<bool>>));
    let (handle, inner) = (Rc::clone(&own), event_loop.clone());
    let task = event_loop.spawn(async move {
        yield_now().await;
        let all: Vec<_> = inner.all_backtraces().iter().map(|task| task.task.name.to_string()).collect();
        assert_eq!(all, ["Task-2", "Task-3"]);
        handle.borrow().as_ref().unwrap().backtrace().is_none()
    });
    *own.borrow_mut() = Some(task);
    let others = [event_loop.spawn(outermost()), event_loop.spawn(innermost())];
    for other in others {
        event_loop.run_until_complete(other).unwrap();
    }
    assert!(own.take().unwrap().try_result().unwrap().unwrap());
}

#[test]
fn an_actor_shows_the_coroutine_that_is_driven() {
    let event_loop = Loop::simulated();
    let _actor = event_loop.drive(Native::<(), u32, (), ()>::new(async |co| co.yield_(1).await));
    let all = event_loop.all_backtraces();
    let [backtrace] = &all[..] else { panic!("{all:?}") };
    assert_eq!(states(backtrace), [State::Created]);
    assert!(backtrace.frames[0].info.name.contains("an_actor_shows"), "{backtrace}");
}

#[test]
fn a_shared_sub_shows_its_own_frames() {
    let event_loop = Loop::simulated();
    let shared = Shared::new(between());
    let sub = shared.clone();
    let task = event_loop.spawn(Task::new(async |co| co.yield_from(sub).await));
    run_a_little(&event_loop);
    let backtrace = task.backtrace().unwrap();
    let names: Vec<_> = backtrace.frames.iter().map(|frame| frame.info.name).collect();
    assert_eq!(names.len(), 3, "{backtrace}");
    assert!(names[0].contains("innermost") && names[1].contains("between"), "{backtrace}");
    drop(shared);
}

#[test]
fn in_a_simulation_it_says_what_the_task_waits_for() {
    let program = |_: &coro_core::sim::World| async {
        let task = native::spawn(async { sleep(SECOND).await });
        while task.backtrace().unwrap().waits_for.is_empty() {
            yield_now().await;
        }
        let backtrace = task.backtrace().unwrap();
        assert_eq!(backtrace.waits_for, [Waiting::Until(now() + SECOND)]);
        assert!(backtrace.to_string().contains("\n  waits until 1"), "{backtrace}");
    };
    Sim::new(1).run(program).unwrap();
}

/// A coroutine by hand, which looks at its own task and then panics when it is looked at.
struct Looks(Rc<RefCell<Option<JoinHandle<()>>>>);

impl Coroutine for Looks {
    type Send = ();
    type Yield = std::convert::Infallible;
    type Return = ();
    type Error = TaskError;

    fn state(&self) -> State {
        State::Created
    }

    fn backtrace(&mut self) -> Vec<coro_core::coroutine::FrameTrace> {
        assert!(self.0.borrow().as_ref().unwrap().backtrace().is_none(), "it is looked at already");
        panic!("do not look")
    }

    fn poll_resume(&mut self, _: &mut Context<'_>, _: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        Poll::Ready(Ok(Outcome::Returned(())))
    }
}

#[test]
fn a_coroutine_that_panics_when_it_is_looked_at_can_be_run_afterwards() {
    let event_loop = Loop::simulated();
    let own = Rc::new(RefCell::new(None));
    let task = event_loop.spawn(from_coroutine(Looks(Rc::clone(&own))));
    *own.borrow_mut() = Some(task);
    let look = || own.borrow().as_ref().unwrap().backtrace();
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"do not look"));
    let task = own.take().unwrap();
    event_loop.run_until_complete(task).unwrap();
}
