//! Fibers that are resumed by hand: what a scope allows, and what a fiber outside of one does.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro_core::coroutine::{FrameInfo, Shared};
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_core::stats::Flavour;
use coro_core::task::IntoTask;
use coro_fiber::{Co, Fiber, ScopedFiber, scope, scope_async};

/// Adds up what it is sent, up to a hundred.
fn sum(co: &mut Co<'_, u32, u32, &'static str>) -> Result<u32, Thrown<&'static str>> {
    let mut sum = 0;
    while sum < 100 {
        sum += co.yield_(sum)?;
    }
    Ok(sum)
}

/// Says when it is dropped.
struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_body_may_hold_a_handle_to_its_own_fiber() {
    type Slot<'brand> = Rc<RefCell<Option<Shared<ScopedFiber<'brand, u32, u32, String, ()>>>>>;
    let said = scope(|scope| {
        let slot: Slot<'_> = Rc::default();
        let own = Rc::clone(&slot);
        let mut fiber = Shared::new(scope.fiber(move |co| {
            let mut own = own.take().expect("it was put there");
            co.yield_(1)?;
            Ok(format!("{:?}, {:?}", own.send(7), own.state()))
        }));
        slot.replace(Some(fiber.clone()));
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
        fiber.send(0)
    });
    assert_eq!(said, Ok(Outcome::Returned("Err(Running(Some(Send(7)))), Running".to_string())));
}

#[test]
fn a_body_may_resume_the_fibers_that_it_holds() {
    let sent = scope(|scope| {
        let mut inner = scope.fiber(sum);
        let mut outer = scope.fiber::<u32, String, (), ()>(move |co| {
            let mut answer = format!("{:?}", inner.start());
            loop {
                let sent = co.yield_(answer)?;
                answer = format!("{:?}", inner.send(sent));
            }
        });
        [outer.start(), outer.send(40), outer.send(60), outer.send(1)]
            .map(|resumed| resumed.unwrap().yielded().unwrap())
    });
    assert_eq!(sent, ["Ok(Yielded(0))", "Ok(Yielded(40))", "Ok(Returned(100))", "Err(Finished(Some(1)))"]);
}

#[test]
fn a_panic_passes_through_a_hidden_body() {
    let dropped = Rc::new(Cell::new(0));
    let guard = Guard(Rc::clone(&dropped));
    scope(|scope| {
        let mut fiber = scope.fiber::<(), (), (), ()>(move |_| {
            let _held = &guard;
            panic!("planted")
        });
        let resumed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fiber.start()));
        assert_eq!(resumed.unwrap_err().downcast_ref(), Some(&"planted"));
        assert_eq!(fiber.state(), State::Finished);
    });
    assert_eq!(dropped.get(), 1);
}

#[test]
fn a_suspended_fiber_is_unwound_with_its_scope_and_a_new_one_dropped() {
    let dropped = Rc::new(Cell::new(0));
    scope(|scope| {
        let (held, unused) = (Guard(Rc::clone(&dropped)), Guard(Rc::clone(&dropped)));
        let mut fiber = scope.fiber::<(), u32, (), ()>(move |co| {
            let _held = held;
            co.yield_(1)
        });
        fiber.start().unwrap();
        drop(scope.fiber::<(), u32, (), ()>(move |co| {
            let _unused = unused;
            co.yield_(1)
        }));
        assert_eq!(dropped.get(), 1);
    });
    assert_eq!(dropped.get(), 2);
}

#[test]
fn a_fiber_that_was_begun_by_hand_can_be_delegated_to() {
    scope(|scope| {
        let mut sub = scope.own(Fiber::new(sum));
        assert_eq!(sub.start(), Ok(Outcome::Yielded(0)));
        assert_eq!(sub.send(1), Ok(Outcome::Yielded(1)));
        let mut fiber = scope.fiber(move |co| co.yield_from_started(sub, 2));
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(3)));
        let frames = fiber.delegates();
        let [
            FrameInfo { flavour: Some(Flavour::Fiber), name, made_at: Some(place), state: State::Suspended },
        ] = frames[..]
        else {
            panic!("{frames:?}");
        };
        assert!(name.ends_with("scope::sum"), "{name}");
        assert!(place.file().ends_with("scope.rs"), "{place}");
        assert_eq!(fiber.send(97), Ok(Outcome::Returned(100)));
    });
}

