//! A fiber that is dropped: its stack is unwound at once, whatever it does, and wherever that is. Run under the address
//! sanitizer.

mod unwinding_common;

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Mutex;

use coro_core::coroutine::Shared;
use coro_core::prelude::*;
use coro_core::sync::Lock;
use coro_fiber::{Co, Fiber, Options, Scope, ScopedFiber, WaitError, in_fiber, on_fiber, scope, wait};
use unwinding_common::{Count, ENDLESS, Guard};

type Units<'brand> = ScopedFiber<'brand, (), (), (), ()>;

/// A fiber that has yielded, and has something on its stack.
fn suspended<'brand>(scope: Scope<'brand>, count: &Count) -> Units<'brand> {
    let guard = count.guard();
    let mut fiber = scope.fiber(move |co: &mut Co<'_, (), (), ()>| {
        let _guard = guard;
        co.yield_(())
    });
    assert_eq!(fiber.start(), Ok(Outcome::Yielded(())));
    fiber
}

fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|payload| (*payload.downcast_ref::<&str>().unwrap()).to_string())
}

#[test]
fn whatever_state_it_is_in_what_it_holds_is_dropped_once() {
    let count = Count::default();
    scope(|scope| {
        let guard = count.guard();
        drop(scope.fiber::<(), (), (), ()>(move |_| {
            let _guard = guard;
            unreachable!("it was never resumed")
        }));
        assert_eq!(count.get(), 1, "created");

        drop(suspended(scope, &count));
        assert_eq!(count.get(), 2, "at a yield");

        let guard = count.guard();
        let mut waits = scope.fiber::<(), (), (), ()>(move |co| {
            let _guard = guard;
            co.wait(pending())
        });
        assert_eq!(waits.start(), Err(Misuse::WouldPark));
        drop(waits);
        assert_eq!(count.get(), 3, "at a wait");

        let (guard, sub) = (count.guard(), count.guard());
        let mut delegates = scope.fiber::<(), (), (), ()>(move |co| {
            let _guard = guard;
            co.yield_from(Fiber::new(move |co| {
                let _sub = sub;
                co.yield_(())
            }))
        });
        assert_eq!(delegates.start(), Ok(Outcome::Yielded(())));
        drop(delegates);
        assert_eq!(count.get(), 5, "at a delegation");

        let mut finished = suspended(scope, &count);
        assert_eq!(finished.send(()), Ok(Outcome::Returned(())));
        drop(finished);
        assert_eq!(count.get(), 6, "finished");

        let guard = count.guard();
        let mut panics = scope.fiber::<(), (), (), ()>(move |_| {
            let _guard = guard;
            panic!("planted")
        });
        assert_eq!(caught(|| panics.start()), Err("planted".to_string()));
        drop(panics);
        assert_eq!(count.get(), 7, "panicked");

        let reserved = Options::new().on_fiber({
            let guard = count.guard();
            move || drop(guard)
        });
        drop(reserved);
        drop(Options::new().reserve_on_fiber({
            let guard = count.guard();
            move || drop(guard)
        }));
        assert_eq!(count.get(), 9, "created, with its stack");
    });
}

#[test]
fn a_body_that_drops_a_handle_to_its_own_fiber_runs_on() {
    type Slot<'brand> = Rc<RefCell<Option<Shared<Units<'brand>>>>>;
    let count = Count::default();
    scope(|scope| {
        let (slot, guard) = (Slot::default(), count.guard());
        let own = Rc::clone(&slot);
        let mut fiber = Shared::new(scope.fiber(move |co: &mut Co<'_, (), (), ()>| {
            let _guard = guard;
            drop(own.take());
            co.yield_(())
        }));
        slot.replace(Some(fiber.clone()));
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(())));
        assert_eq!(count.get(), 0);
        drop(fiber);
        assert_eq!(count.get(), 1);
    });
}

/// Drops a fiber when it is dropped itself.
struct DropsIn<T>(Option<T>, &'static str, Rc<RefCell<Vec<&'static str>>>);

impl<T> Drop for DropsIn<T> {
    fn drop(&mut self) {
        drop(self.0.take());
        self.2.borrow_mut().push(self.1);
    }
}

