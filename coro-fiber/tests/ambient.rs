//! Functions that find their fiber: where they do, where they do not, and what they say then. Run under the address
//! sanitizer.

mod ambient_common;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{pending, poll_fn, ready};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ambient_common::{AtDrop, Log, SECOND, run};
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_core::sync::Event;
use coro_core::task::Cancelled;
use coro_core::time;
use coro_fiber::{SuspendError, WaitError, in_fiber, scope, suspend, wait};

#[test]
fn wait_suspends_from_any_depth_and_from_callbacks_that_know_nothing() {
    let (items, elapsed) = run(|| {
        let begun = time::now();
        let mut items = [3, 1, 2];
        items.sort_by(|a, b| {
            coro_fiber::sleep(SECOND).unwrap();
            a.cmp(b)
        });
        Ok((items, time::now() - begun))
    })
    .unwrap();
    assert_eq!(items, [1, 2, 3]);
    assert!(elapsed >= 2 * SECOND, "{elapsed:?}");
}

#[test]
fn a_destructor_may_wait() {
    let elapsed = run(|| {
        let begun = time::now();
        drop(AtDrop(|| coro_fiber::sleep(SECOND).unwrap()));
        Ok(time::now() - begun)
    });
    assert_eq!(elapsed.unwrap(), SECOND);
}

#[test]
fn yield_now_lets_the_others_run() {
    let log: Log<&str> = Rc::default();
    let (own, other) = (Rc::clone(&log), Rc::clone(&log));
    run(move || {
        coro_fiber::spawn(move |_| {
            other.borrow_mut().push("other");
            Ok(())
        })
        .detach();
        own.borrow_mut().push("before");
        coro_fiber::yield_now()?;
        own.borrow_mut().push("after");
        Ok(())
    })
    .unwrap();
    assert_eq!(log.take(), ["before", "other", "after"]);
}

#[test]
fn a_cancellation_lands_in_the_wait() {
    let log: Log<String> = Rc::default();
    let own = Rc::clone(&log);
    let joined = Loop::simulated().run(async move {
        let task = coro_fiber::spawn(move |_| {
            let error = wait(pending::<()>()).unwrap_err();
            own.borrow_mut().push(format!("{error:?}"));
            // The cleanup may wait.
            coro_fiber::sleep(SECOND)?;
            Err::<(), _>(error.into())
        });
        yield_now().await;
        task.cancel();
        task.await
    });
    assert!(matches!(joined.unwrap(), Err(TaskError::Cancelled(_))));
    assert_eq!(log.take(), ["Cancelled(Cancelled)"]);
}

/// A fiber whose only wait ends with an error, and what it says.
fn thrown<E: 'static>(input: Input<(), E>) -> String {
    scope(|scope| {
        let mut fiber = scope.fiber::<(), Infallible, String, E>(|_| match wait(pending::<()>()) {
            Err(error) => Ok(format!("{error:?}: {error}")),
            Ok(()) => unreachable!(),
        });
        assert!(matches!(fiber.start(), Err(Misuse::WouldPark)));
        match fiber.resume(input) {
            Ok(Outcome::Returned(said)) => said,
            _ => unreachable!(),
        }
    })
}

#[test]
fn whatever_is_thrown_arrives_as_what_it_is() {
    let exit = "Exit: the coroutine was asked to exit";
    assert_eq!(thrown::<TaskError>(Input::Close), exit);
    assert_eq!(thrown::<()>(Input::Throw(Thrown::Exit)), exit);
    assert_eq!(
        thrown(Input::Throw(Thrown::Error(TaskError::from(Cancelled::new())))),
        "Cancelled(Cancelled): the task was cancelled"
    );
    assert_eq!(
        thrown(Input::Throw(Thrown::Error(TaskError::LoopClosed))),
        "Task(LoopClosed): the event loop was closed before the task ended"
    );
    assert!(thrown(Input::Throw(Thrown::Error(WaitError::Outside))).starts_with("Outside: "));
    let misuse = Thrown::Misuse(coro_core::coroutine::MisuseKind::NoInput);
    assert!(
        thrown::<()>(Input::Throw(misuse)).starts_with("Misuse(NoInput): the coroutine waits at a yield")
    );
    assert_eq!(
        thrown(Input::Throw(Thrown::Error(7_u8))),
        "Thrown(ThrownError(\"u8\")): an error of type u8 was thrown into the fiber"
    );
}

