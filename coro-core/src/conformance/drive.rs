//! The laws of typed coroutines on the loop: driven ones, and async generators.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use super::setting::{MakeLoop, log, reports, secs};
use super::{Do, Flavour, Script, Step, Subject, Trace};
use crate::coroutine::{AsyncGenerator, Input, Misuse, Outcome, State, Thrown};
use crate::event_loop::EventLoop;
use crate::time::{Time, sleep};

/// A coroutine that doubles what it is sent, waiting a second each time.
fn doubler<F: Flavour>() -> Subject<i64, i64, i64, &'static str> {
    let mut sent = 0;
    F::coroutine(Script::new(move |step| match step {
        Step::Begin | Step::Woken | Step::Ended(_) => Do::Yield(2 * sent),
        Step::Sent(value) if value < 0 => Do::ret(value),
        Step::Sent(13) => panic!("planted"),
        Step::Sent(value) => {
            sent = value;
            Do::Wait(Box::pin(sleep(secs(1))))
        }
        Step::Thrown(thrown) => Do::End(Err(thrown)),
    }))
}

/// Each send through the loop is a request, each yield its answer, in order.
pub fn drive_answers_in_order<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let driven = event_loop.drive(doubler::<F>());
    let main = event_loop.spawn(async move {
        assert_eq!(driven.state(), State::Created);
        assert_eq!(driven.start().await, Ok(Outcome::Yielded(0)));
        // Two requests at once: served one after the other.
        let (first, second) = (driven.send(1), driven.send(2));
        assert_eq!(second.await, Ok(Outcome::Yielded(4)));
        assert_eq!(first.await, Ok(Outcome::Yielded(2)));
        assert_eq!(driven.send(-1).await, Ok(Outcome::Returned(-1)));
        assert_eq!(driven.state(), State::Finished);
    });
    event_loop.run_until_complete(main).unwrap();
}

/// What the contract refuses by hand, it refuses through the loop, with the same values handed back.
pub fn drive_hands_back_what_the_contract_refuses<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let driven = event_loop.drive(doubler::<F>());
    let main = event_loop.spawn(async move {
        assert_eq!(driven.send(5).await, Err(Misuse::NotStarted(5)));
        assert_eq!(driven.start().await, Ok(Outcome::Yielded(0)));
        assert_eq!(driven.start().await, Err(Misuse::NoInput));
        assert_eq!(driven.throw("e").await, Ok(Outcome::Raised(Thrown::Error("e"))));
        assert_eq!(driven.send(6).await, Err(Misuse::Finished(Some(6))));
        assert_eq!(driven.close().await, Ok(None));
    });
    event_loop.run_until_complete(main).unwrap();
}

/// A body that panics leaves nobody waiting: the request is answered, and the panic reported.
pub fn drive_survives_a_panic_of_the_body<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let reported = reports(&event_loop);
    let driven = event_loop.drive(doubler::<F>());
    let main = event_loop.spawn(async move {
        assert_eq!(driven.start().await, Ok(Outcome::Yielded(0)));
        let (fatal, queued) = (driven.send(13), driven.send(14));
        assert_eq!(fatal.await, Err(Misuse::Finished(None)));
        assert_eq!(queued.await, Err(Misuse::Finished(Some(14))));
        assert_eq!(driven.send(15).await, Err(Misuse::Finished(Some(15))));
    });
    event_loop.run_until_complete(main).unwrap();
    reported.expect(&["Task-1 never retrieved: the task panicked: planted"]);
}

