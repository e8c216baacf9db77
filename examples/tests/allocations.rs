//! How often memory is taken, exactly. The engines underneath take what is said here as well: genawaiter none where it is on
//! a shelf, corosensei none beside its stack.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use coro_core::backend::{IntoSub, Plain};
use coro_core::native::{self, Native};
use coro_core::prelude::*;
use coro_core::sync::{Lock, oneshot};
use coro_fiber::{Fiber, scope};
use coro_gen::Gen;

/// The body of the stackless flavours: the same tokens, each time with a type of its own.
macro_rules! adder {
    () => {
        async |co| {
            let mut sum = 0;
            loop {
                sum += co.yield_(sum).await?;
            }
        }
    };
}

/// That of a fiber.
fn adder_from(co: &mut coro_fiber::Co<'_, u64, u64, ()>, mut sum: u64) -> Result<(), Thrown<()>> {
    loop {
        sum += co.yield_(sum)?;
    }
}

/// How often `run` takes memory. What it makes is dropped afterwards.
fn allocations<T>(run: impl FnOnce() -> T) -> u64 {
    let mut made = None;
    let taken = measure(|| made = Some(run())).count_total;
    drop(made);
    taken
}

/// How often memory is taken by making a coroutine, by a thousand resumes, and by dropping it suspended; after one of the same
/// type, for whose size the arena of the thread has a piece of memory since.
fn life<C>(make: impl Fn() -> C) -> [u64; 3]
where
    C: Coroutine<Send = u64, Yield = u64, Return = (), Error = ()>,
{
    drop(make());
    let mut made = None;
    let create = measure(|| made = Some(make()));
    let mut coroutine = made.unwrap();
    let run = measure(|| {
        assert_eq!(coroutine.start(), Ok(Outcome::Yielded(0)));
        for sum in 1..=1_000 {
            assert_eq!(coroutine.send(1), Ok(Outcome::Yielded(sum)));
        }
    });
    let end = measure(|| drop(coroutine));
    [create, run, end].map(|taken| taken.count_total)
}

#[test]
fn native() {
    assert_eq!(life(|| native::new(adder!())), [1, 0, 0]);
    // It stays on its thread, where there is an arena.
    assert_eq!(life(|| Native::new(adder!())), [0, 0, 0]);
    assert_eq!(life(|| native::new(adder!()).boxed()), [1, 0, 0]);
    assert_eq!(allocations(|| Box::pin(async { 1 })), 1, "bare");
}

#[test]
fn generator() {
    assert_eq!(life(|| coro_gen::new(adder!())), [0, 0, 0]);
    assert_eq!(life(|| Gen::new(adder!())), [0, 0, 0]);
    let bare = || genawaiter::rc::Gen::<u64, u64, _>::new(|co| async move { co.yield_(0).await });
    assert_eq!(allocations(bare), 2, "bare, boxed");
}

/// The end of one that is suspended unwinds its stack, for which the language takes memory. Under corosensei alone what
/// it is unwound with is in a box besides.
#[test]
fn fiber() {
    scope(|scope| {
        // The first gives its stack to the others.
        _ = scope.own(Fiber::<(), (), ()>::new(|_| Ok(()))).start();
        assert_eq!(life(|| scope.own(Fiber::new(|co| adder_from(co, 0)))), [1, 0, 1]);
        assert_eq!(life(|| scope.fiber(|co| adder_from(co, 0))), [1, 0, 1]);
        // A body of the scope is in a box that hides its types. That above is empty.
        let first = black_box(0);
        assert_eq!(
            life(|| scope.own(Fiber::new(move |co| co.yield_(first).and_then(|_| adder_from(co, 1))))),
            [1, 0, 1]
        );
        assert_eq!(
            life(|| scope.fiber(move |co| co.yield_(first).and_then(|_| adder_from(co, 1)))),
            [2, 0, 1]
        );
    });
    let stack = corosensei::stack::DefaultStack::default();
    let mut bare = None;
    let create = measure(|| {
        bare = Some(corosensei::Coroutine::<u64, u64, (), _>::with_stack(stack, |switch, _| {
            _ = switch.suspend(0)
        }));
    });
    _ = bare.as_mut().unwrap().resume(0);
    let end = measure(|| drop(bare));
    assert_eq!([create, end].map(|taken| taken.count_total), [0, 2], "bare");
}

/// What a thousand delegations to the subs of `make` take, of which each returns at once.
fn delegations<C: IntoSub<(), u64, ()> + 'static>(make: impl Fn() -> C + 'static) -> u64 {
    drop(make());
    let mut delegator = native::borrowing::<(), u64, (), (), _>(async |co| {
        co.yield_(0).await?;
        for _ in 0..1_000 {
            co.yield_from(make()).await?;
        }
        co.yield_(1).await?;
        Ok(())
    });
    assert_eq!(delegator.start(), Ok(Outcome::Yielded(0)));
    measure(|| assert_eq!(delegator.send(()), Ok(Outcome::Yielded(1)))).count_total
}

/// One for the frame besides those of the sub, and once that of the chain.
#[test]
fn delegation() {
    assert_eq!(delegations(|| native::new::<_, _, (), _, _>(async |_| Ok(()))), 2_001);
    assert_eq!(delegations(|| Native::new(async |_| Ok(()))), 1_001);
    assert_eq!(delegations(|| coro_gen::new::<_, _, (), _, _>(async |_| Ok(()))), 1_001);
    assert_eq!(delegations(|| Gen::new(async |_| Ok(()))), 1_001);
    _ = scope(|scope| scope.own(Fiber::<(), (), ()>::new(|_| Ok(()))).start());
    assert_eq!(delegations(|| Fiber::new(|_| Ok(()))), 2_001);
    assert_eq!(delegations(|| Plain(0..0)), 1_001);
}

/// Nothing for a task that waits, once the line has been as long. A line that is new takes two, its nodes and their list; the
/// waker of another library takes one each time.
#[test]
fn waiting_in_a_line() {
    let (queue, lock) = (Queue::new(1), Lock::new(0));
    let round = move |cx: &mut Context<'_>| {
        let (mut get, held) = (queue.get(), lock.try_lock().unwrap());
        let mut waits = lock.lock();
        assert!(Pin::new(&mut get).poll(cx).is_pending() && Pin::new(&mut waits).poll(cx).is_pending());
        drop(held);
        queue.put_nowait(1).unwrap();
        assert!(Pin::new(&mut get).poll(cx).is_ready() && Pin::new(&mut waits).poll(cx).is_ready());
    };
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(allocations(|| round(&mut cx)), 7);
    assert_eq!(allocations(|| (0..1_000).for_each(|_| round(&mut cx))), 2_000);
    let run = Loop::simulated()
        .run(poll_fn(move |cx| Poll::Ready(allocations(|| (0..1_000).for_each(|_| round(cx))))));
    assert_eq!(run.unwrap(), 0);
    assert_eq!(allocations(oneshot::<u64>), 1);
}
