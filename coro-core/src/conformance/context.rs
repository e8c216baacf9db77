//! The laws of context variables.

use std::any::Any;
use std::rc::Rc;

use super::setting::{MakeLoop, log, run, turns};
use super::{Flavour, Trace, plan};
use crate::context::{Context, ContextVar};
use crate::event_loop::EventLoop;
use crate::task::{Builder, from_coroutine};
use crate::time::yield_now;

static NUMBER: ContextVar<i64> = ContextVar::with_default("number", || 0);
static HELD: ContextVar<Rc<dyn Any>> = ContextVar::new("held");

fn number() -> i64 {
    NUMBER.get().unwrap_or(-1)
}

fn set(value: i64) -> impl FnOnce() + 'static {
    move || drop(NUMBER.set(value))
}

/// Logs the number, as it is then.
fn show(trace: &Trace, name: &'static str) -> impl FnOnce() + 'static {
    let trace = trace.clone();
    move || trace.log(format!("{name} {}", number()))
}

/// Rule 44: a task has a copy of the context of its spawn, and keeps it across its suspensions.
pub fn a_task_copies_its_context_at_creation<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let child = |trace: &Trace, own: i64, name: &'static str| {
        let begins = plan().call(show(trace, name)).wait(yield_now).call(set(own));
        begins.wait(yield_now).call(show(trace, name)).wait(yield_now).call(show(trace, name))
    };
    let (first, second) = (child(&trace, 10, "first"), child(&trace, 20, "second"));
    let inner = event_loop.clone();
    let main = plan().call(move || {
        NUMBER.set(1);
        first.spawn::<F>(&inner).detach();
        NUMBER.set(2);
        second.spawn::<F>(&inner).detach();
        NUMBER.set(3);
    });
    run::<F>(&event_loop, main.then(turns(4)).call(show(&trace, "main"))).unwrap();
    assert_eq!(number(), 0, "the thread has a context of its own");
    trace.expect(&["first 1", "second 2", "first 10", "second 20", "first 10", "second 20", "main 3"]);
}

/// Rule 44, rule 10: a callback has a copy of the context in which it was scheduled.
pub fn a_callback_has_the_context_of_its_scheduling<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let (inner, again) = (event_loop.clone(), trace.clone());
    let done = event_loop.create_future();
    let setting = done.clone();
    let main = plan().call(move || {
        NUMBER.set(1);
        inner.call_soon(show(&again, "soon"));
        inner.call_later(std::time::Duration::ZERO, show(&again, "later"));
        let show_done = show(&again, "done");
        done.add_done_callback(move |_| show_done());
        let (late, show_late) = (inner.create_future(), show(&again, "late"));
        late.set_result(()).unwrap();
        late.add_done_callback(move |_| show_late());
        NUMBER.set(2);
        let show_end = show(&again, "end");
        let task = plan().spawn::<F>(&inner);
        task.add_done_callback(move |_| show_end());
        let show_result = show(&again, "result");
        task.on_done(move |_| show_result());
        NUMBER.set(3);
        let changed = inner.clone();
        let nested = show(&again, "nested");
        inner.call_soon(move || {
            NUMBER.set(4);
            changed.call_soon(nested);
        });
    });
    let main = main.wait(yield_now).call(set(5)).call(move || setting.set_result(()).unwrap());
    run::<F>(&event_loop, main.then(turns(3)).call(show(&trace, "main"))).unwrap();
    let mut shown = trace.take();
    // When a timer of no time is due is for another law.
    shown.sort();
    assert_eq!(shown, ["done 1", "end 2", "late 1", "later 1", "main 5", "nested 4", "result 2", "soon 1"]);
}

/// A context of one's own: for a function, and for a task, which then shares it.
pub fn a_context_is_run_in_or_given_to_a_task<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let context = Context::new();
    context.run(set(1));
    let (given, inner) = (context.clone(), event_loop.clone());
    let child = plan().call(show(&trace, "child")).call(set(2)).wait(yield_now);
    let shows = [show(&trace, "in it"), show(&trace, "out of it")];
    let main = plan().call(move || {
        NUMBER.set(7);
        let child = from_coroutine(F::coroutine(child.into_script()));
        Builder::new().context(given.clone()).spawn_on(&inner, child).detach();
        let [in_it, out_of_it] = shows;
        given.run(in_it);
        out_of_it();
    });
    run::<F>(&event_loop, main.wait(yield_now).call(show(&trace, "main"))).unwrap();
    trace.expect(&["in it 1", "out of it 7", "child 1", "main 7"]);
    assert_eq!((context.get(&NUMBER), number()), (Some(2), 0));
}

/// What is entered where a loop is run, or where an eager task begins, is not the context of the tasks.
pub fn tasks_are_not_in_what_is_around_the_loop<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let context = Context::new();
    context.run(set(1));
    let (inner, around) = (event_loop.clone(), context.clone());
    let (early, late) = (show(&trace, "eager"), show(&trace, "eager again"));
    let eager = plan().call(early).call(set(5)).wait(yield_now).call(late);
    let main = plan().call(show(&trace, "main")).call(set(2)).call(move || {
        around.run(|| {
            NUMBER.set(3);
            let eager = from_coroutine(F::coroutine(eager.into_script()));
            Builder::new().eager(true).spawn_on(&inner, eager).detach();
        });
    });
    let main = main.wait(yield_now).call(show(&trace, "main again")).spawn::<F>(&event_loop);
    context.run(|| event_loop.run_until_complete(main)).unwrap();
    trace.expect(&["main 0", "eager 3", "eager again 5", "main again 2"]);
    assert_eq!((context.get(&NUMBER), number()), (Some(3), 0));
}

/// A token undoes what one set did, in its own context only.
pub fn a_token_resets_in_its_own_context<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let inner = event_loop.clone();
    let again = trace.clone();
    let main = plan().call(move || {
        let token = NUMBER.set(1);
        let (told, log) = (again.clone(), again.clone());
        let child = plan().call(move || {
            let wrong = NUMBER.reset(token).unwrap_err();
            told.log(format!("child {}, {}", number(), wrong.token.had_value()));
        });
        child.spawn::<F>(&inner).detach();
        let second = NUMBER.set(2);
        assert!(second.had_value());
        NUMBER.reset(second).unwrap();
        log.log(format!("main {}", number()));
    });
    run::<F>(&event_loop, main.wait(yield_now)).unwrap();
    trace.expect(&["main 1", "child 1, false"]);
}

/// The values of a task are let go when it has ended, whoever has its handle.
pub fn a_context_goes_with_its_task<F: Flavour>(make: MakeLoop<'_>) {
    let (event_loop, trace) = (make(), Trace::new());
    let held = trace.on_drop("let go");
    let task = plan().call(move || drop(HELD.set(Rc::new(held)))).wait(yield_now).call(log(&trace, "ends"));
    let task = task.spawn::<F>(&event_loop);
    run::<F>(&event_loop, turns(3).call(log(&trace, "later"))).unwrap();
    trace.expect(&["ends", "let go", "later"]);
    assert!(task.is_done() && task.context().is_empty());
}
