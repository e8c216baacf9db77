//! Values that each fiber has for itself.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use coro_core::prelude::*;
use coro_fiber::{LocalError, TaskCo, fiber_local, inheriting, scope, spawn, task, wait};

const SECOND: Duration = Duration::from_secs(1);

type Log = Rc<RefCell<Vec<String>>>;

/// Says when it is dropped, to whom `LOG` says.
struct Noted(&'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        let waited = if coro_fiber::in_fiber() { wait(sleep(SECOND)).is_ok() } else { false };
        let other = match FIRST.try_with(|first| first.0) {
            Ok(first) => first.to_string(),
            Err(error) => format!("{error:?}"),
        };
        THREAD.with(|log| log.borrow_mut().push(format!("{} waited {waited} sees {other}", self.0)));
    }
}

// The same on all fibers of a thread, also where they are threads.
coro_core::__local! {
    static THREAD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fiber_local! {
    static COUNT: Cell<u32> = Cell::new(1);
    static FIRST: Noted = Noted("first");
    static SECOND_ONE: Noted = Noted("second");
    static PANICS: PanicsAtDrop = PanicsAtDrop;
    static NAMES: RefCell<Vec<&'static str>> = RefCell::default();
    inherited static REQUEST: Rc<Cell<u32>> = Rc::new(Cell::new(0));
    inherited static COPIED: Cell<u32> = Cell::new(0)
}

struct PanicsAtDrop;

impl Drop for PanicsAtDrop {
    fn drop(&mut self) {
        panic!("planted");
    }
}

fn run<R: 'static>(body: impl FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static) -> Result<R, RunError> {
    Loop::simulated().run(task(body))
}

#[test]
fn each_fiber_has_its_own_value_and_keeps_it_while_others_run() {
    let log = Log::default();
    let own = Rc::clone(&log);
    run(move |co| {
        let adds = |name: &'static str, by: u32| {
            let log = Rc::clone(&own);
            spawn(move |co| {
                for _ in 0..2 {
                    COUNT.set(COUNT.get() + by);
                    NAMES.with_borrow_mut(|names| names.push(name));
                    co.wait(sleep(SECOND))?;
                    let names = NAMES.with_borrow(|names| names.join(""));
                    log.borrow_mut().push(format!("{name} {} {names}", COUNT.get()));
                }
                Ok(())
            })
        };
        let tasks = [adds("a", 1), adds("b", 10)];
        for task in tasks {
            co.wait(task)??;
        }
        // Nobody has touched this one's.
        assert_eq!((COUNT.replace(7), COUNT.take(), NAMES.take().len()), (1, 7, 0));
        Ok(())
    })
    .unwrap();
    assert_eq!(log.take(), ["a 2 a", "b 11 b", "a 3 aa", "b 21 bb"]);
}

#[test]
fn outside_a_fiber_there_is_none_and_the_error_says_what_to_do() {
    assert_eq!(COUNT.try_with(Cell::get), Err(LocalError::Outside));
    let panicked = catch_unwind(|| COUNT.get()).unwrap_err();
    let message = panicked.downcast_ref::<String>().unwrap();
    assert!(message.contains("coro_fiber::run()"), "{message}");
    // In the body of a native task that a fiber waits for, neither.
    let seen = run(|co| {
        COUNT.set(2);
        Ok(co.wait(Loop::current().unwrap().spawn(async { COUNT.try_with(Cell::get) }))??)
    });
    assert_eq!(seen.unwrap(), Err(LocalError::Outside));
}

#[test]
fn it_belongs_to_the_innermost_fiber() {
    scope(|scope| {
        let mut outer = scope.fiber::<(), u32, (), ()>(move |co| {
            COUNT.set(10);
            let mut inner = scope.fiber::<(), u32, (), ()>(|co| {
                co.yield_(COUNT.replace(20))?;
                co.yield_(COUNT.get())
            });
            assert_eq!(inner.start(), Ok(Outcome::Yielded(1)));
            co.yield_(COUNT.get())?;
            assert_eq!(inner.send(()), Ok(Outcome::Yielded(20)));
            co.yield_(COUNT.get())
        });
        assert_eq!(outer.start(), Ok(Outcome::Yielded(10)));
        assert_eq!(outer.send(()), Ok(Outcome::Yielded(10)));
    });
}

