//! A wait that is interrupted puts things in order first, in each flavour: that of a condition locks again.

use std::cell::Cell;
use std::rc::Rc;

use coro_core::conformance::Trace;
use coro_core::coroutine::Interrupted;
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_core::sync::Condition;
use coro_fiber::Fiber;
use coro_gen::Gen;

type Spawn = fn(&Loop, Condition<u32>, Trace) -> JoinHandle<u32>;

/// Tasks that wait to be notified, and work under the lock when they are not.
const FLAVOURS: [(&str, Spawn); 3] = [
    ("native", |event_loop, condition, trace| {
        event_loop.spawn(Native::new(async move |co| {
            let held = co.wait(condition.lock()).await?;
            let Interrupted { thrown, output } = match co.settle(held.wait()).await {
                Ok(held) => return Ok(*held),
                Err(interrupted) => interrupted,
            };
            let mut held = output.expect("it could wait");
            co.wait(yield_now()).await?;
            *held += 1;
            trace.log(format!("{thrown}: {}", *held));
            Err(thrown)
        }))
    }),
    ("generator", |event_loop, condition, trace| {
        event_loop.spawn(Gen::new(async move |co| {
            let held = co.wait(condition.lock()).await?;
            let Interrupted { thrown, output } = match co.settle(held.wait()).await {
                Ok(held) => return Ok(*held),
                Err(interrupted) => interrupted,
            };
            let mut held = output.expect("it could wait");
            co.wait(yield_now()).await?;
            *held += 1;
            trace.log(format!("{thrown}: {}", *held));
            Err(thrown)
        }))
    }),
    ("fiber", |event_loop, condition, trace| {
        event_loop.spawn(Fiber::new(move |co| {
            let held = co.wait(condition.lock())?;
            let Interrupted { thrown, output } = match co.settle(held.wait()) {
                Ok(held) => return Ok(*held),
                Err(interrupted) => interrupted,
            };
            let mut held = output.expect("it could wait");
            co.wait(yield_now())?;
            *held += 1;
            trace.log(format!("{thrown}: {}", *held));
            Err(thrown)
        }))
    }),
];

#[test]
fn a_cancelled_wait_has_the_lock_again_and_cleanup_may_wait_under_it() {
    for (flavour, spawn) in FLAVOURS {
        let (event_loop, trace, condition) = (Loop::simulated(), Trace::new(), Condition::new(0));
        let task = spawn(&event_loop, condition.clone(), trace.clone());
        let (told, again) = (trace.clone(), condition.clone());
        let main = event_loop.spawn(async move {
            yield_now().await;
            let held = again.try_lock().unwrap();
            for _ in 0..2 {
                assert!(task.cancel());
                yield_now().await;
                yield_now().await;
                assert!(!task.is_done(), "{flavour}");
            }
            told.log("released");
            drop(held);
            let ended = task.await;
            assert!(matches!(ended, Err(TaskError::Cancelled)), "{flavour}: {ended:?}");
        });
        event_loop.run_until_complete(main).unwrap();
        trace.expect(&["released", "the task was cancelled: 1"]);
        assert_eq!(*condition.try_lock().unwrap(), 1, "{flavour}");
    }
}

#[test]
fn a_notified_wait_has_the_lock_again() {
    for (flavour, spawn) in FLAVOURS {
        let (event_loop, trace, condition) = (Loop::simulated(), Trace::new(), Condition::new(0));
        let task = spawn(&event_loop, condition.clone(), trace.clone());
        let main = event_loop.spawn(async move {
            yield_now().await;
            let mut held = condition.try_lock().unwrap();
            *held = 7;
            held.notify(1);
            drop(held);
            task.await.unwrap()
        });
        assert_eq!(event_loop.run_until_complete(main).unwrap(), 7, "{flavour}");
    }
}

/// Nobody would wake it, so that it would be told for ever: it gives up, and what it had is let go of.
#[test]
fn where_nothing_can_be_awaited_there_is_no_output() {
    let condition = Condition::new(0);
    let seen = Rc::new(Cell::new(0));
    let (waited, saw) = (condition.clone(), Rc::clone(&seen));
    let mut by_hand = Gen::<(), (), ()>::new(async move |co| {
        let held = waited.try_lock().unwrap();
        let interrupted = co.settle(held.wait()).await.unwrap_err();
        assert!(interrupted.output.is_none());
        saw.set(saw.get() + 1);
        Err(interrupted.into())
    });
    assert!(by_hand.start().is_ok_and(|outcome| matches!(outcome, Outcome::Raised(Thrown::Misuse(_)))));
    assert_eq!(seen.get(), 1);
    assert!(condition.try_lock().is_ok());

    // While a fiber is unwound, every wait of a destructor fails at once.
    struct Waits<'a, 'b>(&'a mut coro_fiber::TaskCo<'b>, Condition<u32>, Rc<Cell<u32>>);
    impl Drop for Waits<'_, '_> {
        fn drop(&mut self) {
            let held = self.1.try_lock().unwrap();
            let interrupted = self.0.settle(held.wait()).unwrap_err();
            self.2.set(self.2.get() + u32::from(interrupted.output.is_none()));
        }
    }
    let (waited, saw) = (condition.clone(), Rc::clone(&seen));
    let event_loop = Loop::simulated();
    let task = event_loop.spawn(Fiber::new(move |co| {
        let waits = Waits(co, waited, saw);
        waits.0.wait(std::future::pending::<()>())?;
        Ok(())
    }));
    event_loop.stop();
    event_loop.run_forever().unwrap();
    drop((task, event_loop));
    assert_eq!(seen.get(), 2);
    assert!(condition.try_lock().is_ok());
}
