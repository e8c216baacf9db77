//! The laws of delegation: D1–D9 of Python's `yield from`.
//!
//! D6 (a thrown Exit is re-raised as the same object) says nothing here: Exit has no identity.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::coroutine::{Fault, Gate, Test, body, yielded};
use super::{Do, Flavour, Script, Step, Subject, Trace};
use crate::backend::Plain;
use crate::coroutine::{
    CloseError, Coroutine, CoroutineExt, Input, Misuse, MisuseKind, Outcome, Shared, State, Thrown,
};

/// Yields what it is sent, from `first` on; logs what is thrown, and lets it out.
fn echo<F: Flavour>(name: &'static str, first: i64, trace: &Trace) -> Test {
    let (log, held) = (trace.clone(), trace.on_drop(name));
    body::<F>(move |_, step| {
        let _held = &held;
        match step {
            Step::Begin => Do::Yield(first),
            Step::Sent(value) if value < 0 => Do::ret(-value),
            Step::Sent(value) => Do::Yield(value),
            Step::Thrown(thrown) => {
                log.log(format!("{name}: {thrown:?}"));
                Do::raise_thrown(thrown)
            }
            step => unreachable!("{step:?}"),
        }
    })
}

/// Delegates to `sub`, logs how that ended, and ends likewise; the value is increased by one.
fn delegator<F: Flavour>(name: &'static str, sub: Test, trace: &Trace) -> Test {
    let (log, held, mut sub) = (trace.clone(), trace.on_drop(name), Some(sub));
    body::<F>(move |_, step| {
        let _held = &held;
        match step {
            Step::Begin => Do::delegate(sub.take().expect("it begins once")),
            Step::Ended(value) => {
                log.log(format!("{name}: ended with {value}"));
                Do::ret(value + 1)
            }
            Step::Thrown(thrown) => {
                log.log(format!("{name}: {thrown:?}"));
                Do::raise_thrown(thrown)
            }
            step => unreachable!("{step:?}"),
        }
    })
}

fn three<F: Flavour>(trace: &Trace) -> Test {
    let middle = delegator::<F>("middle", echo::<F>("inner", 1, trace), trace);
    delegator::<F>("outer", middle, trace)
}

/// Yields and sends pass through every level, and the returns come back level by level.
pub fn d1_d2_values_pass_through_and_returns_come_back<F: Flavour>() {
    let trace = Trace::new();
    let mut test = three::<F>(&trace);
    assert_eq!(test.start(), yielded(1));
    for value in [5, 0, 7] {
        assert_eq!(test.send(value), yielded(value));
    }
    assert_eq!(test.send(-40), Ok(Outcome::Returned(42)));
    assert_eq!(test.state(), State::Finished);
    trace.expect(&["inner", "middle: ended with 40", "middle", "outer: ended with 41", "outer"]);
}

/// The sub's error is raised at the expression.
pub fn d3_the_error_of_the_sub_is_raised_at_the_expression<F: Flavour>() {
    let trace = Trace::new();
    let inner = body::<F>(|_, _| Do::raise(Fault("inner")));
    let mut test = delegator::<F>("outer", inner, &trace);
    assert_eq!(test.start(), Ok(Outcome::Raised(Thrown::Error(Fault("inner")))));
    trace.expect(&["outer: Error(Fault(\"inner\"))", "outer"]);
}

/// An error thrown in goes to the innermost; if that returns, its delegator goes on with the value.
pub fn d4_a_throw_goes_to_the_innermost<F: Flavour>() {
    let trace = Trace::new();
    let mut test = three::<F>(&trace);
    test.start().unwrap();
    assert_eq!(test.throw(Fault("a")), Ok(Outcome::Raised(Thrown::Error(Fault("a")))));
    let level = |name: &'static str| [format!("{name}: Error(Fault(\"a\"))"), name.to_string()];
    let levels = ["inner", "middle", "outer"].map(level).concat();
    trace.expect(&levels.iter().map(String::as_str).collect::<Vec<_>>());
    let inner = body::<F>(|number, _| if number == 1 { Do::Yield(1) } else { Do::ret(9) });
    let mut test = delegator::<F>("outer", inner, &trace);
    test.start().unwrap();
    assert_eq!(test.throw(Fault("a")), Ok(Outcome::Returned(10)));
}