/// Dropping the handle ends the coroutine, after the requests that were made.
pub fn a_dropped_handle_ends_the_driven_coroutine<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (log, held) = (trace.clone(), trace.on_drop("ended"));
    let driven = event_loop.drive(F::coroutine::<i64, (), (), ()>(Script::new(move |step| {
        let _held = &held;
        if let Step::Sent(value) = step {
            log.log(format!("sent {value}"));
        }
        Do::Yield(())
    })));
    let main = event_loop.spawn(async move {
        driven.start().await.unwrap();
        let answers = [driven.send(1), driven.send(2)];
        drop(driven);
        for answer in answers {
            assert_eq!(answer.await, Ok(Outcome::Yielded(())));
        }
        sleep(secs(1)).await;
    });
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["sent 1", "sent 2", "ended"]);
    assert!(event_loop.all_tasks().is_empty());
}

/// The body waits on the loop between request and answer; others run meanwhile.
pub fn drive_lets_the_body_wait<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let driven = event_loop.drive(doubler::<F>());
    let (asker, other) = (trace.clone(), trace.clone());
    event_loop.call_later(Duration::from_millis(500), log(&other, "meanwhile"));
    let main = event_loop.spawn(async move {
        driven.start().await.unwrap();
        asker.log("asks");
        driven.send(1).await.unwrap();
        asker.log("answered");
    });
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["asks", "meanwhile", "answered"]);
}

/// An async generator yields items and waits between them.
pub fn an_async_generator_waits_and_yields<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let main = event_loop.spawn(async move {
        let mut generator = AsyncGenerator::new(doubler::<F>());
        assert_eq!(generator.start().await, Ok(Outcome::Yielded(0)));
        assert_eq!(generator.send(4).await, Ok(Outcome::Yielded(8)));
        assert_eq!(generator.close().await, Ok(None));
        assert_eq!(generator.state(), State::Finished);
    });
    event_loop.run_until_complete(main).unwrap();
    if event_loop.driver_name() == "simulated" {
        assert_eq!(event_loop.time(), Time::ZERO + secs(1));
    }
}

/// A send while another is in progress is refused; a close lands where the body waits.
pub fn an_async_generator_refuses_a_second_send<F: Flavour>(make: MakeLoop<'_>) {
    let event_loop = make();
    let main = event_loop.spawn(async move {
        let mut generator = AsyncGenerator::new(doubler::<F>());
        generator.start().await.unwrap();
        {
            // Begun, and dropped in the middle.
            let mut sending = generator.send(4);
            let begun = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut sending).poll(cx).is_pending()));
            assert!(begun.await);
        }
        assert_eq!(generator.send(5).await, Err(Misuse::Running(Some(Input::Send(5)))));
        assert_eq!(generator.close().await, Ok(None));
    });
    event_loop.run_until_complete(main).unwrap();
}

/// Yields for ever. When it is asked to end it waits, and then ends like `end`.
fn unending<F: Flavour>(
    name: &'static str,
    trace: &Trace,
    end: fn() -> Do<(), u32, (), &'static str>,
) -> AsyncGenerator<Subject<(), u32, (), &'static str>> {
    let (log, held, mut item) = (trace.clone(), trace.on_drop(name), 0);
    AsyncGenerator::new(F::coroutine(Script::new(move |step| {
        let _held = &held;
        match step {
            Step::Begin | Step::Sent(()) => {
                item += 1;
                Do::Yield(item)
            }
            Step::Thrown(thrown) => {
                log.log(format!("{name}: {thrown:?}"));
                Do::Wait(Box::pin(sleep(secs(1))))
            }
            Step::Woken | Step::Ended(()) => {
                log.log(format!("{name}: cleaned up"));
                end()
            }
        }
    })))
}

/// One that is dropped half-way is closed by its loop, its waits included; its dropper goes on at once.
pub fn a_dropped_async_generator_is_closed_by_the_loop<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let log = trace.clone();
    let main = event_loop.spawn(async move {
        let mut generator = unending::<F>("gen", &log, || Do::ret(()));
        assert_eq!(generator.next().await, Ok(Some(1)));
        drop(generator);
        log.log("dropped");
        sleep(secs(2)).await;
        log.log("main ends");
    });
    event_loop.run_until_complete(main).unwrap();
    trace.expect(&["dropped", "gen: Exit", "gen: cleaned up", "gen", "main ends"]);
    assert!(event_loop.all_tasks().is_empty());
}

