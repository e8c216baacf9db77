//! The laws of the contract: L1–L11 of Python's generators, waiting, and what misuse does.
//!
//! L12 (a StopIteration that leaks from a body) cannot be written: ending is a return value here.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::{Do, Flavour, Leaf, Script, Step, Subject, Trace};
use crate::coroutine::{
    CloseError, Coroutine, CoroutineExt, Input, Misuse, MisuseKind, Outcome, Resumed, Shared, State, Thrown,
};

/// The error of the scenarios.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault(pub(super) &'static str);

pub(super) type Test = Subject<i64, i64, i64, Fault>;

/// A body that counts its steps: `next(step number, what it was resumed with)`.
pub(super) fn body<F: Flavour>(
    mut next: impl FnMut(usize, Step<i64, i64, Fault>) -> Do<i64, i64, i64, Fault> + 'static,
) -> Test {
    let mut number = 0;
    F::coroutine(Script::new(move |step| {
        number += 1;
        next(number, step)
    }))
}

/// Yields 1, 2, … `count`, lets everything thrown out, and returns 100.
fn count_to<F: Flavour>(count: i64) -> Test {
    body::<F>(move |number, step| match step {
        Step::Thrown(thrown) => Do::raise_thrown(thrown),
        _ if number as i64 <= count => Do::Yield(number as i64),
        _ => Do::ret(100),
    })
}

impl<S, Y, R, E> Do<S, Y, R, E> {
    pub(super) fn raise_thrown(thrown: Thrown<E>) -> Self {
        Self::End(Err(thrown))
    }
}

pub(super) fn yielded(value: i64) -> Resumed<Test> {
    Ok(Outcome::Yielded(value))
}

/// Sending a value first is refused, hands it back, and changes nothing.
pub fn l1_created_refuses_a_value<F: Flavour>() {
    let mut test = count_to::<F>(2);
    assert_eq!(test.state(), State::Created);
    assert_eq!(test.send(5), Err(Misuse::NotStarted(5)));
    assert_eq!(test.state(), State::Created);
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.state(), State::Suspended);
}

/// A throw into a new coroutine raises the error; the body never runs, and is released.
pub fn l2_throw_into_created_never_runs_the_body<F: Flavour>() {
    let trace = Trace::new();
    let mut test = logged::<F>(&trace);
    assert_eq!(test.throw(Fault("early")), Ok(Outcome::Raised(Thrown::Error(Fault("early")))));
    assert_eq!(test.state(), State::Finished);
    trace.expect(&["released"]);
}

/// Closing a new coroutine ends it; the body never runs, and is released.
pub fn l3_close_of_created_never_runs_the_body<F: Flavour>() {
    let trace = Trace::new();
    let mut test = logged::<F>(&trace);
    assert_eq!(test.close(), Ok(None));
    assert_eq!(test.state(), State::Finished);
    trace.expect(&["released"]);
}

fn logged<F: Flavour>(trace: &Trace) -> Test {
    let (held, trace) = (trace.on_drop("released"), trace.clone());
    body::<F>(move |_, _| {
        let _held = &held;
        trace.log("ran");
        Do::Yield(1)
    })
}

/// Once finished, every resume says so, and hands the value back.
pub fn l4_finished_for_ever<F: Flavour>() {
    let mut test = count_to::<F>(0);
    assert_eq!(test.start(), Ok(Outcome::Returned(100)));
    for _ in 0..2 {
        assert_eq!(test.state(), State::Finished);
        assert_eq!(test.send(7), Err(Misuse::Finished(Some(7))));
        assert_eq!(test.start(), Err(Misuse::Finished(None)));
    }
}

/// Once finished, a throw comes straight back, and a close gives nothing.
pub fn l5_finished_throws_back_and_closes<F: Flavour>() {
    let mut test = count_to::<F>(0);
    assert_eq!(test.start(), Ok(Outcome::Returned(100)));
    for thrown in [Thrown::Error(Fault("late")), Thrown::Exit, Thrown::Misuse(MisuseKind::Running)] {
        assert_eq!(test.resume(Input::Throw(thrown.clone())), Ok(Outcome::Raised(thrown)));
    }
    assert_eq!(test.close(), Ok(None));
}