#[test]
fn it_is_unwound_at_once_inside_another_fiber_while_that_is_unwound_and_during_a_panic() {
    let (count, log) = (Count::default(), Rc::default());
    scope(|scope| {
        // In the body of another, which then goes on.
        let inner = suspended(scope, &count);
        let mut outer = scope.fiber::<(), bool, (), ()>(move |co| {
            drop(inner);
            co.yield_(std::thread::panicking())?;
            Ok(())
        });
        assert_eq!(outer.start(), Ok(Outcome::Yielded(false)));
        assert_eq!(count.get(), 1);

        // In a destructor on the stack of another, which is being unwound.
        let inner = suspended(scope, &count);
        let guard = DropsIn(Some(inner), "unwound", Rc::clone(&log));
        let mut outer = scope.fiber::<(), (), (), ()>(move |co| {
            let _guard = guard;
            co.yield_(())
        });
        outer.start().unwrap();
        drop(outer);
        assert_eq!(count.get(), 2);

        // A body that does not let itself be unwound, during a panic.
        let mut endless = scope.fiber::<(), (), (), ()>(|co| {
            ENDLESS[0](co);
            Ok(())
        });
        endless.start().unwrap();
        let guard = DropsIn(Some(endless), "leaked", Rc::clone(&log));
        let outcome = caught(move || {
            let _guard = guard;
            panic!("planted")
        });
        assert_eq!(outcome, Err::<(), _>("planted".to_string()));

        // During a panic, on the thread's stack and on that of a fiber.
        let guard = DropsIn(Some(suspended(scope, &count)), "panicked", Rc::clone(&log));
        let planted = Err("planted".to_string());
        assert_eq!(
            caught(move || {
                let _guard = guard;
                panic!("planted")
            }),
            planted
        );
        let guard = DropsIn(Some(suspended(scope, &count)), "panicked in a fiber", Rc::clone(&log));
        let mut panics = scope.fiber::<(), (), (), ()>(move |_| {
            let _guard = guard;
            panic!("planted")
        });
        assert_eq!(caught(|| panics.start().map(|_| ())), planted.map(Ok));
        assert_eq!(count.get(), 4);
    });
    assert_eq!(*log.borrow(), ["unwound", "leaked", "panicked", "panicked in a fiber"]);
    assert!(!std::thread::panicking() && !in_fiber());
}

#[test]
fn a_body_that_catches_the_unwinding_and_returns_has_ended() {
    let (count, value) = (Count::default(), Count::default());
    scope(|scope| {
        let (guard, returned) = (count.guard(), value.guard());
        let mut fiber = scope.fiber::<(), (), Guard, ()>(move |co| {
            let _guard = guard;
            let caught = catch_unwind(AssertUnwindSafe(|| co.yield_(())));
            assert!(caught.is_err() && !std::thread::panicking());
            // It gets no further than to be refused.
            assert_eq!(co.yield_(()), Err(Thrown::Exit));
            assert_eq!(co.wait(ready(7)), Ok(7));
            assert!(matches!(wait(pending::<()>()), Err(WaitError::Unwinding)));
            Ok(returned)
        });
        assert!(matches!(fiber.start(), Ok(Outcome::Yielded(()))));
        drop(fiber);
    });
    assert_eq!((count.get(), value.get()), (1, 1));
}

#[test]
fn a_body_that_catches_the_unwinding_and_panics_panics_in_the_drop() {
    scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(|co| {
            let _: Result<_, _> = catch_unwind(AssertUnwindSafe(|| co.yield_(())));
            panic!("planted")
        });
        fiber.start().unwrap();
        assert_eq!(caught(|| drop(fiber)), Err("planted".to_string()));
        assert!(!std::thread::panicking());
    });
}

#[test]
fn destructors_may_ask_to_wait_as_often_as_there_are_any() {
    struct Asks(Count);
    impl Drop for Asks {
        fn drop(&mut self) {
            assert!(matches!(wait(pending::<()>()), Err(WaitError::Unwinding)));
            self.0.set(self.0.get() + 1);
        }
    }
    let count = Count::default();
    let many: Vec<_> = (0..5_000).map(|_| Asks(count.clone())).collect();
    scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(move |co| {
            let _many = many;
            co.yield_(())
        });
        fiber.start().unwrap();
    });
    assert_eq!(count.get(), 5_000);
}

