//! The adapters and the iterating face of coroutines, over each flavour: what they change, and that the rest passes.

mod trace;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use coro_core::coroutine::{Adapt, MisuseKind};
use coro_core::prelude::*;
use coro_core::time::now;
use coro_fiber::{scope, scope_async};

use trace::Op::{Close, Send, Start, Throw};
use trace::trace;

/// Sums up what it is sent. It ignores its exit at 3, and returns on it at 5.
#[coro_core::coroutine(send = u32, yields = u32, flavours(native, generator, fiber))]
fn adder(limit: u32) -> Result<&'static str, Thrown<&'static str>> {
    let mut sum = 0;
    while sum < limit {
        match yield_!(sum) {
            Ok(sent) => sum += sent,
            Err(Thrown::Error("double")) => sum *= 2,
            Err(Thrown::Exit) if sum == 3 => {
                yield_!(99)?;
            }
            Err(Thrown::Exit) if sum == 5 => return Ok("closed"),
            Err(other) => return Err(other),
        }
    }
    Ok("done")
}

/// `$adapted` has the trace `$expected` under `$ops`, whatever flavour of an adder `$make` makes.
macro_rules! assert_traces {
    (|$make:ident| $adapted:expr, $ops:expr, $expected:expr $(,)?) => {{
        let (ops, expected) = ($ops, $expected);
        let $make = adder::native;
        assert_eq!(trace($adapted, &ops), expected, "native");
        let $make = adder::generator;
        assert_eq!(trace($adapted, &ops), expected, "generator");
        scope(|scope| {
            let $make = |limit| scope.own(adder::fiber(limit));
            assert_eq!(trace($adapted, &ops), expected, "fiber");
        });
    }};
}

#[test]
fn map_yield_changes_what_is_yielded() {
    assert_traces!(
        |make| make(100).map_yield(|value| value.to_string()),
        [Send(1), Start, Send(3), Close, Send(1), Throw("double"), Start, Throw("x"), Send(1), Close],
        [
            "NotStarted(1)",
            "Yielded(\"0\")",
            "Yielded(\"3\")",
            "IgnoredExit(\"99\")",
            "Yielded(\"3\")",
            "Yielded(\"6\")",
            "NoInput",
            "Raised(Error(\"x\"))",
            "Finished(Some(1))",
            "Closed",
            "Finished"
        ],
    );
}

#[test]
fn map_return_changes_what_is_returned() {
    assert_traces!(
        |make| make(10).map_return(str::len),
        [Start, Send(10)],
        ["Yielded(0)", "Returned(4)", "Finished"],
    );
    assert_traces!(
        |make| make(10).map_return(str::len),
        [Start, Send(5), Close],
        ["Yielded(0)", "Yielded(5)", "Returned(6)", "Finished"],
    );
}

#[test]
fn inspect_sees_every_yield_and_changes_nothing() {
    let seen = RefCell::new(Vec::new());
    assert_traces!(
        |make| make(100).inspect(|value| seen.borrow_mut().push(*value)),
        [Start, Send(3), Close, Close],
        ["Yielded(0)", "Yielded(3)", "IgnoredExit(99)", "Closed", "Finished"],
    );
    assert_eq!(seen.take(), [0, 3, 99].repeat(3));
}

#[test]
fn take_returns_instead_of_going_on() {
    assert_traces!(
        |make| make(100).take(2),
        [Start, Send(1), Send(2), Send(3), Start, Throw("x"), Close],
        [
            "Yielded(0)",
            "Yielded(1)",
            "Returned(None)",
            "Finished(Some(3))",
            "Finished(None)",
            "Raised(Error(\"x\"))",
            "Closed",
            "Finished"
        ],
    );
    assert_traces!(
        |make| make(1).take(2),
        [Start, Send(1)],
        ["Yielded(0)", "Returned(Some(\"done\"))", "Finished"],
    );
}

#[test]
fn take_lets_errors_and_closes_pass_after_the_last_yield() {
    assert_traces!(
        |make| make(100).take(2),
        [Start, Send(1), Throw("double"), Send(1)],
        ["Yielded(0)", "Yielded(1)", "Yielded(2)", "Returned(None)", "Finished"],
    );
    assert_traces!(|make| make(9).take(1), [Start, Close], ["Yielded(0)", "Closed", "Finished"]);
}