/// Closing closes the innermost first; a value that it returns is dropped, and Exit raised in its delegator.
pub fn d5_exit_closes_from_the_inside_and_values_are_dropped<F: Flavour>() {
    for input in [Input::Close, Input::Throw(Thrown::Exit)] {
        let trace = Trace::new();
        let inner = body::<F>(|number, _| if number == 1 { Do::Yield(1) } else { Do::ret(9) });
        let middle = delegator::<F>("middle", inner, &trace);
        let mut test = delegator::<F>("outer", middle, &trace);
        test.start().unwrap();
        let expected = match input {
            Input::Close => Outcome::Closed,
            _ => Outcome::Raised(Thrown::Exit),
        };
        assert_eq!(test.resume(input), Ok(expected));
        assert_eq!(test.state(), State::Finished);
        trace.expect(&["middle: Exit", "middle", "outer: Exit", "outer"]);
    }
}

/// A sub that raises something else while it is closed raises that in its delegator.
pub fn d5_another_error_replaces_the_exit<F: Flavour>() {
    for input in [Input::Close, Input::Throw(Thrown::Exit)] {
        let trace = Trace::new();
        let inner =
            body::<F>(|number, _| if number == 1 { Do::Yield(1) } else { Do::raise(Fault("cleanup")) });
        let mut test = delegator::<F>("outer", inner, &trace);
        test.start().unwrap();
        assert_eq!(test.resume(input), Ok(Outcome::Raised(Thrown::Error(Fault("cleanup")))));
        trace.expect(&["outer: Error(Fault(\"cleanup\"))", "outer"]);
    }
}

/// A sub that yields while it is closed is dropped, with all above it; its delegator is told, and may catch it.
pub fn d5_a_sub_that_ignores_its_exit_is_dropped_and_its_delegator_told<F: Flavour>() {
    for input in [Input::Close, Input::Throw(Thrown::Exit)] {
        let trace = Trace::new();
        let (log, held) = (trace.clone(), trace.on_drop("stubborn"));
        // Catches its exit, and delegates to yet another that yields.
        let inner = echo::<F>("inner", 1, &trace);
        let words = echo::<F>("last words", 7, &trace);
        let mut subs = vec![words, inner];
        let stubborn = body::<F>(move |_, step| {
            let _held = &held;
            log.log(format!("stubborn: {step:?}"));
            Do::delegate(subs.pop().expect("it delegates twice"))
        });
        let mut test = {
            let (log, mut stubborn) = (trace.clone(), Some(stubborn));
            body::<F>(move |number, step| {
                log.log(format!("outer: {step:?}"));
                match number {
                    1 => Do::delegate(stubborn.take().expect("it begins once")),
                    2 => Do::Yield(100),
                    _ => Do::ret(3),
                }
            })
        };
        assert_eq!(test.start(), yielded(1));
        let closing = input == Input::Close;
        let ignored = test.resume(input);
        // The outer one has caught the misuse and yielded: it ignores a close in its turn, but not a throw.
        assert_eq!(ignored, if closing { Err(Misuse::IgnoredExit(100)) } else { yielded(100) });
        assert_eq!(test.state(), State::Suspended);
        assert_eq!(test.send(0), Ok(Outcome::Returned(3)));
        trace.expect(&[
            "outer: Begin",
            "stubborn: Begin",
            "inner: Exit",
            "inner",
            "stubborn: Thrown(Exit)",
            "last words",
            "stubborn",
            "outer: Thrown(Misuse(IgnoredExit))",
            "outer: Sent(0)",
        ]);
    }
}

