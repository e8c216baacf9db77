//! Bodies in asynchronous contexts, in each flavour: when a context is left, and what it is told.

use std::time::Duration;

use coro_core::conformance::{Trace, reports};
use coro_core::coroutine::{AsyncContext, Ending, with};
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_fiber::Fiber;
use coro_gen::Gen;

/// Logs, takes a second to enter and one to leave, and fails where it is told to.
struct Logged {
    name: &'static str,
    fails: &'static str,
    log: Trace,
}

struct Failure;

impl From<Failure> for TaskError {
    fn from(_: Failure) -> Self {
        Self::AlreadyTaken
    }
}

impl Logged {
    async fn step<E: From<Failure>>(&self, what: &str) -> Result<(), E> {
        self.log.log(format!("{} {what}", self.name));
        sleep(Duration::from_secs(1)).await;
        if what.starts_with(self.fails) {
            return Err(Failure.into());
        }
        self.log.log(format!("{} {what}: done", self.name));
        Ok(())
    }
}

/// One value for every flavour, and for every type of error that a failure can become.
impl<E: From<Failure>> AsyncContext<E> for Logged {
    type Value = u32;

    async fn enter(&mut self) -> Result<u32, E> {
        self.step("enters").await?;
        Ok(21)
    }

    async fn exit(self, ending: Ending) -> Result<(), E> {
        self.step(&format!("exits, {ending:?}")).await
    }
}

type End = fn(u32) -> Result<u32, TaskError>;
type Spawn = fn(&Loop, Logged, Logged, End) -> JoinHandle<u32>;

/// Tasks that wait a second in two contexts, and end like `end`.
const EXACT: [(&str, Spawn); 3] = [
    ("native", |event_loop, outer, inner, end| {
        event_loop.spawn(Native::new(async move |co| {
            co.with(outer, async move |co, first| {
                co.with(inner, async move |co, second| {
                    co.wait(sleep(Duration::from_secs(1))).await?;
                    Ok(end(first + second)?)
                })
                .await
            })
            .await
        }))
    }),
    ("generator", |event_loop, outer, inner, end| {
        event_loop.spawn(coro_gen::task(async move |co| {
            co.with(outer, async move |co, first| {
                co.with(inner, async move |co, second| {
                    co.wait(sleep(Duration::from_secs(1))).await?;
                    Ok(end(first + second)?)
                })
                .await
            })
            .await
        }))
    }),
    ("fiber", |event_loop, outer, inner, end| {
        event_loop.spawn(coro_fiber::task(move |co| {
            co.with(outer, move |co, first| {
                co.with(inner, move |co, second| {
                    co.wait(sleep(Duration::from_secs(1)))?;
                    Ok(end(first + second)?)
                })
            })
        }))
    }),
];

/// The same as a future, in which nothing can land.
const PLAIN: (&str, Spawn) = ("plain future", |event_loop, outer, inner, end| {
    event_loop.spawn(Native::new(async move |_| {
        let result = with(outer, async move |first| {
            with(inner, async move |second| {
                sleep(Duration::from_secs(1)).await;
                end(first + second)
            })
            .await
        });
        Ok(result.await?)
    }))
});

/// Runs such a task, cancels it after `cancel_after` seconds, and checks what happened, what came out, and that nothing
/// was reported.
#[track_caller]
fn check(kind: (&str, Spawn), fails: Fails, end: End, cancel_after: Option<f64>, expected: &[&str]) {
    check_reported(kind, fails, end, cancel_after, expected, &[]);
}

