//! The engine underneath is genawaiter, once for each resume.

use coro_core::prelude::*;
use coro_core::stats::{Flavour, counts};
use coro_gen::Gen;

/// Whether the poll of genawaiter is among the callers of the body. Debug builds only: an optimiser may inline it away.
fn runs_on_genawaiter() -> bool {
    std::backtrace::Backtrace::force_capture().to_string().contains("genawaiter::core::Advance")
}

#[test]
fn every_resume_is_a_resume_of_genawaiter() {
    let before = counts(Flavour::Generator);
    let mut seen = Gen::<(), bool, bool>::new(async |co| {
        co.yield_(runs_on_genawaiter()).await?;
        co.yield_(runs_on_genawaiter()).await?;
        Ok(runs_on_genawaiter())
    });
    let answers = [seen.next(), seen.next(), seen.next()].map(Result::unwrap);
    if cfg!(debug_assertions) {
        assert_eq!(answers, [Outcome::Yielded(true), Outcome::Yielded(true), Outcome::Returned(true)]);
    }
    drop(seen);
    let made = counts(Flavour::Generator) - before;
    assert_eq!((made.resumes, made.yields, made.parks), (3, 2, 0));
    assert_eq!(counts(Flavour::Native), counts(Flavour::Fiber));
}

#[test]
fn a_foreign_pending_is_a_misuse_and_the_body_keeps_its_place() {
    let (sender, receiver) = futures::channel::oneshot::channel::<u32>();
    let mut foreign = Gen::<(), u32, ()>::new(async |co| {
        let value = receiver.await.unwrap();
        co.yield_(value).await?;
        Ok(())
    });
    assert_eq!(foreign.start(), Err(Misuse::ForeignPending));
    assert_eq!(foreign.start(), Err(Misuse::ForeignPending));
    sender.send(5).unwrap();
    assert_eq!(foreign.start(), Ok(Outcome::Yielded(5)));
}

#[test]
fn a_foreign_pending_after_a_yield_is_the_same_misuse() {
    let mut foreign = Gen::<u32, u32, ()>::new(async |co| {
        co.yield_(1).await?;
        std::future::pending::<()>().await;
        Ok(())
    });
    assert_eq!(foreign.start(), Ok(Outcome::Yielded(1)));
    assert_eq!(foreign.send(0), Err(Misuse::ForeignPending));
    // Nothing in the body can receive a throw there: it ends the body.
    assert_eq!(foreign.close(), Ok(None));
    assert_eq!(foreign.state(), State::Finished);
}

#[test]
fn a_task_that_awaits_a_foreign_future_ends_with_advice() {
    let event_loop = Loop::simulated();
    let result = event_loop.run(coro_gen::task(async |_| {
        std::future::pending::<()>().await;
        Ok(())
    }));
    let advice = "the coroutine awaited a future of another engine: write co.wait(future) instead";
    assert_eq!(result.unwrap_err().to_string(), advice);
}

#[test]
fn a_yield_that_is_dropped_after_its_poll_hands_out_nothing() {
    use std::future::{Future, poll_fn};
    use std::task::Poll;

    let mut test = Gen::<u32, u32, ()>::new(async |co| {
        {
            let mut abandoned = std::pin::pin!(co.yield_(1));
            let pending = poll_fn(|cx| Poll::Ready(abandoned.as_mut().poll(cx).is_pending())).await;
            assert!(pending);
        }
        co.yield_(2).await?;
        Ok(())
    });
    assert_eq!(test.start(), Ok(Outcome::Yielded(2)));
    assert_eq!(test.send(0), Ok(Outcome::Returned(())));
}