/// An iterator can be delegated to; it receives nothing, and an error appears in its delegator.
pub fn d7_an_iterator_is_delegated_to<F: Flavour>() {
    let make = || -> Subject<Option<i64>, i64, (), Fault> {
        F::coroutine(Script::new(|step| match step {
            Step::Begin => Do::delegate(Plain(vec![1, 2, 3].into_iter())),
            Step::Ended(()) => Do::Yield(100),
            Step::Thrown(Thrown::Misuse(MisuseKind::CannotReceive)) => Do::Yield(-1),
            Step::Thrown(Thrown::Error(Fault(_))) => Do::Yield(-2),
            Step::Thrown(thrown) => Do::raise_thrown(thrown),
            _ => Do::ret(()),
        }))
    };
    let mut test = make();
    for value in [1, 2, 3, 100] {
        assert_eq!(test.next(), Ok(Outcome::Yielded(value)));
    }
    assert_eq!(test.next(), Ok(Outcome::Returned(())));
    let mut test = make();
    test.next().unwrap();
    assert_eq!(test.send(Some(5)), Ok(Outcome::Yielded(-1)));
    let mut test = make();
    test.next().unwrap();
    assert_eq!(test.throw(Fault("a")), Ok(Outcome::Yielded(-2)));
    let mut test = make();
    test.next().unwrap();
    assert_eq!(test.close(), Ok(None));
}

/// A coroutine that is suspended goes on where it is, with its own chain, once it gets a value.
pub fn d8_a_started_sub_goes_on_where_it_is<F: Flavour>() {
    let trace = Trace::new();
    let mut started = delegator::<F>("middle", echo::<F>("inner", 1, &trace), &trace);
    assert_eq!(started.start(), yielded(1));
    let mut sub = Some(started);
    let mut test = body::<F>(move |_, step| match step {
        Step::Begin => Do::Delegate(Box::new(sub.take().expect("it begins once")), Some(20)),
        Step::Ended(value) => Do::ret(value),
        step => unreachable!("{step:?}"),
    });
    assert_eq!(test.start(), yielded(20));
    assert_eq!(test.delegates().len(), 2);
    assert_eq!(test.send(21), yielded(21));
    assert_eq!(test.send(-30), Ok(Outcome::Returned(31)));
}

/// A coroutine that is finished, or suspended without a value to go on with, is a misuse at the expression.
pub fn d8_what_cannot_be_delegated_to_is_a_misuse_at_the_expression<F: Flavour>() {
    let trace = Trace::new();
    let mut finished = body::<F>(|_, _| Do::ret(1));
    finished.start().unwrap();
    let mut suspended = echo::<F>("suspended", 1, &trace);
    suspended.start().unwrap();
    for (sub, kind) in [(finished, MisuseKind::Finished), (suspended, MisuseKind::NoInput)] {
        let mut test = delegator::<F>("outer", sub, &trace);
        assert_eq!(test.start(), Ok(Outcome::Raised(Thrown::Misuse(kind))));
    }
}

/// Delegating to oneself is delegating to a coroutine that runs.
pub fn d8_delegating_to_oneself_is_a_misuse<F: Flavour>() {
    let me: Rc<RefCell<Option<Shared<Test>>>> = Rc::default();
    let inside = Rc::clone(&me);
    let mut test = Shared::new(body::<F>(move |_, step| match step {
        Step::Begin => Do::delegate(inside.take().expect("the handle was left before the start")),
        Step::Thrown(thrown) => Do::raise_thrown(thrown),
        step => unreachable!("{step:?}"),
    }));
    me.replace(Some(test.clone()));
    assert_eq!(test.start(), Ok(Outcome::Raised(Thrown::Misuse(MisuseKind::Running))));
}

/// A shared sub outlives the delegation, and others may resume it meanwhile.
pub fn d8_a_shared_sub_outlives_the_delegation<F: Flavour>() {
    let trace = Trace::new();
    let mut shared = Shared::new(echo::<F>("shared", 1, &trace));
    let handle = shared.clone();
    let mut test = body::<F>(move |_, step| match step {
        Step::Begin => Do::delegate(handle.clone()),
        Step::Ended(value) => Do::ret(value),
        Step::Thrown(thrown) => Do::raise_thrown(thrown),
        step => unreachable!("{step:?}"),
    });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(shared.send(5), yielded(5));
    assert_eq!(test.send(6), yielded(6));
    assert_eq!(shared.send(-7), Ok(Outcome::Returned(7)));
    // It has ended behind the delegator's back.
    assert_eq!(test.send(8), Ok(Outcome::Raised(Thrown::Misuse(MisuseKind::Finished))));
}

