//! Values that are handed out without a `Co`, and fibers that meet on one thread. Run under the address sanitizer.

mod ambient_common;

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{pending, poll_fn, ready};
use std::rc::Rc;
use std::task::Poll;

use ambient_common::{AtDrop, Log, SECOND, run};
use coro_core::prelude::*;
use coro_fiber::{Co, Fiber, SuspendError, WaitError, in_fiber, scope, suspend, wait};

#[test]
fn the_innermost_fiber_waits_and_the_outer_one_is_back_however_it_leaves() {
    scope(|scope| {
        let mut outer = scope.fiber::<(), Infallible, (), ()>(move |_| {
            let mut inner = scope.fiber::<u32, u32, u32, ()>(|co| {
                assert!(matches!(wait(pending::<()>()), Err(WaitError::Thrown(_))));
                let sent = co.yield_(1)?;
                Ok(sent + suspend::<u32, u32>(2).unwrap())
            });
            // It parks the inner one, not this.
            assert_eq!(inner.start(), Err(Misuse::WouldPark));
            assert!(matches!(suspend::<u32, u32>(0), Err(SuspendError::Types { value: 0, .. })));
            assert_eq!(inner.throw(()), Ok(Outcome::Yielded(1)));
            assert_eq!(inner.send(40), Ok(Outcome::Yielded(2)));
            assert_eq!(inner.send(2), Ok(Outcome::Returned(42)));
            let mut panics = scope.fiber::<(), Infallible, (), ()>(|_| panic!("planted"));
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panics.start()));
            assert!(panicked.is_err());
            let mut dropped = scope.fiber::<(), Infallible, (), ()>(|_| {
                let _guard = AtDrop(|| {
                    // Here the outer one must not be suspended, from the stack of another.
                    assert!(matches!(wait(pending::<()>()), Err(WaitError::Unwinding)));
                });
                wait(pending::<()>()).unwrap();
                Ok(())
            });
            assert_eq!(dropped.start(), Err(Misuse::WouldPark));
            drop(dropped);
            assert!(matches!(wait(pending::<()>()), Err(WaitError::Exit)));
            Err(Thrown::Exit)
        });
        assert!(matches!(outer.start(), Err(Misuse::WouldPark)));
        assert!(matches!(outer.close(), Ok(None)));
        assert!(!in_fiber());
    });
}

#[test]
fn a_fiber_that_is_resumed_by_a_destructor_during_a_panic_may_suspend() {
    let panicked = std::panic::catch_unwind(|| {
        let _guard = AtDrop(|| {
            scope(|scope| {
                let mut fiber = scope.fiber::<(), u8, (), ()>(|_| {
                    let () = suspend(1_u8).unwrap();
                    Ok(())
                });
                assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
                assert_eq!(fiber.send(()), Ok(Outcome::Returned(())));
            });
        });
        panic!("planted");
    });
    assert!(panicked.is_err());
}

#[test]
fn suspend_hands_out_and_receives_what_the_fiber_does() {
    fn visit(depth: u32) -> u32 {
        if depth == 0 { 0 } else { suspend::<u32, u32>(depth).unwrap() + visit(depth - 1) }
    }
    scope(|scope| {
        let mut fiber = scope.fiber::<u32, u32, u32, &str>(|_| Ok(visit(2)));
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(2)));
        assert_eq!(fiber.send(20), Ok(Outcome::Yielded(1)));
        assert_eq!(fiber.send(22), Ok(Outcome::Returned(42)));

        let mut fiber = scope.fiber::<u32, u32, (), &str>(|_| match suspend::<u32, u32>(1) {
            Err(SuspendError::Thrown(error)) => Err(error.into_thrown().unwrap()),
            _ => unreachable!(),
        });
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
        assert_eq!(fiber.throw("stop"), Ok(Outcome::Raised(Thrown::Error("stop"))));
    });
}

#[test]
fn suspend_with_other_types_hands_the_value_back_and_names_the_right_ones() {
    scope(|scope| {
        let mut fiber = scope.fiber::<u8, String, (), ()>(|_| {
            let error = suspend::<u16, String>("kept".to_string()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the fiber yields alloc::string::String and receives u8: suspend it with these types"
            );
            let SuspendError::Types { value, .. } = error else { unreachable!() };
            assert_eq!(value, "kept");
            let Err(SuspendError::Types { value: "str", .. }) = suspend::<u8, &str>("str") else {
                unreachable!()
            };
            Ok(())
        });
        // It has not suspended.
        assert_eq!(fiber.start(), Ok(Outcome::Returned(())));
    });
}

