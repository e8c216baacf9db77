//! Where a cancellation lands in native bodies.

use std::future::{Future, pending};
use std::time::Duration;

use coro_core::conformance::Trace;
use coro_core::native::{Native, catch, spawn};
use coro_core::prelude::*;
use coro_core::task::{self, JoinHandle, TaskError};
use coro_core::time::yield_now;
use futures::future::{FutureExt, join, select};
use futures::stream::{FuturesUnordered, StreamExt};

const SECOND: Duration = Duration::from_secs(1);

/// Waits for ever in a catch, tells that it was cancelled, and cleans up for so long.
async fn caught(trace: Trace, name: &'static str, cleanup: u32) -> &'static str {
    let cancelled = catch(pending::<()>()).await.unwrap_err();
    trace.log(format!("{name}: {cancelled}"));
    sleep(SECOND * cleanup).await;
    trace.log(format!("{name} cleaned up"));
    name
}

/// Runs `body` as a task, and cancels it after a second. Gives the result.
fn cancelled<T: 'static>(body: impl Future<Output = T> + 'static) -> Result<T, TaskError> {
    let event_loop = Loop::simulated();
    let task = event_loop.spawn(body);
    let result = event_loop.run(async move {
        sleep(SECOND).await;
        assert!(task.cancel());
        task.await
    });
    assert!(event_loop.all_tasks().is_empty());
    result.unwrap()
}

#[test]
fn without_a_cancellation_a_catch_gives_the_value() {
    let both =
        Loop::simulated().run(async { (catch(sleep(SECOND)).await, catch(async { 7 }).await.unwrap()) });
    assert_eq!(both.unwrap().1, 7);
    assert_eq!(catch(async { 8 }).now_or_never().unwrap().unwrap(), 8);
}

#[test]
fn what_is_caught_is_dropped_before_anything_in_it_runs() {
    let trace = Trace::new();
    let (held, runs, after) = (trace.on_drop("dropped"), trace.clone(), trace.clone());
    let result = cancelled(async move {
        let caught = catch(async move {
            let _held = held;
            loop {
                // Ready to go on when the cancellation comes.
                sleep(SECOND / 2).await;
                runs.log("runs");
            }
        });
        after.log(format!("{:?}", caught.await));
        7
    });
    assert_eq!(result.unwrap(), 7);
    trace.expect(&["runs", "dropped", "Err(Cancelled)"]);
}

#[test]
fn only_the_innermost_catches_are_told() {
    let trace = Trace::new();
    let (inner, outer) = (trace.clone(), trace.clone());
    let result = cancelled(async move {
        let outcome = catch(async move {
            caught(inner.clone(), "inner", 1).await;
            // The cancellation was swallowed there.
            sleep(SECOND).await;
            inner.log("went on");
            "swallowed"
        });
        outer.log(format!("{:?}", outcome.await.map_err(|_| "told")));
    });
    assert!(result.is_ok());
    trace.expect(&["inner: the task was cancelled", "inner cleaned up", "went on", "Ok(\"swallowed\")"]);
}

#[test]
fn every_branch_of_a_join_is_told_and_one_without_a_catch_runs_on() {
    let trace = Trace::new();
    let (first, second, third) = (trace.clone(), trace.clone(), trace.clone());
    let result = cancelled(async move {
        let runs_on = async move {
            sleep(SECOND * 3).await;
            third.log("ran on");
        };
        join(join(caught(first, "first", 1), caught(second, "second", 0)), runs_on).await
    });
    assert_eq!(result.unwrap(), (("first", "second"), ()));
    let told = ["first: the task was cancelled", "second: the task was cancelled", "second cleaned up"];
    trace.expect(&[&told[..], &["first cleaned up", "ran on"]].concat());
}

#[test]
fn a_select_ends_with_the_catch_that_ends_first() {
    let trace = Trace::new();
    let (first, second) = (trace.clone(), trace.clone());
    let result = cancelled(async move {
        let (slow, fast) = (Box::pin(caught(first, "slow", 5)), Box::pin(caught(second, "fast", 1)));
        select(slow, fast).await.factor_first().0
    });
    assert_eq!(result.unwrap(), "fast");
    trace.expect(&["slow: the task was cancelled", "fast: the task was cancelled", "fast cleaned up"]);
}

#[test]
fn catches_in_a_set_that_wakes_them_itself_are_woken_by_it() {
    let trace = Trace::new();
    let set: FuturesUnordered<_> =
        ["a", "b", "c"].into_iter().zip(0..).map(|(name, late)| caught(trace.clone(), name, late)).collect();
    let order: Vec<_> = cancelled(set.collect()).unwrap();
    assert_eq!(order, ["a", "b", "c"]);
    assert_eq!(trace.take().len(), 6);
}

#[test]
fn the_handles_of_tasks_in_a_set_cancel_them_too() {
    let trace = Trace::new();
    let again = trace.clone();
    let result = cancelled(async move {
        let tasks: FuturesUnordered<JoinHandle<_>> = ["a", "b"]
            .into_iter()
            .zip(1..)
            .map(|(name, late)| spawn(caught(again.clone(), name, late)))
            .collect();
        // They swallow it.
        tasks.map(Result::unwrap).collect::<Vec<_>>().await
    });
    assert_eq!(result.unwrap(), ["a", "b"]);
    let told = ["a: the task was cancelled", "b: the task was cancelled", "a cleaned up", "b cleaned up"];
    trace.expect(&told);
}