#[test]
fn take_of_nothing_runs_nothing() {
    assert_traces!(
        |make| make(100).take(0),
        [Send(1), Start, Start],
        ["NotStarted(1)", "Returned(None)", "Finished(None)", "Finished"],
    );
    assert_traces!(|make| make(100).take(0), [Close], ["Closed", "Finished"]);
}

#[test]
fn take_leaves_a_borrowed_coroutine_where_it_is() {
    fn check(
        mut coroutine: impl Coroutine<Send = u32, Yield = u32, Error = &'static str, Return = &'static str>,
    ) {
        let lines = trace((&mut coroutine).take(2), &[Start, Send(1), Send(50)]);
        assert_eq!(lines, ["Yielded(0)", "Yielded(1)", "Returned(None)", "Finished"]);
        assert_eq!(coroutine.send(1), Ok(Outcome::Yielded(2)));
    }
    check(adder::native(9));
    check(adder::generator(9));
    scope(|scope| check(scope.own(adder::fiber(9))));
}

#[test]
fn chain_goes_on_in_the_same_resume() {
    assert_traces!(
        |make| make(1).chain(make(9)),
        [Send(1), Start, Send(1), Throw("double"), Send(3), Close, Send(0), Send(2), Close, Send(1)],
        [
            "NotStarted(1)",
            "Yielded(0)",
            "Yielded(0)",
            "Yielded(0)",
            "Yielded(3)",
            "IgnoredExit(99)",
            "Yielded(3)",
            "Yielded(5)",
            "Returned((\"done\", \"closed\"))",
            "Finished(Some(1))",
            "Finished"
        ],
    );
}

#[test]
fn chain_ends_with_a_first_that_raises_or_is_closed() {
    let after = ["Finished(None)", "Finished(Some(1))", "Raised(Error(\"y\"))", "Closed", "Finished"];
    let endings = [
        (vec![Throw("x")], vec!["Raised(Error(\"x\"))"]),
        (vec![Close], vec!["Closed"]),
        (vec![Start, Throw("x")], vec!["Yielded(0)", "Raised(Error(\"x\"))"]),
        (vec![Start, Close], vec!["Yielded(0)", "Closed"]),
        (vec![Start, Send(5), Close], vec!["Yielded(0)", "Yielded(5)", "Closed"]),
    ];
    for (ops, lines) in endings {
        assert_traces!(
            |make| make(9).chain(make(9)),
            [&ops[..], &[Start, Send(1), Throw("y"), Close]].concat(),
            [&lines[..], &after].concat(),
        );
    }
}

#[test]
fn chain_of_two_flavours() {
    let lines = scope(|scope| {
        let mixed = scope.own(adder::fiber(1)).chain(adder::generator(1)).chain(adder::native(1));
        trace(mixed, &[Start, Send(1), Send(1), Send(1)])
    });
    let returned = "Returned(((\"done\", \"done\"), \"done\"))";
    assert_eq!(lines, ["Yielded(0)", "Yielded(0)", "Yielded(0)", returned, "Finished"]);
}

/// Takes its time to begin, and to end.
#[coro_core::coroutine(yields = &'static str, flavours(native, generator, fiber))]
fn slow(begun: Rc<Cell<u32>>) -> Result<(), Thrown<()>> {
    begun.set(begun.get() + 1);
    wait!(sleep(Duration::from_secs(1)))?;
    let ended = yield_!("item");
    wait!(sleep(Duration::from_secs(1)))?;
    if matches!(ended, Err(Thrown::Exit)) { Ok(()) } else { ended }
}