/// What the two contexts fail at.
type Fails = [&'static str; 2];

#[track_caller]
fn check_reported(
    (name, spawn): (&str, Spawn),
    fails: Fails,
    end: End,
    cancel_after: Option<f64>,
    expected: &[&str],
    expected_reports: &[&str],
) {
    let (event_loop, log) = (Loop::simulated(), Trace::new());
    let reported = reports(&event_loop);
    let context = |name, fails| Logged { name, fails, log: log.clone() };
    let task = spawn(&event_loop, context("outer", fails[0]), context("inner", fails[1]), end);
    let end = log.clone();
    event_loop
        .run(async move {
            if let Some(seconds) = cancel_after {
                sleep(Duration::from_secs_f64(seconds)).await;
                task.cancel();
            }
            end.log(format!("ended: {:?}", task.await));
        })
        .unwrap();
    log.log(name);
    log.expect(&[expected, &[name]].concat());
    reported.expect(expected_reports);
}

const NEVER: Fails = ["never"; 2];
const ENTERED: [&str; 4] = ["outer enters", "outer enters: done", "inner enters", "inner enters: done"];

#[track_caller]
fn check_all(fails: Fails, end: End, cancel_after: Option<f64>, expected: &[&str]) {
    for kind in EXACT.into_iter().chain([PLAIN]) {
        check(kind, fails, end, cancel_after, expected);
    }
}

/// What happens when contexts are left by the loop: it has just begun when the end of the task is known.
fn late(begin: &[&'static str], end: &'static str, left: &[&'static str]) -> Vec<&'static str> {
    [begin, &left[..1], &[end], &left[1..]].concat()
}

fn all(begin: &[&'static str], end: &[&'static str]) -> Vec<&'static str> {
    [begin, end].concat()
}

#[test]
fn a_body_that_returns_leaves_its_contexts_from_the_inside() {
    let left = [
        "inner exits, Returned",
        "inner exits, Returned: done",
        "outer exits, Returned",
        "outer exits, Returned: done",
        "ended: Ok(42)",
    ];
    check_all(NEVER, Ok, None, &all(&ENTERED, &left));
}

#[test]
fn a_body_that_raises_leaves_its_contexts_and_the_error_passes_on() {
    let left = [
        "inner exits, Raised",
        "inner exits, Raised: done",
        "outer exits, Raised",
        "outer exits, Raised: done",
        "ended: Err(ForeignLoop)",
    ];
    check_all(NEVER, |_| Err(TaskError::ForeignLoop), None, &all(&ENTERED, &left));
}

#[test]
fn a_cancelled_body_leaves_its_contexts_before_the_task_ends() {
    let left = [
        "inner exits, Cancelled",
        "inner exits, Cancelled: done",
        "outer exits, Cancelled",
        "outer exits, Cancelled: done",
    ];
    for kind in EXACT {
        let expected = [&ENTERED[..], &left, &["ended: Err(Cancelled)"]].concat();
        check(kind, NEVER, Ok, Some(2.5), &expected);
    }
    // A plain future has nothing left to wait with: its contexts are left in the same order, by the loop.
    check(PLAIN, NEVER, Ok, Some(2.5), &late(&ENTERED, "ended: Err(Cancelled)", &left));
}

#[test]
fn a_context_that_was_not_entered_is_not_left() {
    let fails = ["never", "enters"];
    let begin = ["outer enters", "outer enters: done", "inner enters"];
    let left = ["outer exits, Raised", "outer exits, Raised: done", "ended: Err(AlreadyTaken)"];
    check_all(fails, Ok, None, &all(&begin, &left));

    let cancelled = ["outer exits, Cancelled", "outer exits, Cancelled: done"];
    for kind in EXACT {
        let expected = [&begin[..], &cancelled, &["ended: Err(Cancelled)"]].concat();
        check(kind, NEVER, Ok, Some(1.5), &expected);
    }
    check(PLAIN, NEVER, Ok, Some(1.5), &late(&begin, "ended: Err(Cancelled)", &cancelled));
}

#[test]
fn an_error_of_an_exit_takes_the_place_of_the_end_of_the_body() {
    let fails = ["never", "exits"];
    let left = [
        "inner exits, Returned",
        "outer exits, Raised",
        "outer exits, Raised: done",
        "ended: Err(AlreadyTaken)",
    ];
    check_all(fails, Ok, None, &all(&ENTERED, &left));
    // Where nobody waits for it, it is reported; the outer context is left all the same.
    let left = ["inner exits, Cancelled", "outer exits, Cancelled", "outer exits, Cancelled: done"];
    let reported = format!("Task-3 never retrieved: {}", TaskError::AlreadyTaken);
    let expected = late(&ENTERED, "ended: Err(Cancelled)", &left);
    check_reported(PLAIN, fails, Ok, Some(2.5), &expected, &[&reported]);
}

#[test]
fn a_cancellation_cuts_off_an_exit() {
    let left = ["outer exits, Cancelled", "outer exits, Cancelled: done"];
    for kind in EXACT {
        let end = ["ended: Err(Cancelled)"];
        check(kind, NEVER, Ok, Some(3.5), &[&ENTERED[..], &["inner exits, Returned"], &left, &end].concat());
    }
    let begin = [&ENTERED[..], &["inner exits, Returned"]].concat();
    check(PLAIN, NEVER, Ok, Some(3.5), &late(&begin, "ended: Err(Cancelled)", &left));
}

#[test]
fn a_panic_in_the_body_leaves_its_contexts() {
    for kind in EXACT.into_iter().chain([PLAIN]) {
        let left = [
            "inner exits, Cancelled",
            "inner exits, Cancelled: done",
            "outer exits, Cancelled",
            "outer exits, Cancelled: done",
        ];
        let expected = late(&ENTERED, "ended: Err(Panicked(Panic(\"planted\")))", &left);
        check(kind, NEVER, |_| panic!("planted"), None, &expected);
    }
}

#[test]
fn the_end_of_a_run_leaves_the_contexts_of_what_is_cancelled_there() {
    for (name, spawn) in EXACT.into_iter().chain([PLAIN]) {
        let (event_loop, log) = (Loop::simulated(), Trace::new());
        let context = |name| Logged { name, fails: "never", log: log.clone() };
        spawn(&event_loop, context("outer"), context("inner"), Ok).detach();
        event_loop.run(sleep(Duration::from_secs_f64(2.5))).unwrap();
        assert_eq!(event_loop.time().as_secs_f64(), 4.5, "{name}");
        let left = [
            "inner exits, Cancelled",
            "inner exits, Cancelled: done",
            "outer exits, Cancelled",
            "outer exits, Cancelled: done",
        ];
        log.expect(&all(&ENTERED, &left));
    }
}

/// Does not wait, so that it can be used by hand.
struct Quick(Trace);

impl AsyncContext<&'static str> for Quick {
    type Value = u32;

    async fn enter(&mut self) -> Result<u32, &'static str> {
        self.0.log("enters");
        Ok(1)
    }

    async fn exit(self, ending: Ending) -> Result<(), &'static str> {
        self.0.log(format!("exits, {ending:?}"));
        Ok(())
    }
}

