//! Fibers that are there when their thread ends, in its locals: each is unwound then, on its stack, in any order of the
//! locals. (What a stack refers to may be gone by then: see `hole.rs`.) Run under the address sanitizer.

use std::any::Any;
use std::cell::RefCell;
use std::future::pending;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Waker};

use coro_core::prelude::*;
use coro_fiber::{Fiber, Options, WaitError, in_fiber, on_fiber, scope, scope_async, wait};

thread_local! {
    static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Says what it finds when it is dropped.
struct Tells(&'static str, Sender<String>);

impl Drop for Tells {
    fn drop(&mut self) {
        let waited = match wait(pending::<()>()) {
            Err(WaitError::Unwinding) => "unwound",
            Err(WaitError::Outside) => "outside",
            other => unreachable!("{other:?}"),
        };
        self.1.send(format!("{}: {waited}, in a fiber: {}", self.0, in_fiber())).unwrap();
    }
}

fn poll(future: &mut (impl Future + Unpin)) {
    assert!(Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// A loop with two fibers, one of which waits in the other one's delegation.
fn suspended_loop(tell: &Sender<String>) -> Loop {
    let event_loop = Loop::simulated();
    let waits = Tells("task", tell.clone());
    let (outer, inner) = (Tells("delegating", tell.clone()), Tells("delegated to", tell.clone()));
    event_loop
        .spawn(coro_fiber::task(move |co| {
            let _waits = waits;
            co.wait(pending::<()>())
        }))
        .detach();
    event_loop
        .spawn(coro_fiber::task(move |co| {
            let _outer = outer;
            co.yield_from(coro_fiber::task(move |_| {
                let _inner = inner;
                Ok(wait(pending::<()>())?)
            }))
        }))
        .detach();
    event_loop.run_until_complete(event_loop.spawn(yield_now())).unwrap();
    event_loop
}

/// Keeps fibers in every state in a local of this thread.
fn keep(tell: &Sender<String>) {
    let tells = |name| Tells(name, tell.clone());
    let (created, reserved) = (tells("created"), tells("reserved"));
    let (suspended, scoped) = (tells("suspended"), tells("scoped"));

    let mut future = on_fiber(move || {
        let _suspended = suspended;
        wait(pending::<()>())
    });
    poll(&mut future);
    let mut in_scope = Box::pin(scope_async(async move |scope| {
        let mut fiber = AsyncGenerator::scoped(scope.fiber::<(), (), (), ()>(move |co| {
            let _scoped = scoped;
            co.wait(pending::<()>())
        }));
        let _: Result<_, _> = fiber.start().await;
    }));
    poll(&mut in_scope);
    let mut over = on_fiber(|| ());
    assert!(Pin::new(&mut over).poll(&mut Context::from_waker(Waker::noop())).is_ready());

    let created = Fiber::<(), (), Tells, ()>::new(move |_| Ok(created));
    let reserved = Options::new().reserve::<(), (), Tells, (), _>(move |_| Ok(reserved));
    let event_loop = suspended_loop(tell);
    KEPT.with_borrow_mut(|kept| {
        kept.extend([
            Box::new(future) as Box<dyn Any>,
            Box::new(in_scope),
            Box::new(over),
            Box::new(created),
            Box::new(reserved.unwrap()),
            Box::new(event_loop),
        ]);
    });
}

/// What is told by a thread that keeps fibers and ends, in what order is not ours.
fn told(body: impl FnOnce(&Sender<String>) + Send + 'static) -> Vec<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || body(&tell)).join().unwrap();
    let mut told: Vec<_> = told.try_iter().collect();
    told.sort();
    told
}

const UNWOUND: [&str; 7] = [
    "created: outside, in a fiber: false",
    "delegated to: unwound, in a fiber: true",
    "delegating: unwound, in a fiber: true",
    "reserved: outside, in a fiber: false",
    "scoped: unwound, in a fiber: true",
    "suspended: unwound, in a fiber: true",
    "task: unwound, in a fiber: true",
];

#[test]
fn all_are_unwound_each_on_its_stack_if_the_pool_of_stacks_is_still_there() {
    // The locals of a thread go in the order in which they were first used, the last one first.
    let seen = told(|tell| {
        drop(on_fiber(|| ()));
        scope(|scope| scope.fiber::<(), (), (), ()>(|_| Ok(())).start().unwrap());
        keep(tell);
    });
    assert_eq!(seen, UNWOUND);
}

#[test]
fn all_are_unwound_each_on_its_stack_if_the_pool_of_stacks_is_gone() {
    let seen = told(|tell| {
        KEPT.with(|_| ());
        keep(tell);
    });
    assert_eq!(seen, UNWOUND);
}