#[test]
fn a_lock_of_ours_that_is_held_is_free_afterwards_and_one_of_std_is_poisoned() {
    let (ours, of_std) = (Rc::new(Lock::new(())), Rc::new(Mutex::new(())));
    let (held, std_held) = (Rc::clone(&ours), Rc::clone(&of_std));
    let event_loop = Loop::simulated();
    event_loop
        .run(async move {
            let mut holds = on_fiber(move || {
                let _ours = wait(held.lock());
                let _of_std = std_held.lock();
                wait(pending::<()>())
            });
            assert!(futures::poll!(&mut holds).is_pending());
            assert!(ours.try_lock().is_err());
            drop(holds);
            assert!(ours.try_lock().is_ok());
            assert!(of_std.is_poisoned());
        })
        .unwrap();
}

#[test]
fn one_that_was_suspended_during_a_panic_is_asked_to_end_instead() {
    /// Resumes a fiber when it is dropped, and keeps it.
    struct Resumes<'a, 'brand>(&'a RefCell<Option<ScopedFiber<'brand, (), (), (), ()>>>);
    impl Drop for Resumes<'_, '_> {
        fn drop(&mut self) {
            self.0.borrow_mut().as_mut().unwrap().start().unwrap();
        }
    }
    let count = Count::default();
    scope(|scope| {
        for resumed_since in [false, true] {
            let (guard, refused) = (count.guard(), count.clone());
            let kept = RefCell::new(Some(scope.fiber::<(), (), (), ()>(move |co| {
                let _guard = guard;
                if co.yield_(()) == Ok(()) {
                    co.yield_(()).inspect_err(|_| refused.set(refused.get() + 100))?;
                }
                // It came here through the error, and was not unwound.
                refused.set(refused.get() + 10);
                Ok(())
            })));
            assert!(
                caught(|| {
                    let _resumes = Resumes(&kept);
                    panic!("planted")
                })
                .is_err()
            );
            let mut fiber = kept.take().unwrap();
            if resumed_since {
                // Without a panic there is no doubt.
                fiber.send(()).unwrap();
            }
            drop(fiber);
        }
    });
    assert_eq!(count.get(), 12);
}

#[test]
fn all_of_it_may_be_forgotten() {
    let count = Count::default();
    std::mem::forget(on_fiber(|| ()));
    scope(|scope| {
        std::mem::forget(suspended(scope, &count));
        let guard = count.guard();
        let mut fiber = scope.fiber::<(), Infallible, (), ()>(move |_| {
            let _guard = guard;
            // What is on its stack is forgotten with it.
            let mut inner = on_fiber(|| wait(pending::<()>()));
            let polled = wait(std::future::poll_fn(|cx| {
                std::task::Poll::Ready(std::pin::Pin::new(&mut inner).poll(cx).is_pending())
            }));
            assert!(polled.unwrap());
            wait(inner).unwrap().unwrap();
            Ok(())
        });
        assert_eq!(fiber.start(), Err(Misuse::WouldPark));
        std::mem::forget(fiber);
    });
    let event_loop = Loop::simulated();
    let guard = count.guard();
    let main = coro_fiber::task(move |_| {
        std::mem::forget(coro_fiber::spawn(move |co| {
            let _guard = guard;
            co.wait(pending::<()>())
        }));
        coro_fiber::yield_now()?;
        Ok(())
    });
    let task = event_loop.spawn(main);
    event_loop.run_until_complete(task).unwrap();
    std::mem::forget(event_loop);
    assert_eq!(count.get(), 0);
    // A thread that has forgotten a fiber ends.
    std::thread::spawn(|| scope(|scope| std::mem::forget(suspended(scope, &Count::default()))))
        .join()
        .unwrap();
    assert_eq!(Loop::simulated().run(coro_fiber::task(|_| Ok(7))).unwrap(), 7);
}
