//! A fiber that is dropped and does not end: it is reported and leaked, and the drop returns. Run under the address
//! sanitizer.

mod unwinding_common;

use std::cell::RefCell;
use std::rc::Rc;

use coro_core::coroutine::FrameInfo;
use coro_core::event_loop::Exception;
use coro_core::prelude::*;
use coro_fiber::{Options, StackPool, in_fiber, scope, wait};
use unwinding_common::{Body, Count, ENDLESS};

#[test]
fn a_body_that_goes_on_after_the_unwinding_is_reported_and_leaked() {
    let reported: Rc<RefCell<Vec<FrameInfo>>> = Rc::default();
    let event_loop = Loop::simulated();
    let sink = Rc::clone(&reported);
    event_loop.set_exception_handler(Some(Rc::new(move |exception| match exception {
        Exception::Leaked(frame) => {
            assert!(exception.to_string().contains("its stack is leaked"), "{exception}");
            sink.borrow_mut().push(*frame);
        }
        other => unreachable!("{other}"),
    })));
    event_loop
        .run(async {
            for endless in ENDLESS {
                let (count, pool) = (Count::default(), StackPool::builder().stack_bytes(256 * 1024).build());
                let guard = count.guard();
                scope(|scope| {
                    let options = Options::new().name("endless").pool(&pool);
                    let mut fiber = scope.own(options.fiber::<(), (), (), (), _>(move |co| {
                        let _guard = guard;
                        endless(co);
                        Ok(())
                    }));
                    fiber.start().unwrap();
                    drop(fiber);
                });
                assert_eq!(count.get(), 0);
                assert!(!in_fiber() && !std::thread::panicking());
                // And everything works, on other stacks.
                assert_eq!(pool.statistics().in_use, 1);
                assert_eq!(
                    Options::new().pool(&pool).on_fiber(|| wait(sleep(std::time::Duration::ZERO))).await.ok(),
                    Some(())
                );
            }
        })
        .unwrap();
    let reported = reported.borrow();
    assert_eq!(reported.len(), ENDLESS.len());
    for FrameInfo { name, made_at, .. } in reported.iter() {
        assert_eq!(*name, "endless");
        assert!(made_at.unwrap().file().ends_with("unwinding_endless.rs"));
    }
}

/// Runs a test of this file by itself, with `fiber` in it, in another process. Its code, and what it has said.
fn alone(test: &str, fiber: Body) -> (Option<i32>, String) {
    if std::env::var_os("CORO_FIBER_ALONE").is_some() {
        scope(|scope| {
            let mut fiber = scope.fiber::<(), (), (), ()>(move |co| {
                fiber(co);
                Ok(())
            });
            fiber.start().unwrap();
        });
        std::process::exit(0);
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("CORO_FIBER_ALONE", "1")
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn without_a_loop_the_report_is_printed() {
    let (code, said) = alone("without_a_loop_the_report_is_printed", ENDLESS[0]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("coro: a coroutine was dropped and did not end: its stack is leaked"), "{said}");
    assert!(said.contains("unwinding_endless.rs:"), "{said}");
}

#[test]
fn a_destructor_that_asks_for_ever_ends_the_program() {
    struct Endless;
    impl Drop for Endless {
        fn drop(&mut self) {
            while coro_fiber::suspend::<(), ()>(()).is_err() {}
        }
    }
    let (code, said) = alone("a_destructor_that_asks_for_ever_ends_the_program", |co| {
        let _endless = Endless;
        let _: Result<_, _> = co.yield_(());
    });
    assert_eq!(code, None, "{said}");
    assert!(said.contains("a destructor asks to suspend for ever"), "{said}");
}