#[test]
fn a_generator_by_hand_may_yield_in_a_context() {
    type Typed = Box<dyn Coroutine<Send = u32, Yield = u32, Return = u32, Error = &'static str>>;
    let makes: [fn(Quick) -> Typed; 3] = [
        |quick| {
            Box::new(Native::new(async move |co| {
                co.with(quick, async |co, value| co.yield_(value).await).await
            }))
        },
        |quick| {
            Box::new(Gen::new(async move |co| co.with(quick, async |co, value| co.yield_(value).await).await))
        },
        // A coroutine that delegates to it may leave the scope that a fiber by itself may not.
        |quick| {
            let fiber = Fiber::new(move |co| co.with(quick, |co, value| co.yield_(value)));
            Box::new(Native::new(async move |co| co.yield_from(fiber).await))
        },
    ];
    for make in makes {
        let log = Trace::new();
        let begun = || {
            let mut coroutine = make(Quick(log.clone()));
            assert_eq!(coroutine.start(), Ok(Outcome::Yielded(1)));
            log.expect(&["enters"]);
            coroutine
        };
        assert_eq!(begun().send(7), Ok(Outcome::Returned(7)));
        log.expect(&["exits, Returned"]);
        assert_eq!(begun().throw("x"), Ok(Outcome::Raised("x".into())));
        log.expect(&["exits, Raised"]);
        assert_eq!(begun().close(), Ok(None));
        log.expect(&["exits, Cancelled"]);
        // Without a loop nobody can leave it.
        drop(begun());
        log.expect(&[]);
        // With one, that does.
        let left = begun();
        Loop::simulated().run(async move { drop(left) }).unwrap();
        log.expect(&["exits, Cancelled"]);
    }
}

#[test]
fn what_a_body_drops_is_closed_before_its_context_is_left() {
    let log = Trace::new();
    let context = Logged { name: "context", fails: "never", log: log.clone() };
    let body = log.clone();
    let program = async move {
        let generator = coro_gen::Gen::<(), u32, (), ()>::new(async move |co| {
            let thrown = co.yield_(1).await;
            co.wait(sleep(Duration::from_secs(9))).await?;
            body.log("generator closed");
            thrown
        });
        let in_context = with::<_, (), TaskError>(context, async move |_| {
            let mut generator = AsyncGenerator::new(generator);
            generator.next().await.unwrap();
            std::future::pending().await
        });
        coro_core::native::spawn(in_context).detach();
        sleep(Duration::from_secs(2)).await;
    };
    Loop::simulated().run(program).unwrap();
    log.expect(&[
        "context enters",
        "context enters: done",
        "generator closed",
        "context exits, Cancelled",
        "context exits, Cancelled: done",
    ]);
}