/// What is left at the end of a run is closed before it returns: dropped with main, held by a task that is cancelled,
/// or alive outside. What has not begun, or has ended, is not.
pub fn a_run_closes_the_async_generators_that_are_left<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let begun = |name| {
        async move |log: Trace| {
            let mut generator = unending::<F>(name, &log, || Do::ret(()));
            generator.next().await.unwrap();
            generator
        }
    };
    let outside = Rc::new(RefCell::new(None));
    let (log, place) = (trace.clone(), Rc::clone(&outside));
    let main = async move {
        let in_task = begun("task")(log.clone()).await;
        hold_in_a_task(in_task);
        let _unborn = unending::<F>("unborn", &log, || Do::ret(()));
        let mut ended = begun("ended")(log.clone()).await;
        ended.throw("e").await.unwrap();
        place.replace(Some(begun("outside")(log.clone()).await));
        let _last = begun("main")(log.clone()).await;
        sleep(Duration::ZERO).await;
        log.log("main ends");
    };
    event_loop.run(main).unwrap();
    trace.expect(&[
        "ended: Error(\"e\")",
        "ended: cleaned up",
        "ended",
        "main ends",
        "unborn",
        "main: Exit",
        "task: Exit",
        "main: cleaned up",
        "main",
        "task: cleaned up",
        "task",
        "outside: Exit",
        "outside: cleaned up",
        "outside",
    ]);
    let mut left = outside.take().unwrap();
    assert_eq!(left.state(), State::Finished);
    let sent = Future::poll(
        std::pin::pin!(left.send(())),
        &mut std::task::Context::from_waker(std::task::Waker::noop()),
    );
    assert_eq!(sent, Poll::Ready(Err(Misuse::Finished(Some(())))));
    assert!(left.into_inner().is_none());
}

fn hold_in_a_task(held: impl Sized + 'static) {
    crate::native::spawn(async move {
        let _held = held;
        std::future::pending::<()>().await;
    })
    .detach();
}

/// A close for which nobody waits reports its failure.
pub fn a_failed_finalisation_is_reported<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let reported = reports(&event_loop);
    let log = trace.clone();
    let main = async move {
        let ends = [|| Do::raise("late"), || Do::Yield(9), || panic!("planted")];
        for end in ends {
            unending::<F>("gen", &log, end).next().await.unwrap();
        }
    };
    event_loop.run(main).unwrap();
    let ignored = crate::coroutine::MisuseKind::IgnoredExit;
    let ignored = format!("Task-3 never retrieved: {ignored}");
    let panicked = "Task-4 never retrieved: the task panicked: planted";
    reported.expect(&["cleanup: late", &ignored, panicked]);
}

/// Without a loop, or when that is closed, dropping it drops the body.
pub fn outside_a_loop_a_dropped_async_generator_is_dropped<F: Flavour>(make: MakeLoop<'_>) {
    let trace = Trace::new();
    let mut generator = unending::<F>("by hand", &trace, || Do::ret(())).into_inner().unwrap();
    assert_eq!(generator.start(), Ok(Outcome::Yielded(1)));
    drop(AsyncGenerator::new(generator));
    trace.expect(&["by hand"]);

    // A stopped loop has it closed in its next run; one that is closed instead drops it, and says so.
    let event_loop = make();
    let reported = reports(&event_loop);
    let log = trace.clone();
    let main = event_loop.spawn(async move {
        let mut generator = unending::<F>("left", &log, || Do::ret(()));
        generator.next().await.unwrap();
        generator
    });
    drop(event_loop.run_until_complete(main).unwrap());
    trace.expect(&[]);
    event_loop.close().unwrap();
    trace.expect(&["left"]);
    reported.expect(&["Task-2 destroyed"]);
}