#[test]
fn a_chain_that_is_closed_may_wait_and_does_not_go_on() {
    async fn check<C>(make: impl Fn(Rc<Cell<u32>>) -> C)
    where
        C: Coroutine<Send = (), Yield = &'static str, Return = (), Error = ()>,
    {
        let (begun, start) = (Rc::new(Cell::new(0)), now());
        let chain = make(Rc::clone(&begun)).chain(make(Rc::clone(&begun))).map_yield(str::len).take(9);
        let mut chain = AsyncGenerator::scoped(chain);
        assert_eq!(chain.next().await, Ok(Some(4)));
        assert_eq!(chain.close().await, Ok(None));
        assert_eq!(chain.state(), State::Finished);
        assert_eq!(begun.get(), 1);
        assert_eq!((now() - start).as_secs_f64(), 2.0);

        let mut chain = AsyncGenerator::scoped(make(Rc::clone(&begun)).chain(make(begun)));
        let mut items = 0;
        while let Ok(Some(_)) = chain.next().await {
            items += 1;
        }
        assert_eq!(items, 2);
    }
    Loop::simulated().run(check(slow::native)).unwrap();
    Loop::simulated().run(check(slow::generator)).unwrap();
    let fibers = scope_async(async |scope| check(|begun| scope.own(slow::fiber(begun))).await);
    Loop::simulated().run(fibers).unwrap();
}

#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn countdown(from: u32, error: Option<&'static str>) -> Result<&'static str, Thrown<&'static str>> {
    for number in (1..=from).rev() {
        yield_!(number)?;
    }
    match error {
        Some(error) => Err(error.into()),
        None => Ok("lift-off"),
    }
}

#[test]
fn items_go_on_after_a_break_and_keep_the_return() {
    fn check(coroutine: impl Coroutine<Send = (), Yield = u32, Return = &'static str, Error = &'static str>) {
        let mut items = coroutine.items();
        for item in items.by_ref() {
            if item == Ok(3) {
                break;
            }
        }
        assert_eq!(items.returned(), None);
        assert_eq!(items.by_ref().collect::<Result<Vec<_>, _>>(), Ok(vec![2, 1]));
        assert_eq!(items.returned(), Some("lift-off"));
        assert_eq!((items.next(), items.size_hint()), (None, (0, Some(0))));
        assert_eq!(items.into_inner().state(), State::Finished);
    }
    check(countdown::native(3, None));
    check(countdown::generator(3, None));
    scope(|scope| check(scope.own(countdown::fiber(3, None))));
}

#[test]
fn an_error_is_the_last_item() {
    fn check(coroutine: impl Coroutine<Send = (), Yield = u32, Return = &'static str, Error = &'static str>) {
        let mut items = coroutine.items();
        let all: Vec<_> = items.by_ref().collect();
        assert_eq!(all, [Ok(1), Err(Thrown::Error("aborted"))]);
        assert_eq!((items.next(), items.returned()), (None, None));
    }
    check(countdown::native(1, Some("aborted")));
    check(countdown::generator(1, Some("aborted")));
    scope(|scope| check(scope.own(countdown::fiber(1, Some("aborted")))));
}

#[test]
fn items_of_a_body_that_waits_end_with_the_misuse() {
    #[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
    fn waits() -> Result<(), Thrown<()>> {
        wait!(std::future::pending::<()>())
    }
    let expected = vec![Err(Thrown::Misuse(MisuseKind::WouldPark))];
    assert_eq!(waits::native().items().collect::<Vec<_>>(), expected);
    assert_eq!(waits::generator().items().collect::<Vec<_>>(), expected);
    assert_eq!(scope(|scope| scope.own(waits::fiber()).items().collect::<Vec<_>>()), expected);
}

#[test]
fn a_for_loop_over_a_borrowed_coroutine_goes_on_after_a_break() {
    macro_rules! check {
        ($($coroutine:expr),*) => {$(
            let mut coroutine = $coroutine;
            for item in &mut coroutine {
                if item == Ok(4) {
                    break;
                }
            }
            let mut items = coroutine.map_yield(|number| 10 * number).into_iter();
            assert_eq!(items.by_ref().take(1).collect::<Vec<_>>(), [Ok(30)]);
            assert_eq!(items.by_ref().collect::<Vec<_>>(), [Ok(20), Ok(10)]);
            assert_eq!(items.returned(), Some("lift-off"));
        )*};
    }
    scope(|scope| {
        check!(
            countdown::native(4, None),
            countdown::generator(4, None),
            scope.own(countdown::fiber(4, None))
        );
    });
}
