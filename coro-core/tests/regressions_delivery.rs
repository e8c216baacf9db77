//! Bugs that were in what is delivered where, each with the program that showed it. Run under Miri.

use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use coro_core::backend::IntoSub;
use coro_core::conformance::Trace;
use coro_core::coroutine::Resumed;
use coro_core::native::{Co, Native};
use coro_core::prelude::*;

type Body = Native<u32, u32, u32, &'static str>;

/// Pending the first time that it is polled.
async fn pending_once() {
    let mut polled = false;
    poll_fn(move |_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

/// Suspends at a `yield_` that is dropped as soon as the coroutine is resumed, before it takes the answer.
async fn turn_away(co: &mut Co<'_, u32, u32, &'static str>) {
    futures::future::select(pin!(pending_once()), pin!(co.yield_(1))).await;
}

fn poll(body: &mut Body, input: Option<Input<u32, &'static str>>) -> Poll<Resumed<Body>> {
    body.poll_resume(&mut Context::from_waker(Waker::noop()), input)
}

#[test]
fn an_error_that_was_thrown_at_a_point_that_is_gone_is_raised_at_the_next() {
    let mut waits = Body::new(async |co| {
        turn_away(co).await;
        assert_eq!(co.wait(ready(())).await, Err(Thrown::Error("late")));
        assert_eq!(co.wait(ready(())).await, Ok(()));
        co.yield_(2).await
    });
    assert_eq!(waits.start(), Ok(Outcome::Yielded(1)));
    assert_eq!(waits.throw("late"), Ok(Outcome::Yielded(2)));
    assert_eq!(waits.send(3), Ok(Outcome::Returned(3)));

    let mut yields = Body::new(async |co| {
        turn_away(co).await;
        pending_once().await;
        assert_eq!(co.yield_(2).await, Err(Thrown::Error("late")));
        co.yield_(3).await
    });
    assert_eq!(yields.start(), Ok(Outcome::Yielded(1)));
    assert_eq!(poll(&mut yields, Some(Input::Throw(Thrown::Error("late")))), Poll::Pending);
    assert_eq!(yields.start(), Ok(Outcome::Yielded(3)));
    assert_eq!(yields.send(4), Ok(Outcome::Returned(4)));

    let mut delegates = Body::new(async |co| {
        turn_away(co).await;
        let sub = Body::new(async |_| unreachable!("it never begins"));
        assert_eq!(co.yield_from(sub).await, Err(Thrown::Exit));
        Ok(5)
    });
    assert_eq!(delegates.start(), Ok(Outcome::Yielded(1)));
    assert_eq!(delegates.close(), Ok(Some(5)));
}

#[test]
fn a_value_that_was_sent_to_a_point_that_is_gone_is_delivered_at_no_other() {
    let mut body = Body::new(async |co| {
        turn_away(co).await;
        let mut point = pin!(co.yield_(2));
        for _ in 0..2 {
            assert!(poll_fn(|cx| Poll::Ready(point.as_mut().poll(cx).is_pending())).await);
        }
        point.await
    });
    assert_eq!(body.start(), Ok(Outcome::Yielded(1)));
    assert_eq!(body.send(8), Ok(Outcome::Yielded(2)));
    assert_eq!(body.send(9), Ok(Outcome::Returned(9)));
}

#[test]
fn what_a_sub_returned_is_for_its_own_delegation() {
    let mut body = Body::new(async |co| {
        let sub = |value| Body::new(async move |_| Ok(value));
        futures::future::select(pin!(pending_once()), pin!(co.yield_from(sub(1)))).await;
        let mut second = pin!(co.yield_from(sub(2)));
        for _ in 0..2 {
            assert!(poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_pending())).await);
        }
        second.await
    });
    assert_eq!(body.start(), Ok(Outcome::Returned(2)));
}

#[test]
fn a_chain_on_its_way_is_dropped_from_its_top() {
    let trace = Trace::new();
    let (outer, inner) = (trace.on_drop("outer"), trace.on_drop("inner"));
    let mut chain = Body::new(async move |co| {
        let _outer = outer;
        let sub = Body::new(async move |_| {
            let _inner = inner;
            pending().await
        });
        co.yield_from(sub).await
    });
    assert_eq!(poll(&mut chain, None), Poll::Pending);
    drop(chain.into_sub(None).unwrap());
    trace.expect(&["inner", "outer"]);
}