#[test]
fn a_wake_up_does_not_answer_a_suspend() {
    let answers = Loop::simulated().run(coro_fiber::scope_async(async |scope| {
        let mut answers = AsyncGenerator::scoped(scope.fiber::<u32, u32, u32, ()>(|_| {
            // What wakes it for nothing while it is suspended.
            coro_fiber::yield_now().unwrap();
            let sent = wait(async {
                let woken = suspend::<u32, u32>(1).unwrap();
                sleep(SECOND).await;
                woken
            });
            Ok(sent.unwrap())
        }));
        let first = answers.start().await;
        (first, answers.send(7).await)
    }));
    assert_eq!(answers.unwrap(), (Ok(Outcome::Yielded(1)), Ok(Outcome::Returned(7))));
}

#[test]
fn a_coroutine_of_another_library_on_the_stack_of_a_fiber_suspends_the_fiber() {
    let log: Log<&str> = Rc::default();
    let own = Rc::clone(&log);
    run(move || {
        let mut raw = corosensei::Coroutine::<(), (), Result<(), WaitError>>::new(move |yielder, ()| {
            own.borrow_mut().push("begins");
            coro_fiber::sleep(SECOND)?;
            yielder.suspend(());
            own.borrow_mut().push("ends");
            coro_fiber::sleep(SECOND)
        });
        assert!(raw.resume(()).as_yield().is_some());
        coro_fiber::sleep(SECOND)?;
        raw.resume(()).as_return().unwrap()
    })
    .unwrap();
    assert_eq!(log.take(), ["begins", "ends"]);
}

#[test]
fn a_poll_that_returns_in_another_fiber_than_it_began_in_finds_that_one() {
    type Raw = Rc<RefCell<corosensei::Coroutine<(), (), Result<u32, WaitError>>>>;
    scope(|scope| {
        // It leaves the first fiber in the middle of a poll, and goes on in the second, when the first is gone.
        let raw: Raw = Rc::new(RefCell::new(corosensei::Coroutine::new(|yielder, ()| {
            let mut polls = 0;
            wait(poll_fn(|_| {
                polls += 1;
                match polls {
                    1 => {
                        yielder.suspend(());
                        Poll::Pending
                    }
                    2 => Poll::Pending,
                    polls => Poll::Ready(polls),
                }
            }))
        })));
        let fiber = |raw: &Raw| {
            let raw = Rc::clone(raw);
            scope.fiber::<(), u32, (), ()>(move |co| {
                let resumed = raw.borrow_mut().resume(());
                if let corosensei::CoroutineResult::Return(polls) = resumed {
                    co.yield_(polls.unwrap())?;
                }
                Ok(())
            })
        };
        assert_eq!(fiber(&raw).start(), Ok(Outcome::Returned(())));
        let mut second = fiber(&raw);
        assert_eq!(second.start(), Err(Misuse::WouldPark));
        // It is polled again because it was suspended; and again because it is woken.
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert_eq!(second.poll_resume(&mut cx, None), Poll::Ready(Ok(Outcome::Yielded(3))));
    });
}

#[test]
fn a_fiber_that_is_forgotten_while_it_waits_leaves_the_thread_as_it_was() {
    scope(|scope| {
        let mut fiber = scope.fiber::<(), Infallible, (), ()>(|_| {
            wait(pending::<()>()).unwrap();
            Ok(())
        });
        assert_eq!(fiber.start(), Err(Misuse::WouldPark));
        std::mem::forget(fiber);
    });
    assert!(!in_fiber());
    assert_eq!(run(|| wait(ready(1))).unwrap(), 1);
}

#[test]
fn co_and_the_functions_are_the_same_fiber() {
    fn by_co(co: &mut Co<'_, u8, u8, ()>) -> Result<u8, Thrown<()>> {
        let first = co.yield_(1)?;
        Ok(first + suspend::<u8, u8>(2).map_err(|_| Thrown::Exit)?)
    }
    scope(|scope| {
        let mut fiber = scope.own(Fiber::new(by_co));
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
        assert_eq!(fiber.send(3), Ok(Outcome::Yielded(2)));
        assert_eq!(fiber.send(4), Ok(Outcome::Returned(7)));
    });
}