/// A body that reaches itself through [`Shared`] is refused everything, gets its inputs back, and can go on.
pub fn l6_running_refuses_everything_catchably<F: Flavour>() {
    let me: Rc<RefCell<Option<Shared<Test>>>> = Rc::default();
    let refused: Rc<RefCell<Vec<Resumed<Test>>>> = Rc::default();
    let (inside, seen) = (Rc::clone(&me), Rc::clone(&refused));
    let mut test = Shared::new(body::<F>(move |number, _| {
        let mut me = inside.borrow().clone().expect("the handle was left before the start");
        assert_eq!(me.state(), State::Running);
        seen.borrow_mut().extend([me.start(), me.send(1), me.throw(Fault("inner")), me.resume(Input::Close)]);
        if number == 1 { Do::Yield(1) } else { Do::ret(2) }
    }));
    *me.borrow_mut() = Some(test.clone());
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.state(), State::Suspended);
    assert_eq!(test.send(0), Ok(Outcome::Returned(2)));
    let once = [
        Err(Misuse::Running(None)),
        Err(Misuse::Running(Some(Input::Send(1)))),
        Err(Misuse::Running(Some(Input::Throw(Thrown::Error(Fault("inner")))))),
        Err(Misuse::Running(Some(Input::Close))),
    ];
    assert_eq!(*refused.borrow(), [once.clone(), once].concat());
    // The body's handle to itself keeps a finished coroutine alive; let go of it.
    me.take();
}

/// An error thrown in is what the yield raises, and the next yield is the answer.
pub fn l7_throw_appears_at_the_yield<F: Flavour>() {
    let trace = Trace::new();
    let log = trace.clone();
    let mut test = body::<F>(move |number, step| {
        log.log(format!("{step:?}"));
        Do::Yield(number as i64)
    });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.throw(Fault("a")), yielded(2));
    assert_eq!(test.resume(Input::Throw(Thrown::Misuse(MisuseKind::Finished))), yielded(3));
    assert_eq!(test.send(9), yielded(4));
    trace.expect(&["Begin", "Thrown(Error(Fault(\"a\")))", "Thrown(Misuse(Finished))", "Sent(9)"]);
}

/// An error thrown in may be answered with a return, with another error, or be let out.
pub fn l7_throw_can_end_in_a_return_or_another_error<F: Flavour>() {
    for (end, expected) in [
        (Ok(5), Outcome::Returned(5)),
        (Err(Thrown::Error(Fault("other"))), Outcome::Raised(Thrown::Error(Fault("other")))),
        (Err(Thrown::Error(Fault("a"))), Outcome::Raised(Thrown::Error(Fault("a")))),
    ] {
        let mut test =
            body::<F>(move |number, _| if number == 1 { Do::Yield(1) } else { Do::End(end.clone()) });
        assert_eq!(test.start(), yielded(1));
        assert_eq!(test.throw(Fault("a")), Ok(expected));
        assert_eq!(test.state(), State::Finished);
    }
}

/// A body that returns when it is closed gives its value.
pub fn l8_close_gives_the_returned_value<F: Flavour>() {
    let mut test = body::<F>(|_, step| match step {
        Step::Thrown(Thrown::Exit) => Do::ret(3),
        _ => Do::Yield(1),
    });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.close(), Ok(Some(3)));
    assert_eq!(test.state(), State::Finished);
}

/// A body that lets Exit out is closed without a value.
pub fn l8_close_lets_exit_out<F: Flavour>() {
    let mut test = count_to::<F>(3);
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.resume(Input::Close), Ok(Outcome::Closed));
    assert_eq!(test.state(), State::Finished);
}

/// Another error raised during a close is not swallowed.
pub fn l8_close_propagates_another_error<F: Flavour>() {
    let mut test =
        body::<F>(|number, _| if number == 1 { Do::Yield(1) } else { Do::raise(Fault("cleanup")) });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.close(), Err(CloseError::Raised(Thrown::Error(Fault("cleanup")))));
    assert_eq!(test.state(), State::Finished);
}

