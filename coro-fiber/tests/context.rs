//! Context variables in fibers: what is entered on a stack stays with it.

use coro_core::context::{Context, ContextVar};
use coro_core::prelude::*;
use coro_fiber::{Fiber, TaskCo, scope, spawn};

static NUMBER: ContextVar<u32> = ContextVar::with_default("number", || 0);

fn number() -> u32 {
    NUMBER.get().unwrap()
}

/// Sets the number, and shows it each time that it is resumed.
fn showing(first: u32) -> Fiber<(), (u32, u32), ()> {
    Fiber::new(move |co| {
        let inherited = number();
        NUMBER.set(first);
        loop {
            co.yield_((inherited, number()))?;
        }
    })
}

fn next<C: Coroutine<Send = ()>>(coroutine: &mut C) -> C::Yield {
    coroutine.next().ok().and_then(Outcome::yielded).unwrap()
}

#[test]
fn a_fiber_that_is_resumed_by_hand_keeps_its_own_across_switches() {
    scope(|scope| {
        NUMBER.set(1);
        let mut first = scope.own(showing(10));
        let mut second = scope.own(showing(20));
        assert_eq!(next(&mut first), (1, 10));
        NUMBER.set(2);
        assert_eq!(next(&mut second), (2, 20));
        assert_eq!((next(&mut first), next(&mut second), number()), ((1, 10), (2, 20), 2));
    });
}

#[test]
fn a_fiber_that_begins_without_values_keeps_them_from_the_one_that_resumes_it() {
    scope(|scope| {
        let mut first = scope.own(showing(10));
        assert_eq!((next(&mut first), number()), ((0, 10), 0));
        NUMBER.set(3);
        assert_eq!((next(&mut first), number()), ((0, 10), 3));
    });
}

#[test]
fn a_context_that_a_fiber_is_suspended_in_is_that_of_the_fiber_only() {
    let shown = coro_fiber::run(|co| {
        let entered = Context::new();
        let inner = entered.clone();
        let child = spawn(move |co: &mut TaskCo<'_>| {
            let inside = inner.run(|| {
                NUMBER.set(5);
                co.wait(yield_now())?;
                Ok::<_, coro_core::Thrown<TaskError>>(number())
            })?;
            Ok((inside, number()))
        });
        NUMBER.set(1);
        co.wait(yield_now())?;
        // The child waits in it now.
        let meanwhile = number();
        Ok((co.wait(child)??, meanwhile, entered.get(&NUMBER)))
    });
    assert_eq!(shown.unwrap(), ((5, 0), 1, Some(5)));
}

#[test]
fn a_fiber_that_is_delegated_to_is_a_part_of_its_task() {
    let shown = coro_fiber::run(|co| {
        let sub = Fiber::<(), std::convert::Infallible, (), TaskError>::new(|co| {
            co.wait(yield_now())?;
            NUMBER.set(7);
            Ok(())
        });
        NUMBER.set(1);
        co.yield_from(sub)?;
        Ok(number())
    });
    assert_eq!(shown.unwrap(), 7);
}

#[test]
fn a_task_in_a_fiber_that_is_begun_eagerly_has_its_own() {
    let shown = coro_fiber::run(|co| {
        NUMBER.set(1);
        let context = Context::copy();
        let child = context.run(|| {
            NUMBER.set(2);
            let child = coro_fiber::task(|co| {
                let inherited = number();
                NUMBER.set(3);
                co.wait(yield_now())?;
                Ok((inherited, number()))
            });
            coro_core::task::Builder::new().eager(true).spawn(child)
        });
        let after = (context.get(&NUMBER), number());
        Ok((co.wait(child)??, after))
    });
    assert_eq!(shown.unwrap(), ((2, 3), (Some(2), 1)));
}

#[test]
fn what_a_context_holds_is_let_go_when_its_fiber_is_unwound() {
    use std::rc::Rc;

    static HELD: ContextVar<Rc<()>> = ContextVar::new("held");

    let held = Rc::new(());
    scope(|scope| {
        let inner = Rc::clone(&held);
        let mut fiber = scope.fiber::<(), (), (), ()>(move |co| {
            Context::new().run(|| {
                HELD.set(inner);
                co.yield_(())
            })
        });
        next(&mut fiber);
        assert_eq!(Rc::strong_count(&held), 2);
    });
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(HELD.get().is_none());
}
