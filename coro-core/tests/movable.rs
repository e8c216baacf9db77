//! Coroutines that go to another thread while they are suspended. Run under Miri.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;

use coro_core::backend::Plain;
use coro_core::native;
use coro_core::prelude::*;

#[test]
fn a_coroutine_goes_on_where_it_is_on_another_thread() {
    let mut sum = native::new::<u32, u32, u32, (), _>(async |co| {
        let mut sum = 0;
        while sum < 10 {
            sum += co.yield_(sum).await?;
        }
        Ok(sum)
    });
    assert_eq!(sum.start(), Ok(Outcome::Yielded(0)));
    for _ in 0..3 {
        sum = thread::spawn(move || {
            sum.send(3).unwrap();
            sum
        })
        .join()
        .unwrap();
    }
    assert_eq!(sum.state(), State::Suspended);
    assert_eq!(sum.send(3), Ok(Outcome::Returned(12)));
}

#[test]
fn a_chain_goes_as_a_whole() {
    let inner = native::new::<(), u32, u32, (), _>(async |co| {
        co.yield_from(Plain(1..3)).await?;
        co.yield_(3).await?;
        Ok(4)
    });
    let outer = native::new::<(), u32, u32, (), _>(async move |co| co.yield_from(inner).await);
    let (give, take) = mpsc::channel();
    let mut chain = outer;
    assert_eq!(chain.start(), Ok(Outcome::Yielded(1)));
    thread::spawn(move || {
        assert_eq!(chain.delegates().len(), 2);
        assert_eq!(chain.next(), Ok(Outcome::Yielded(2)));
        give.send(chain).unwrap();
    })
    .join()
    .unwrap();
    let mut chain = take.recv().unwrap();
    assert_eq!(chain.next(), Ok(Outcome::Yielded(3)));
    assert_eq!(chain.next(), Ok(Outcome::Returned(4)));
}

#[test]
fn a_suspended_coroutine_is_dropped_on_another_thread() {
    let (dropped, drops) = mpsc::channel();
    let mut held = native::new::<(), (), (), (), _>(async move |co| {
        let _tell = Tell(dropped);
        co.yield_(()).await
    });
    assert_eq!(held.start(), Ok(Outcome::Yielded(())));
    let other = thread::spawn(move || {
        drop(held);
        thread::current().id()
    });
    assert_eq!(other.join().unwrap(), drops.recv().unwrap());
}

struct Tell(mpsc::Sender<thread::ThreadId>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.send(thread::current().id()).unwrap();
    }
}

#[test]
fn a_thread_of_the_body_may_suspend_it() {
    let mut lends = native::new::<u32, u32, u32, (), _>(async |co| {
        {
            let mut point = co.yield_(1);
            thread::scope(|threads| {
                let polled =
                    || Pin::new(&mut point).poll(&mut Context::from_waker(Waker::noop())).is_pending();
                assert!(threads.spawn(polled).join().unwrap());
            });
            assert_eq!(point.await, Ok(2));
        }
        let sub = || native::new::<u32, u32, u32, (), _>(async |co| co.yield_(3).await);
        let mut delegation = Box::pin(co.yield_from(sub()));
        thread::scope(|threads| {
            let polled = || delegation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
            assert!(threads.spawn(polled).join().unwrap());
        });
        delegation.await
    });
    assert_eq!(lends.start(), Ok(Outcome::Yielded(1)));
    assert_eq!(lends.send(2), Ok(Outcome::Yielded(3)));
    assert_eq!(lends.send(4), Ok(Outcome::Returned(4)));
}

#[test]
fn erasing_the_type_keeps_the_coroutine_where_it_is() {
    let mut counter = native::new::<u32, u32, u32, (), _>(async |co| {
        let more = co.yield_(1).await?;
        co.yield_(1 + more).await
    });
    assert_eq!(counter.start(), Ok(Outcome::Yielded(1)));
    let mut counter = counter.boxed();
    assert_eq!(counter.send(1), Ok(Outcome::Yielded(2)));
    assert_eq!(counter.send(7), Ok(Outcome::Returned(7)));
}
