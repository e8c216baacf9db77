//! A wait that is interrupted puts things in order first, in each flavour: that of a condition locks again.

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

fn on_both_loops() -> impl Iterator<Item = (Loop, (&'static str, Spawn))> {
    let make = || [Loop::simulated(), Loop::new().unwrap()];
    FLAVOURS.into_iter().flat_map(move |flavour| make().map(|event_loop| (event_loop, flavour)))
}

/// Rule 33.
#[test]
fn a_cancelled_wait_has_the_lock_again_and_cleanup_may_wait_under_it() {
    for (event_loop, (flavour, spawn)) in on_both_loops() {
        let (trace, condition) = (Trace::new(), Condition::new(0));
        let task = spawn(&event_loop, condition.clone(), trace.clone());
        let (told, again) = (trace.clone(), condition.clone());
        let main = event_loop.spawn(async move {
            yield_now().await;
            let held = again.try_lock().unwrap();
            for message in ["first", "last"] {
                assert!(task.cancel_with(message));
                yield_now().await;
                yield_now().await;
                assert!(!task.is_done(), "{flavour}");
            }
            told.log("released");
            drop(held);
            let ended = task.await;
            assert!(matches!(ended, Err(TaskError::Cancelled(_))), "{flavour}: {ended:?}");
        });
        event_loop.run_until_complete(main).unwrap();
        trace.expect(&["released", "the task was cancelled: last: 1"]);
        assert_eq!(*condition.try_lock().unwrap(), 1, "{flavour}");
    }
}

#[test]
fn a_notified_wait_has_the_lock_again() {
    for (event_loop, (flavour, spawn)) in on_both_loops() {
        let (trace, condition) = (Trace::new(), Condition::new(0));
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
