//! Random programs of groups and timeouts in each other, with random cancellations, under random schedules, against a small
//! model.
//!
//! The model is the log of what happened in each group: what was raised in it, by whom, and how it ended. From the log alone
//! it follows how the group had to end. A program is drawn from the loop's random numbers, so that it is part of what a
//! seed repeats and shrinks.
//!
//! `CORO_SCHEDULES=100000 cargo test --release -p coro-core --test sim_group` runs so many instead of a few.

#[path = "../sim_common/explored.rs"]
mod explored;
mod model;

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use coro_core::group::{GroupError, TaskGroup};
use coro_core::native::{catch, spawn};
use coro_core::scope::{CancelScope, timeout};
use coro_core::task::{self, ReturnWhen, gather, race, wait};
use coro_core::time::{sleep, yield_now};
use coro_core::{JoinHandle, TaskError};

use explored::{below, explore};
use model::{End, Ledger, Work};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn pause() {
    match below(3) {
        0 => {}
        1 => yield_now().await,
        _ => sleep(millis(1 + below(5))).await,
    }
}

/// For how long somebody works. Some only end when they are asked to, or everybody else has gone home.
fn work() -> Duration {
    if below(4) == 0 { Duration::from_secs(3_600) } else { millis(below(30)) }
}

type Step = Pin<Box<dyn Future<Output = Result<(), TaskError>>>>;

/// Something random, which may fail, and is noted in the ledger of its group while it is under way.
fn something(ledger: Rc<Ledger>, depth: u64) -> Step {
    Box::pin(async move {
        let work = Work::begin(&ledger);
        let result = one_of_all(&ledger, depth).await;
        work.end(&result);
        result
    })
}

async fn one_of_all(ledger: &Rc<Ledger>, depth: u64) -> Result<(), TaskError> {
    pause().await;
    match below(if depth == 0 { 5 } else { 9 }) {
        0 => Err(ledger.error()),
        1 => Ok(()),
        // It cleans up, and lets out what it was told.
        2 => {
            let Err(cancelled) = catch(sleep(work())).await else { return Ok(()) };
            pause().await;
            Err(cancelled.into())
        }
        // It swallows it, or fails in its cleanup.
        3 => {
            if catch(sleep(work())).await.is_err() {
                if below(2) == 0 {
                    pause().await;
                    return Err(ledger.error());
                }
                model::swallow();
            }
            Ok(())
        }
        4 => {
            sleep(work()).await;
            Ok(())
        }
        5 | 6 => within(depth - 1).await,
        7 => Ok(timeout(millis(below(20)), within(depth - 1)).await??),
        _ => {
            let scope = CancelScope::after(millis(below(20)));
            match scope.run(within(depth - 1)).await {
                Ok(result) => result,
                Err(_) => Ok(()),
            }
        }
    }
}

/// A random group, which is compared with the model.
async fn within(depth: u64) -> Result<(), TaskError> {
    let (group, ledger) = (TaskGroup::new(), Ledger::new());
    let task = task::current().unwrap();
    let before = task.cancelling();
    let (inner, noted) = (group.clone(), Rc::clone(&ledger));
    let body = async move {
        let mut handles: Vec<JoinHandle<()>> = Vec::new();
        for _ in 0..below(4) {
            let child = something(Rc::clone(&noted), depth);
            match inner.create_task(child) {
                Ok(handle) => handles.push(handle),
                // It shuts down, and hands the child back.
                Err(refused) => drop(refused.into_child()),
            }
            pause().await;
        }
        for handle in &handles {
            if below(8) == 0 {
                handle.cancel();
            }
        }
        if below(6) == 0 {
            noted.cancel();
            inner.cancel();
        }
        match below(5) {
            0 => drop(gather(handles).return_exceptions().await),
            1 if !handles.is_empty() => drop(race(handles).await),
            2 if !handles.is_empty() => drop(wait(&mut handles, ReturnWhen::FirstCompleted).await?),
            3 => match handles.pop() {
                Some(handle) => drop(handle.await),
                None => something(Rc::clone(&noted), 0).await?,
            },
            _ => something(Rc::clone(&noted), 0).await?,
        }
        Ok(())
    };
    let result = group.run(body).await;
    // Nothing of it is left, and its own cancellation counts for nobody.
    assert_eq!((ledger.under_way(), group.len()), (0, 0));
    assert!(task.cancelling() >= before);
    let end = match &result {
        Ok(()) => End::Done,
        Err(GroupError::Failed(errors)) => End::Failed(errors.leaves().map(ToString::to_string).collect()),
        Err(GroupError::Cancelled(_)) => End::Cancelled,
        Err(error) => panic!("{error}"),
    };
    ledger.check(&end);
    Ok(result?)
}

/// Some groups at once, some of which are cancelled from outside, perhaps more than once.
async fn groups() {
    model::begin();
    let mut tasks: Vec<_> = (0..1 + below(3)).map(|_| (spawn(within(2)), 0)).collect();
    for (task, asked) in &mut tasks {
        pause().await;
        for _ in 0..below(6).saturating_sub(3) {
            *asked += u32::from(task.cancel());
            pause().await;
        }
    }
    for (mut task, asked) in tasks {
        let result = (&mut task).await;
        if let Err(error @ TaskError::Panicked(_)) = result {
            panic!("{error}");
        }
        // What happens within counts for nobody.
        assert_eq!(task.cancelling(), asked);
    }
    let left = coro_core::Loop::running("all_tasks");
    assert_eq!(coro_core::EventLoop::all_tasks(&left).len(), 1, "a task is left");
}

#[test]
fn groups_end_as_their_model_says_and_leave_no_task() {
    explore(300, groups);
}