/// A yield during a close is a misuse that hands the value back; the coroutine stays suspended and resumable.
pub fn l8_a_yield_during_close_is_handed_back_and_it_lives_on<F: Flavour>() {
    let mut test = body::<F>(|number, step| match step {
        Step::Sent(value) if value > 10 => Do::ret(value),
        _ => Do::Yield(number as i64),
    });
    assert_eq!(test.start(), yielded(1));
    for value in [2, 3] {
        assert_eq!(test.close(), Err(CloseError::Misuse(Misuse::IgnoredExit(value))));
        assert_eq!(test.state(), State::Suspended);
    }
    assert_eq!(test.send(4), yielded(4));
    assert_eq!(test.send(11), Ok(Outcome::Returned(11)));
}

/// A handler of ordinary errors does not catch the request to end.
pub fn l9_ordinary_handlers_do_not_catch_exit<F: Flavour>() {
    let mut test = body::<F>(|number, step| match step {
        Step::Thrown(thrown) => match thrown.error() {
            Ok(Fault(_)) => Do::Yield(number as i64),
            Err(not_ordinary) => Do::raise_thrown(not_ordinary),
        },
        _ => Do::Yield(number as i64),
    });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.throw(Fault("caught")), yielded(2));
    assert_eq!(test.close(), Ok(None));
}

/// Exit that is thrown, not closed with, is an error like any other: it may be answered with a yield, and raised.
pub fn l9_a_thrown_exit_may_be_answered_with_a_yield<F: Flavour>() {
    let mut test = body::<F>(|number, step| match step {
        Step::Thrown(thrown) if number > 2 => Do::raise_thrown(thrown),
        _ => Do::Yield(number as i64),
    });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.resume(Input::Throw(Thrown::Exit)), yielded(2));
    assert_eq!(test.resume(Input::Throw(Thrown::Exit)), Ok(Outcome::Raised(Thrown::Exit)));
}

/// Closing twice is closing once.
pub fn l10_close_is_idempotent<F: Flavour>() {
    let mut test = body::<F>(|number, _| if number == 1 { Do::Yield(1) } else { Do::ret(3) });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.close(), Ok(Some(3)));
    assert_eq!(test.close(), Ok(None));
    assert_eq!(test.close(), Ok(None));
}

/// An error that leaves the body finishes it, whatever kind of error it is.
pub fn l11_an_uncaught_error_finishes<F: Flavour>() {
    for thrown in [Thrown::Error(Fault("out")), Thrown::Exit, Thrown::Misuse(MisuseKind::WouldPark)] {
        let raised = thrown.clone();
        let mut test = body::<F>(move |_, _| Do::raise_thrown(raised.clone()));
        assert_eq!(test.start(), Ok(Outcome::Raised(thrown)));
        assert_eq!(test.state(), State::Finished);
        assert_eq!(test.send(1), Err(Misuse::Finished(Some(1))));
    }
}

/// A panic releases the body, goes on in the caller, and leaves a finished coroutine: never a second panic.
pub fn l11_a_panic_finishes_and_goes_on_in_the_caller<F: Flavour>() {
    let trace = Trace::new();
    let held = trace.on_drop("released");
    let mut test = body::<F>(move |number, _| {
        let _held = &held;
        assert!(number < 2, "planted");
        Do::Yield(1)
    });
    assert_eq!(test.start(), yielded(1));
    let payload = catch_unwind(AssertUnwindSafe(|| test.send(0))).expect_err("the body panics");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"planted"));
    trace.expect(&["released"]);
    assert_eq!(test.state(), State::Finished);
    assert_eq!(test.send(2), Err(Misuse::Finished(Some(2))));
    assert_eq!(test.close(), Ok(None));
}

/// A body at a yield needs an input; without one nothing changes.
pub fn suspended_refuses_to_go_on_without_input<F: Flavour>() {
    let mut test = count_to::<F>(2);
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.start(), Err(Misuse::NoInput));
    assert_eq!(test.send(0), yielded(2));
}