#[test]
fn a_new_fiber_is_delegated_to_by_every_flavour() {
    let mut native = Native::new(async |co| co.yield_from(Fiber::new(sum)).await);
    assert_eq!(native.start(), Ok(Outcome::Yielded(0)));
    assert_eq!(native.send(100), Ok(Outcome::Returned(100)));
    scope(|scope| {
        let mut fiber = scope.fiber(|co| co.yield_from(Fiber::new(sum)));
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(0)));
        assert_eq!(fiber.throw("stop"), Ok(Outcome::Raised(Thrown::Error("stop"))));
    });
}

#[test]
fn a_scope_may_await() {
    let event_loop = Loop::simulated();
    let items = event_loop.run(scope_async(async |scope| {
        let mut generator = AsyncGenerator::scoped(scope.fiber::<(), u32, (), ()>(|co| {
            for item in 1..4 {
                co.wait(sleep(Duration::from_secs(1)))?;
                co.yield_(item)?;
            }
            Ok(())
        }));
        let mut items = Vec::new();
        while let Some(item) = generator.next().await.unwrap() {
            items.push(item);
        }
        items
    }));
    assert_eq!(items.unwrap(), [1, 2, 3]);
    assert_eq!(event_loop.time().as_secs_f64(), 3.0);
}

#[test]
fn a_loop_runs_new_fibers_as_tasks_and_as_actors() {
    fn flavour<T: IntoTask>(_: &T) -> Option<Flavour> {
        T::FLAVOUR
    }
    let event_loop = Loop::simulated();
    let sums = event_loop.drive(Fiber::new(sum));
    let main = coro_fiber::task(move |co| {
        assert_eq!(sums.state(), State::Created);
        assert_eq!(co.wait(sums.start())?, Ok(Outcome::Yielded(0)));
        assert_eq!(co.wait(sums.send(99))?, Ok(Outcome::Yielded(99)));
        assert_eq!(co.wait(sums.send(1))?, Ok(Outcome::Returned(100)));
        Ok(sums.state())
    });
    assert_eq!((main.state(), flavour(&main)), (State::Created, Some(Flavour::Fiber)));
    assert_eq!(event_loop.run(main).unwrap(), State::Finished);
}

#[test]
fn a_new_fiber_may_be_kept_in_a_thread_local() {
    thread_local! {
        static KEPT: RefCell<Option<Fiber<u32, u32, u32, &'static str>>> = const { RefCell::new(None) };
    }
    let kept = std::thread::spawn(|| {
        KEPT.set(Some(Fiber::new(sum)));
        let fiber = KEPT.take().expect("it was put there");
        KEPT.set(Some(Fiber::new(sum)));
        scope(|scope| scope.own(fiber).start())
    });
    assert_eq!(kept.join().unwrap(), Ok(Outcome::Yielded(0)));
}

#[test]
fn a_loop_that_was_run_holds_no_suspended_fiber() {
    let dropped = Rc::new(Cell::new(0));
    let held = Guard(Rc::clone(&dropped));
    let event_loop = Loop::simulated();
    let main = coro_fiber::task(move |_| {
        coro_fiber::spawn(move |co| {
            let cancelled = co.wait(std::future::pending::<()>());
            // Nobody waits for what a cleanup spawns.
            coro_fiber::spawn(move |co| {
                let _held = held;
                co.wait(std::future::pending::<()>())
            })
            .detach();
            co.wait(yield_now())?;
            cancelled
        })
        .detach();
        Ok(())
    });
    event_loop.run(main).unwrap();
    assert_eq!(dropped.get(), 1);
    drop(event_loop);
}