#[test]
fn a_handle_in_a_catch_is_told_first_and_passes_on_what_its_task_lets_out() {
    let trace = Trace::new();
    let again = trace.clone();
    let result = cancelled(async move {
        let inner = again.clone();
        let child = spawn(async move {
            let cancelled = catch(pending::<()>()).await.unwrap_err();
            inner.log("child told");
            sleep(SECOND).await;
            inner.log("child cleaned up");
            // It lets the cancellation out.
            task::current().unwrap().cancel_with(cancelled.message().unwrap_or("again"));
            yield_now().await;
        });
        let caught = catch(child).await.map(|result| result.is_ok());
        again.log(format!("{caught:?}"));
        sleep(SECOND).await;
        again.log("cleaned up");
    });
    assert!(result.is_ok());
    trace.expect(&["child told", "child cleaned up", "Err(Cancelled(\"again\"))", "cleaned up"]);
}

#[test]
fn a_second_cancellation_ends_the_cleanup_or_lands_in_a_catch_around_it() {
    let (event_loop, trace) = (Loop::simulated(), Trace::new());
    let plain = event_loop.spawn(caught(trace.clone(), "plain", 60));
    let around = event_loop.spawn(catch(caught(trace.clone(), "around", 60)));
    let (first, second) = event_loop
        .run(async move {
            for _ in 0..2 {
                sleep(SECOND).await;
                assert!(plain.cancel() && around.cancel());
            }
            (plain.await, around.await)
        })
        .unwrap();
    assert!(first.unwrap_err().is_cancelled());
    assert!(second.unwrap().is_err());
    trace.expect(&["plain: the task was cancelled", "around: the task was cancelled"]);
}

#[test]
fn a_catch_that_nobody_polls_any_more_keeps_nobody_from_being_cancelled() {
    let trace = Trace::new();
    let (kept, ends) = (trace.clone(), trace.on_drop("ended"));
    let result = cancelled(async move {
        let _ends = ends;
        let mut idle = Box::pin(caught(kept, "idle", 0));
        assert!(futures::poll!(&mut idle).is_pending());
        sleep(SECOND * 60).await;
    });
    assert!(result.unwrap_err().is_cancelled());
    trace.expect(&["ended"]);
}

#[test]
fn a_task_that_cancels_itself_in_a_catch_is_told_at_its_next_wait() {
    let trace = Trace::new();
    let again = trace.clone();
    let main = async move {
        let ready = catch(async {
            task::current().unwrap().cancel();
            7
        });
        again.log(format!("{:?}", ready.await));
        again.log(format!("{:?}", catch(sleep(SECOND)).await));
        again.log(format!("{:?}", catch(sleep(SECOND)).await));
    };
    Loop::simulated().run(main).unwrap();
    trace.expect(&["Ok(7)", "Err(Cancelled)", "Ok(())"]);
}

#[test]
fn a_cancellation_goes_into_a_generator_and_what_that_delegates_to() {
    let trace = Trace::new();
    let (inner, outer, after) = (trace.clone(), trace.clone(), trace.clone());
    let sub = Native::<(), u32, (), TaskError>::new(async move |co| {
        co.yield_(1).await?;
        let thrown = co.wait(pending::<()>()).await.unwrap_err();
        inner.log(format!("sub: {thrown}"));
        co.wait(sleep(SECOND)).await?;
        inner.log("sub cleaned up");
        Err(thrown)
    });
    let body = Native::<(), u32, (), TaskError>::new(async move |co| {
        let result = co.yield_from(sub).await;
        outer.log(format!("body: {}", result.as_ref().unwrap_err()));
        result
    });
    let result = cancelled(async move {
        let mut items = AsyncGenerator::new(body);
        assert_eq!(items.next().await.unwrap(), Some(1));
        let next = catch(items.next()).await;
        after.log(format!("{:?}", next.map(drop)));
        items.state()
    });
    assert_eq!(result.unwrap(), State::Finished);
    let told = ["sub: the task was cancelled", "sub cleaned up", "body: the task was cancelled"];
    trace.expect(&[&told[..], &["Err(Cancelled)"]].concat());
}

#[test]
fn a_generator_with_errors_of_its_own_is_asked_to_exit_and_may_go_on() {
    let trace = Trace::new();
    let (inner, ends) = (trace.clone(), trace.on_drop("ended"));
    let result = cancelled(async move {
        let _ends = ends;
        let mut items = AsyncGenerator::new(Native::<(), u32, (), &str>::new(async move |co| {
            inner.log(format!("{:?}", co.wait(pending::<()>()).await));
            co.yield_(7).await?;
            Ok(())
        }));
        items.next().await.unwrap()
    });
    assert_eq!(result.unwrap(), Some(7));
    trace.expect(&["Err(Exit)", "ended"]);
    let (inner, ends) = (trace.clone(), trace.on_drop("ended"));
    let result = cancelled(async move {
        let _ends = ends;
        let mut items = AsyncGenerator::new(Native::<(), u32, (), &str>::new(async move |co| {
            inner.log(format!("{:?}", co.wait(pending::<()>()).await.is_err()));
            Err(Thrown::Exit)
        }));
        items.next().await.is_ok()
    });
    assert!(result.unwrap_err().is_cancelled());
    trace.expect(&["true", "ended"]);
}