/// What is sent is the result of the yield; what is yielded is the answer.
pub fn values_go_both_ways<F: Flavour>() {
    let mut test = body::<F>(|number, step| match (number, step) {
        (1, _) => Do::Yield(0),
        (4, Step::Sent(value)) => Do::ret(value),
        (_, Step::Sent(value)) => Do::Yield(value * 2),
        (_, step) => unreachable!("{step:?}"),
    });
    assert_eq!(test.start(), yielded(0));
    assert_eq!(test.send(1), yielded(2));
    assert_eq!(test.send(21), yielded(42));
    assert_eq!(test.send(5), Ok(Outcome::Returned(5)));
}

/// Wakes are counted, to tell that a body waits with the wake it was resumed with.
#[derive(Default)]
struct CountedWakes(AtomicUsize);

impl Wake for CountedWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future that is ready once the gate is open, and wakes whoever waits when it opens.
#[derive(Clone, Default)]
pub(super) struct Gate(Rc<(Cell<bool>, RefCell<Option<Waker>>)>);

impl Gate {
    pub(super) fn open(&self) {
        self.0.0.set(true);
        if let Some(waker) = self.0.1.take() {
            waker.wake();
        }
    }

    pub(super) fn passed(&self) -> Leaf {
        let gate = self.clone();
        Box::pin(poll_fn(move |cx| {
            if gate.0.0.get() {
                return Poll::Ready(());
            }
            *gate.0.1.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        }))
    }
}

/// Waits for the gate, then yields; a throw at the wait is answered with `Do::End`.
fn waiting<F: Flavour>(gate: &Gate) -> Test {
    let gate = gate.clone();
    body::<F>(move |number, step| match (number, step) {
        (_, Step::Thrown(thrown)) => Do::raise_thrown(thrown),
        (1, _) => Do::Wait(gate.passed()),
        (number, _) => Do::Yield(number as i64),
    })
}

/// A wait is `Pending`, from the first resume on, and wakes the waker of that resume.
pub fn a_park_is_pending_and_its_wake_is_that_of_the_resume<F: Flavour>() {
    let (gate, wakes) = (Gate::default(), Arc::new(CountedWakes::default()));
    let waker = Waker::from(Arc::clone(&wakes));
    let cx = &mut Context::from_waker(&waker);
    let mut test = waiting::<F>(&gate);
    assert!(test.poll_resume(cx, None).is_pending());
    assert_eq!(test.state(), State::Running);
    // A spurious wake changes nothing.
    assert!(test.poll_resume(cx, None).is_pending());
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    gate.open();
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert_eq!(test.poll_resume(cx, None), Poll::Ready(yielded(2)));
    assert_eq!(test.state(), State::Suspended);
}

/// A resume that carries no wake says so; the body keeps its place and can be continued.
pub fn a_wait_without_a_wake_would_park_and_loses_nothing<F: Flavour>() {
    let gate = Gate::default();
    let mut test = waiting::<F>(&gate);
    assert_eq!(test.start(), Err(Misuse::WouldPark));
    assert_eq!(test.start(), Err(Misuse::WouldPark));
    gate.open();
    assert_eq!(test.start(), yielded(2));
}

/// A value cannot be sent to a wait: it comes back.
pub fn parked_refuses_a_value<F: Flavour>() {
    let gate = Gate::default();
    let mut test = waiting::<F>(&gate);
    assert_eq!(test.start(), Err(Misuse::WouldPark));
    assert_eq!(test.send(8), Err(Misuse::Running(Some(Input::Send(8)))));
    gate.open();
    assert_eq!(test.start(), yielded(2));
}