/// The chain can be seen while it is suspended, and in no other state.
pub fn d9_the_chain_is_visible_while_it_is_suspended<F: Flavour>() {
    let trace = Trace::new();
    let mut test = three::<F>(&trace);
    assert!(test.delegates().is_empty());
    test.start().unwrap();
    assert_eq!(test.delegates().len(), 2);
    for frame in test.delegates() {
        assert!(!frame.name.is_empty(), "{frame:?}");
        assert_eq!(frame.state, State::Suspended);
    }
    test.send(-1).unwrap();
    assert!(test.delegates().is_empty());
}

/// A panic drops the frames from the top, finishes the whole chain, and goes on in the caller.
pub fn a_panic_drops_the_frames_from_the_top<F: Flavour>() {
    let trace = Trace::new();
    let held = trace.on_drop("inner");
    let inner = body::<F>(move |number, _| {
        let _held = &held;
        assert!(number < 2, "planted");
        Do::Yield(1)
    });
    let middle = delegator::<F>("middle", inner, &trace);
    let mut test = delegator::<F>("outer", middle, &trace);
    test.start().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| test.send(0))).is_err());
    trace.expect(&["inner", "middle", "outer"]);
    assert_eq!(test.send(1), Err(Misuse::Finished(Some(1))));
}

/// Dropping a chain drops it from the top.
pub fn a_chain_is_dropped_from_the_top<F: Flavour>() {
    let trace = Trace::new();
    let mut test = three::<F>(&trace);
    test.start().unwrap();
    drop(test);
    trace.expect(&["inner", "middle", "outer"]);
}

/// A wait of the innermost parks the whole chain; a close lands there, and its cleanup may wait.
pub fn a_wait_of_the_innermost_parks_the_chain<F: Flavour>() {
    let (trace, gate, cleanup) = (Trace::new(), Gate::default(), Gate::default());
    let (first, second) = (gate.clone(), cleanup.clone());
    let inner = body::<F>(move |number, step| match (number, step) {
        (1, _) => Do::Wait(first.passed()),
        (2, Step::Woken) => Do::Yield(2),
        (3, Step::Thrown(Thrown::Exit)) => Do::Wait(second.passed()),
        (4, Step::Woken) => Do::ret(0),
        (_, step) => unreachable!("{step:?}"),
    });
    let mut test = delegator::<F>("outer", inner, &trace);
    assert_eq!(test.start(), Err(Misuse::WouldPark));
    let states = |test: &Test| test.delegates().iter().map(|frame| frame.state).collect::<Vec<_>>();
    assert_eq!(states(&test), [State::Running]);
    gate.open();
    assert_eq!(test.start(), yielded(2));
    assert_eq!(states(&test), [State::Suspended]);
    assert_eq!(test.close(), Err(CloseError::Misuse(Misuse::WouldPark)));
    trace.expect(&[]);
    cleanup.open();
    assert_eq!(test.start(), Ok(Outcome::Closed));
    trace.expect(&["outer: Exit", "outer"]);
}

/// A chain may be as deep as memory allows: no resume and no drop nests.
pub fn a_deep_chain_neither_nests_nor_overflows<F: Flavour>() {
    const DEPTH: usize = if cfg!(miri) { 20 } else { 3_000 };
    fn descend<F: Flavour>(depth: usize) -> Test {
        body::<F>(move |_, step| match step {
            Step::Begin if depth == 0 => Do::Yield(0),
            Step::Begin => Do::delegate(descend::<F>(depth - 1)),
            Step::Sent(value) => Do::ret(value),
            Step::Ended(value) => Do::ret(value + 1),
            Step::Thrown(thrown) => Do::raise_thrown(thrown),
            step => unreachable!("{step:?}"),
        })
    }
    let mut test = descend::<F>(DEPTH);
    assert_eq!(test.start(), yielded(0));
    assert_eq!(test.delegates().len(), DEPTH);
    assert_eq!(test.send(5), Ok(Outcome::Returned(5 + DEPTH as i64)));
    let mut test = descend::<F>(DEPTH);
    test.start().unwrap();
    drop(test);
}
