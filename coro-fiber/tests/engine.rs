//! The engine underneath is corosensei, once for each resume, on a stack of its own.

use std::cell::Cell;
use std::rc::Rc;

use coro_core::prelude::*;
use coro_core::stats::{Flavour, counts};
use coro_fiber::{Co, Options, scope};

fn stack_address() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// Whether corosensei is among the callers of the body. Debug builds only: an optimiser may inline it away.
fn runs_on_corosensei() -> bool {
    std::backtrace::Backtrace::force_capture().to_string().contains("corosensei::coroutine::")
}

#[test]
fn every_resume_is_a_resume_of_corosensei() {
    let before = counts(Flavour::Fiber);
    let outside = stack_address();
    let answers = scope(|scope| {
        let mut seen = scope.fiber::<(), bool, bool, ()>(move |co| {
            assert!(stack_address().abs_diff(outside) > 256 * 1024 || cfg!(miri));
            co.yield_(runs_on_corosensei())?;
            co.yield_(runs_on_corosensei())?;
            Ok(runs_on_corosensei())
        });
        [seen.next(), seen.next(), seen.next()].map(Result::unwrap)
    });
    if cfg!(debug_assertions) {
        assert_eq!(answers, [Outcome::Yielded(true), Outcome::Yielded(true), Outcome::Returned(true)]);
    }
    let made = counts(Flavour::Fiber) - before;
    assert_eq!((made.resumes, made.yields, made.parks), (3, 2, 0));
    assert_eq!(counts(Flavour::Native), counts(Flavour::Generator));
}

#[test]
fn a_yield_a_thousand_calls_deep_suspends_the_whole_stack() {
    fn descend(co: &mut Co<'_, u32, u32>, depth: u32) -> Result<u32, Thrown<std::convert::Infallible>> {
        if depth == 0 { co.yield_(0) } else { Ok(1 + descend(co, depth - 1)?) }
    }
    scope(|scope| {
        let mut deep = scope.fiber_with(&Options::new().stack_bytes(1 << 20), |co| descend(co, 1_000));
        assert_eq!(deep.start(), Ok(Outcome::Yielded(0)));
        assert_eq!(deep.send(7), Ok(Outcome::Returned(1_007)));
    });
}

#[test]
fn a_destructor_that_suspends_while_unwinding_gets_exit() {
    struct Suspends<'a, 'f>(&'a mut Co<'f, (), u32>, Rc<Cell<bool>>);
    impl Drop for Suspends<'_, '_> {
        fn drop(&mut self) {
            self.1.set(self.0.yield_(2) == Err(Thrown::Exit));
        }
    }
    let refused = Rc::new(Cell::new(false));
    let seen = Rc::clone(&refused);
    scope(|scope| {
        let mut test = scope.fiber(move |co: &mut Co<(), u32>| {
            let suspends = Suspends(co, seen);
            suspends.0.yield_(1)?;
            Ok(())
        });
        assert_eq!(test.start(), Ok(Outcome::Yielded(1)));
        drop(test);
    });
    assert!(refused.get());
}

#[test]
fn a_destructor_that_suspends_while_the_body_panics_gets_exit() {
    struct Suspends<'a, 'f>(&'a mut Co<'f, (), u32>);
    impl Drop for Suspends<'_, '_> {
        fn drop(&mut self) {
            assert_eq!(self.0.yield_(9), Err(Thrown::Exit));
        }
    }
    scope(|scope| {
        let mut test = scope.fiber::<(), u32, (), _>(|co| {
            let _suspends = Suspends(co);
            panic!("planted");
        });
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test.start())).unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"planted"));
        assert!(!std::thread::panicking());
        assert_eq!(test.state(), State::Finished);
    });
}

#[test]
fn a_fiber_that_was_resumed_by_a_fiber_returns_to_it() {
    scope(|scope| {
        let mut inner = scope.fiber::<u32, u32, u32, ()>(|co| {
            let sent = co.yield_(10)?;
            Ok(sent + 1)
        });
        let mut outer = scope.fiber::<u32, u32, u32, ()>(move |co| {
            let Ok(Outcome::Yielded(ten)) = inner.start() else { unreachable!() };
            let sent = co.yield_(ten)?;
            match inner.send(sent) {
                Ok(Outcome::Returned(value)) => Ok(value),
                other => unreachable!("{other:?}"),
            }
        });
        assert_eq!(outer.start(), Ok(Outcome::Yielded(10)));
        assert_eq!(outer.send(31), Ok(Outcome::Returned(32)));
    });
}

#[test]
fn a_thousand_suspended_fibers_live_side_by_side() {
    scope(|scope| {
        let fiber = |number| {
            scope.fiber::<u32, u32, u32, ()>(move |co| {
                let sent = co.yield_(number)?;
                Ok(number + sent)
            })
        };
        let mut fibers: Vec<_> = (0..1_000).map(fiber).collect();
        for (number, fiber) in (0..).zip(&mut fibers) {
            assert_eq!(fiber.start(), Ok(Outcome::Yielded(number)));
        }
        for (number, fiber) in (0..).zip(&mut fibers) {
            assert_eq!(fiber.send(1), Ok(Outcome::Returned(number + 1)));
        }
    });
}