#[test]
fn they_are_dropped_after_the_body_the_last_one_first_and_may_wait() {
    let elapsed = run(|co| {
        let begun = coro_core::time::now();
        let fiber = spawn(|_| {
            let _on_the_stack = Noted("stack");
            FIRST.with(|_| ());
            SECOND_ONE.with(|_| ());
            Ok(())
        });
        co.wait(fiber)??;
        Ok(coro_core::time::now() - begun)
    });
    assert_eq!(elapsed.unwrap(), 3 * SECOND);
    assert_eq!(
        THREAD.take(),
        ["stack waited true sees first", "second waited true sees first", "first waited true sees Gone"]
    );
}

#[test]
fn a_suspended_fiber_that_is_dropped_drops_them_in_its_unwinding() {
    scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(|co| {
            let _on_the_stack = Noted("stack");
            FIRST.with(|_| ());
            co.yield_(())
        });
        fiber.start().unwrap();
        drop(fiber);
    });
    assert_eq!(THREAD.take(), ["stack waited false sees first", "first waited false sees Gone"]);
}

#[test]
fn a_forgotten_fiber_keeps_them_for_ever() {
    scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(|co| {
            FIRST.with(|_| ());
            co.yield_(())
        });
        fiber.start().unwrap();
        std::mem::forget(fiber);
    });
    assert!(THREAD.take().is_empty());
}

#[test]
fn one_that_panics_when_it_is_dropped_keeps_none_of_the_others() {
    let ran = run(|_| {
        FIRST.with(|_| ());
        PANICS.with(|_| ());
        Ok(())
    });
    assert_eq!(ran.unwrap_err().to_string(), "the task panicked: planted");
    // It is unwound by then.
    assert_eq!(THREAD.take(), ["first waited false sees Gone"]);
    assert!(!coro_fiber::in_fiber());
}

#[test]
fn a_look_may_wait_and_a_value_may_be_made_of_another() {
    fiber_local! {
        static MADE: Cell<u32> = {
            coro_fiber::sleep(SECOND).unwrap();
            Cell::new(COUNT.get() + 1)
        };
    }
    let seen = run(|co| {
        let other = spawn(|_| Ok(MADE.get()));
        let seen = MADE.with(|made| {
            coro_fiber::sleep(SECOND).unwrap();
            made.get()
        });
        Ok((seen, co.wait(other)??))
    });
    assert_eq!(seen.unwrap(), (2, 2));
}

#[test]
fn a_child_inherits_what_it_is_given_at_its_making_and_only_that() {
    let seen = run(|co| {
        REQUEST.with(|request| request.set(7));
        COUNT.set(9);
        let child =
            spawn(inheriting(|_| Ok((REQUEST.with(|request| request.get()), COUNT.get(), COPIED.get()))));
        let stranger = spawn(|_| Ok(REQUEST.with(|request| request.get())));
        // A copy of its own, made before.
        COPIED.set(5);
        let later = spawn(inheriting(|co| {
            let before = COPIED.replace(6);
            co.wait(yield_now())?;
            Ok((before, COPIED.get()))
        }));
        let all = (co.wait(child)??, co.wait(stranger)??, co.wait(later)??, COPIED.get());
        Ok(all)
    });
    assert_eq!(seen.unwrap(), ((7, 1, 0), 0, (5, 6), 5));
    // Outside a fiber there is nothing to inherit.
    let seen = run(inheriting(|_: &mut TaskCo<'_>| Ok(COPIED.get())));
    assert_eq!(seen.unwrap(), 0);
}

#[test]
fn one_that_ends_in_a_panic_drops_them_too() {
    scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(|_| {
            FIRST.with(|_| ());
            panic!("planted")
        });
        assert!(catch_unwind(AssertUnwindSafe(|| fiber.start())).is_err());
    });
    assert_eq!(THREAD.take(), ["first waited false sees Gone"]);
}
