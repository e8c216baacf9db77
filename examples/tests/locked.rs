//! A guard is a local variable of a body, across its waits, in each flavour.

use coro_core::native;
use coro_core::prelude::*;
use coro_core::sync::{Lock, oneshot};

/// Adds to a number that another task must not touch meanwhile, three flavours at once.
#[test]
fn a_guard_is_held_across_waits() {
    let sum = Loop::simulated().run(async {
        let lock = Lock::new(0);
        let mut tasks = Vec::new();
        for _ in 0..10 {
            let of_native = lock.clone();
            tasks.push(native::spawn(async move {
                let mut number = of_native.lock().await;
                let before = *number;
                yield_now().await;
                *number = before + 1;
            }));
            let of_generator = lock.clone();
            tasks.push(coro_gen::spawn(async move |co| {
                let mut number = co.wait(of_generator.lock()).await?;
                let before = *number;
                co.wait(yield_now()).await?;
                *number = before + 1;
                Ok(())
            }));
            let of_fiber = lock.clone();
            tasks.push(coro_fiber::spawn(move |co| {
                let mut number = co.wait(of_fiber.lock())?;
                let before = *number;
                co.wait(yield_now())?;
                *number = before + 1;
                Ok(())
            }));
        }
        gather(tasks).await.unwrap();
        lock.try_lock().map(|number| *number)
    });
    assert_eq!(sum.unwrap(), Ok(30));
}

/// A value goes from flavour to flavour, and a cancelled one lets go of its lock.
#[test]
fn a_cancelled_body_lets_go_of_its_guard() {
    let free = Loop::simulated().run(async {
        let lock = Lock::new(());
        let (sender, receiver) = oneshot();
        let held = lock.clone();
        let holder = coro_fiber::spawn(move |co| {
            let guard = co.wait(held.lock())?;
            sender.send(held.is_locked()).unwrap();
            co.wait(std::future::pending::<()>())?;
            drop(guard);
            Ok(())
        });
        assert_eq!(receiver.await, Ok(true));
        assert!(lock.try_lock().is_err());
        holder.cancel();
        assert!(holder.await.is_err());
        lock.try_lock().is_ok()
    });
    assert!(free.unwrap());
}