/// An error thrown at a wait appears there; the future is dropped.
pub fn a_throw_lands_at_a_wait<F: Flavour>() {
    let trace = Trace::new();
    let log = trace.clone();
    let mut test = body::<F>(move |number, step| {
        log.log(format!("{step:?}"));
        if number > 1 {
            return Do::Yield(number as i64);
        }
        let released = log.on_drop("future dropped");
        Do::Wait(Box::pin(async move {
            let _released = released;
            std::future::pending().await
        }))
    });
    assert_eq!(test.start(), Err(Misuse::WouldPark));
    assert_eq!(test.throw(Fault("a")), yielded(2));
    trace.expect(&["Begin", "future dropped", "Thrown(Error(Fault(\"a\")))"]);
}

/// A close is delivered at a wait, and the cleanup may wait in its turn before the body ends.
pub fn a_close_lands_at_a_wait_and_cleanup_may_wait<F: Flavour>() {
    let (gate, cleanup) = (Gate::default(), Gate::default());
    let (first, second) = (gate.clone(), cleanup.clone());
    let mut test = body::<F>(move |number, step| match (number, step) {
        (1, _) => Do::Wait(first.passed()),
        (2, Step::Thrown(Thrown::Exit)) => Do::Wait(second.passed()),
        (3, Step::Woken) => Do::raise_thrown(Thrown::Exit),
        (_, step) => unreachable!("{step:?}"),
    });
    assert_eq!(test.start(), Err(Misuse::WouldPark));
    assert_eq!(test.resume(Input::Close), Err(Misuse::WouldPark));
    cleanup.open();
    assert_eq!(test.start(), Ok(Outcome::Closed));
    assert_eq!(test.state(), State::Finished);
}

/// A close remembers that it is one across the waits of the cleanup.
pub fn a_yield_after_a_wait_in_a_close_is_still_ignored_exit<F: Flavour>() {
    let gate = Gate::default();
    let cleanup = gate.clone();
    let mut test = body::<F>(move |number, _| match number {
        2 => Do::Wait(cleanup.passed()),
        number => Do::Yield(number as i64),
    });
    assert_eq!(test.start(), yielded(1));
    assert_eq!(test.resume(Input::Close), Err(Misuse::WouldPark));
    gate.open();
    assert_eq!(test.start(), Err(Misuse::IgnoredExit(3)));
    assert_eq!(test.send(0), yielded(4));
}

/// Dropping a coroutine runs the destructors of its body, wherever it stands.
pub fn drop_releases_what_the_body_holds_in_every_state<F: Flavour>() {
    let gate = Gate::default();
    for resumes in 0..4 {
        let trace = Trace::new();
        let (held, gate) = (trace.on_drop("released"), gate.clone());
        let mut test = body::<F>(move |number, _| {
            let _held = &held;
            match number {
                1 => Do::Yield(1),
                2 => Do::Wait(gate.passed()),
                _ => Do::ret(0),
            }
        });
        for resume in 0..resumes {
            match resume {
                0 => assert_eq!(test.start(), yielded(1)),
                1 => assert_eq!(test.send(0), Err(Misuse::WouldPark)),
                _ => {
                    trace.expect(&[]);
                    gate_open_and_finish(&mut test);
                    trace.expect(&["released"]);
                    continue;
                }
            }
        }
        drop(test);
        trace.expect(if resumes < 3 { &["released"] } else { &[] });
    }

    fn gate_open_and_finish(test: &mut Test) {
        // The gate stays shut: a throw ends the wait.
        assert_eq!(test.throw(Fault("end")), Ok(Outcome::Returned(0)));
    }
}

/// Nothing is lost, doubled or reordered over many resumes.
pub fn a_thousand_yields_keep_their_order<F: Flavour>() {
    // An interpreter is slow.
    const LAST: i64 = if cfg!(miri) { 30 } else { 1_000 };
    let mut test = body::<F>(|number, step| match step {
        Step::Sent(LAST) => Do::ret(number as i64),
        Step::Sent(value) => Do::Yield(-value),
        _ => Do::Yield(0),
    });
    assert_eq!(test.start(), yielded(0));
    for value in 1..LAST {
        assert_eq!(test.send(value), yielded(-value));
    }
    assert_eq!(test.send(LAST), Ok(Outcome::Returned(LAST + 1)));
}
