//! The laws of typed coroutines on the loop: driven ones, and async generators.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use super::setting::{MakeLoop, log, reports, secs};
use super::{Do, Flavour, Script, Step, Trace};
use crate::coroutine::{AsyncGenerator, Input, Misuse, Outcome, State, Thrown};
use crate::event_loop::EventLoop;
use crate::time::{Time, sleep};

/// A coroutine that doubles what it is sent, waiting a second each time.
fn doubler<F: Flavour>() -> super::Subject<i64, i64, i64, &'static str> {
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
