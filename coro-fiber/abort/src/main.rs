//! Fibers in a program where nothing unwinds: what the documentation of `coro_fiber` says of `panic = "abort"`.
//!
//! It is no test, for the standard library's harness unwinds. `.ci/run` runs it, and so does
//! `CARGO_PROFILE_DEV_PANIC=abort cargo run -p coro-abort`.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::Pin;
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::task::{Context, Waker};

use coro_core::event_loop::Exception;
use coro_core::prelude::*;
use coro_fiber::{Co, StackPool, WaitError, in_fiber, on_fiber, scope, wait};

/// What is dropped, counted.
#[derive(Clone, Default)]
struct Count(Rc<Cell<u32>>);

struct Guard(Count);

impl Count {
    fn guard(&self) -> Guard {
        Guard(self.clone())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() + 1);
    }
}

const PROGRAMS: [(&str, fn()); 5] = [
    ("a task that is cancelled ends by the error of its wait", a_cancelled_task_ends_by_its_error),
    (
        "a fiber that is dropped ends by the errors of its waits",
        a_dropped_fiber_ends_by_the_errors_of_its_waits,
    ),
    ("a future on a fiber that is dropped does", a_dropped_future_does),
    ("a loop that is dropped with tasks ends them", a_dropped_loop_ends_its_tasks),
    ("a body that goes on is left where it is, and reported", a_body_that_goes_on_is_reported_and_leaked),
];

fn main() -> ExitCode {
    if cfg!(not(panic = "abort")) {
        eprintln!("build it with CARGO_PROFILE_DEV_PANIC=abort: else it shows nothing");
        return ExitCode::FAILURE;
    }
    if std::env::args().nth(1).is_some_and(|word| word == "panics") {
        let _ = coro_fiber::run(|_| -> TaskResult<()> { panic!("planted") });
        return ExitCode::SUCCESS;
    }
    for (name, program) in PROGRAMS {
        program();
        assert!(!in_fiber(), "{name}");
        println!("ok: {name}");
    }
    a_panic_of_a_fiber_is_the_end_of_the_program();
    println!("ok: a panic of a fiber is the end of the program");
    ExitCode::SUCCESS
}

fn a_cancelled_task_ends_by_its_error() {
    let count = Count::default();
    let guard = count.guard();
    let ran = coro_fiber::run(move |co| {
        let waits = coro_fiber::spawn(move |co| {
            let _guard = guard;
            co.wait(pending::<()>())
        });
        co.wait(others_run())?;
        waits.cancel();
        Ok(matches!(co.wait(waits)?, Err(TaskError::Cancelled(_))))
    });
    assert!(ran.expect("it runs"));
    assert_eq!(count.0.get(), 1);
}

async fn others_run() {
    coro_core::time::yield_now().await;
}

fn a_dropped_fiber_ends_by_the_errors_of_its_waits() {
    let count = Count::default();
    scope(|scope| {
        let (guard, refused) = (count.guard(), count.clone());
        let mut fiber = scope.fiber(move |co: &mut Co<'_, (), u32, ()>| {
            let _guard = guard;
            assert_eq!(co.yield_(1), Err(Thrown::Exit));
            // Nothing was unwound: it is here, and refused again.
            assert!(matches!(wait(pending::<()>()), Err(WaitError::Unwinding)));
            refused.0.set(refused.0.get() + 10);
            co.yield_(2)
        });
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
        drop(fiber);
    });
    assert_eq!(count.0.get(), 11);
}

fn a_dropped_future_does() {
    let count = Count::default();
    let guard = count.guard();
    let mut future = on_fiber(move || {
        let _guard = guard;
        wait(pending::<()>())?;
        unreachable!("it is refused")
    });
    let polled: std::task::Poll<Result<(), WaitError>> =
        Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(future);
    assert_eq!(count.0.get(), 1);
}

fn a_dropped_loop_ends_its_tasks() {
    let count = Count::default();
    let event_loop = Loop::simulated();
    event_loop.set_exception_handler(Some(Rc::new(|_| {})));
    for _ in 0..100 {
        let guard = count.guard();
        let waits = coro_fiber::task(move |co| {
            let _guard = guard;
            co.wait(pending::<()>())
        });
        event_loop.spawn(waits).detach();
    }
    event_loop.run_until_complete(event_loop.spawn(others_run())).expect("it runs");
    drop(event_loop);
    assert_eq!(count.0.get(), 100);
}

fn a_body_that_goes_on_is_reported_and_leaked() {
    let (count, reports) = (Count::default(), Rc::new(RefCell::new(Vec::new())));
    let (guard, reported) = (count.guard(), Rc::clone(&reports));
    let event_loop = Loop::simulated();
    event_loop.set_exception_handler(Some(Rc::new(move |exception| match exception {
        Exception::Leaked(frame) => reported.borrow_mut().push(frame.name),
        other => unreachable!("{other}"),
    })));
    let leaked = event_loop.run(async move {
        let pool = StackPool::builder().build();
        let options = coro_fiber::Options::new().name("endless").pool(&pool);
        scope(|scope| {
            let mut fiber = scope.own(options.fiber::<(), (), (), (), _>(move |co| {
                let _guard = guard;
                loop {
                    let _: Result<_, _> = co.yield_(());
                }
            }));
            fiber.start().expect("it yields");
        });
        pool.statistics().in_use
    });
    assert_eq!(leaked.expect("it runs"), 1);
    assert_eq!((count.0.get(), &**reports.borrow()), (0, &["endless"][..]));
}

fn a_panic_of_a_fiber_is_the_end_of_the_program() {
    let this = std::env::current_exe().expect("it has a name");
    let ended = Command::new(this).arg("panics").output().expect("it can be started");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("planted"), "{said}");
}