#[test]
fn an_error_of_the_programs_own_is_never_lost() {
    /// Neither `Send` nor `Debug`.
    struct Own(Rc<Cell<u32>>);
    impl Drop for Own {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let dropped = Rc::new(Cell::new(0));
    scope(|scope| {
        // Through code that knows only `io::Error`, and back.
        let mut fiber = scope.fiber::<(), Infallible, (), Own>(|_| {
            let error = io::Error::from(wait(pending::<()>()).unwrap_err());
            let error: WaitError = error.downcast().unwrap();
            let Err(error @ WaitError::Thrown(_)) = error.into_thrown::<u8>() else { unreachable!() };
            // Another thread finds nothing, and does no harm.
            let error = std::thread::spawn(|| match error.into_thrown::<Own>() {
                Ok(_) => unreachable!(),
                Err(error) => error,
            });
            Err(error.join().unwrap().into_thrown().unwrap())
        });
        assert!(matches!(fiber.start(), Err(Misuse::WouldPark)));
        let Ok(Outcome::Raised(Thrown::Error(own))) = fiber.throw(Own(Rc::clone(&dropped))) else {
            unreachable!()
        };
        assert_eq!(dropped.get(), 0);
        drop(own);
        assert_eq!(dropped.get(), 1);

        let mut careless = scope.fiber::<(), Infallible, (), Own>(|_| {
            let _: WaitError = wait(pending::<()>()).unwrap_err();
            Ok(())
        });
        assert!(matches!(careless.start(), Err(Misuse::WouldPark)));
        assert!(matches!(careless.throw(Own(Rc::clone(&dropped))), Ok(Outcome::Returned(()))));
        assert_eq!(dropped.get(), 2);
    });
}

#[test]
fn what_cannot_be_a_task_error_is_carried_in_one() {
    let TaskError::Other(other) = TaskError::from(wait(ready(1)).unwrap_err()) else { unreachable!() };
    assert!(matches!(other.get_ref().downcast_ref(), Some(WaitError::Outside)));
    assert!(other.to_string().contains("coro_fiber::on_fiber()"), "{other}");
    assert!(matches!(TaskError::from(WaitError::Unwinding), TaskError::Cancelled(_)));
    assert!(matches!(Thrown::<TaskError>::from(WaitError::Exit), Thrown::Exit));
    assert!(matches!(TaskError::from(WaitError::Task(TaskError::LoopClosed)), TaskError::LoopClosed));
    let cancelled = || WaitError::Cancelled(Cancelled::new());
    assert!(matches!(cancelled().into_thrown::<u8>(), Err(WaitError::Cancelled(_))));
    assert!(matches!(cancelled().into_thrown(), Ok(Thrown::Error(TaskError::Cancelled(_)))));
}

#[test]
fn outside_a_fiber_nothing_is_polled_and_nothing_lost() {
    let polled = Cell::new(false);
    let mut future = pin!(async {
        polled.set(true);
        7
    });
    assert!(!in_fiber());
    assert!(matches!(wait(future.as_mut()), Err(WaitError::Outside)));
    assert!(!polled.get());
    assert_eq!(run(|| wait(ready(7))).unwrap(), 7);
    let SuspendError::Outside(value) = suspend::<(), _>("kept".to_string()).unwrap_err() else {
        unreachable!()
    };
    assert_eq!(value, "kept");
}

#[test]
fn a_callback_in_another_thread_is_told_that_there_is_no_fiber() {
    let said = run(|| {
        assert!(in_fiber());
        Ok(std::thread::spawn(|| matches!(wait(ready(())), Err(WaitError::Outside))).join().unwrap())
    });
    assert!(said.unwrap());
}

#[test]
fn the_body_of_another_flavour_is_told_that_there_is_no_fiber() {
    let outside = |waited: Result<(), WaitError>| assert!(matches!(waited, Err(WaitError::Outside)));
    // A task of the same loop, while a fiber waits for it.
    run(move || {
        wait(Loop::current().unwrap().spawn(async move { outside(wait(ready(()))) })).map(Result::unwrap)
    })
    .unwrap();
    // What a fiber delegates to is not on its stack.
    scope(|scope| {
        let mut fiber = scope.fiber::<(), u32, (), ()>(move |co| {
            co.yield_from(Native::new(async move |co| {
                outside(wait(ready(())));
                co.yield_(1).await
            }))
        });
        assert_eq!(fiber.start(), Ok(Outcome::Yielded(1)));
        // Between two resumes there is none either.
        outside(wait(ready(())));
        assert_eq!(fiber.send(()), Ok(Outcome::Returned(())));
    });
}

#[test]
fn a_wait_in_a_future_that_the_fiber_waits_for_suspends_the_fiber() {
    let elapsed = Loop::simulated().run(coro_fiber::task(|co| {
        let begun = time::now();
        co.wait(async {
            coro_fiber::sleep(SECOND).unwrap();
            sleep(SECOND).await;
            wait(async {
                coro_fiber::sleep(SECOND).unwrap();
            })
            .unwrap();
        })?;
        Ok(time::now() - begun)
    }));
    assert_eq!(elapsed.unwrap(), 3 * SECOND);
}

/// Polls both, in this order, until both are ready.
async fn both(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut ready = (false, false);
    poll_fn(|cx| {
        ready.0 = ready.0 || first.as_mut().poll(cx).is_ready();
        ready.1 = ready.1 || second.as_mut().poll(cx).is_ready();
        if ready == (true, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn no_wake_up_is_lost_that_comes_while_a_poll_waits() {
    // The event is set after one second, while the other branch waits in its poll for two; after that the fiber has
    // nothing to do for ten.
    async fn branches(event: Rc<Event>) -> Duration {
        let begun = time::now();
        let seen = Cell::new(Duration::ZERO);
        let notices = async {
            event.wait().await;
            seen.set(time::now() - begun);
        };
        let blocks = async {
            coro_fiber::sleep(2 * SECOND).unwrap();
            sleep(10 * SECOND).await;
        };
        both(notices, blocks).await;
        seen.get()
    }
    for through_co in [true, false] {
        let seen = Loop::simulated().run(coro_fiber::task(move |co| {
            let event = Rc::new(Event::new());
            let later = Rc::clone(&event);
            Loop::current().unwrap().call_later(SECOND, move || later.set());
            Ok(if through_co { co.wait(branches(event))? } else { wait(branches(event))? })
        }));
        assert_eq!(seen.unwrap(), 2 * SECOND);
    }
}

#[test]
fn a_destructor_of_a_dropped_fiber_gets_what_is_ready_and_waits_for_nothing() {
    let log: Log<String> = Rc::default();
    let own = Rc::clone(&log);
    scope(|scope| {
        let mut fiber = scope.fiber::<u8, u8, (), ()>(move |co| {
            let _guard = AtDrop(move || {
                let mut log = own.borrow_mut();
                log.push(format!("{:?}", wait(ready(7))));
                log.push(format!("{:?}", wait(pending::<()>())));
                log.push(format!("{:?}", suspend::<u8, u8>(9)));
            });
            co.yield_(1)?;
            Ok(())
        });
        fiber.start().unwrap();
    });
    assert_eq!(log.take(), ["Ok(7)", "Err(Unwinding)", "Err(Unwinding(9))"]);
}

#[test]
fn a_destructor_of_a_panicking_body_waits_for_nothing() {
    let refused = Rc::new(Cell::new(false));
    let seen = Rc::clone(&refused);
    let ran = run::<()>(move || {
        let _guard = AtDrop(|| seen.set(matches!(coro_fiber::yield_now(), Err(WaitError::Unwinding))));
        panic!("planted")
    });
    assert!(matches!(ran, Err(RunError::Task(TaskError::Panicked(_)))), "{ran:?}");
    assert!(refused.get());
}

#[test]
fn a_thread_that_ends_is_in_no_fiber() {
    type Guard = AtDrop<Box<dyn FnMut()>>;
    thread_local! {
        static AT_EXIT: RefCell<Option<Guard>> = const { RefCell::new(None) };
    }
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let guard: Box<dyn FnMut()> =
            Box::new(move || tell.send(wait(ready(())).unwrap_err().to_string()).unwrap());
        AT_EXIT.set(Some(AtDrop(guard)));
        run(|| coro_fiber::sleep(SECOND)).unwrap();
    })
    .join()
    .unwrap();
    assert!(told.recv().unwrap().starts_with("waited outside a fiber"));
}
