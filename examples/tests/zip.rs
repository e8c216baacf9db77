//! Two coroutines side by side, over each flavour: what each receives, which ends the two, and what is left over.

mod trace;

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use coro_core::conformance::Trace;
use coro_core::coroutine::{Adapt, CloseError, MisuseKind, Shared, ZipEnd, from_iter};
use coro_core::prelude::*;

use coro_fiber::{scope, scope_async};
use trace::Op::{Close, Send, Start, Throw};
use trace::trace;

/// A fiber is resumed by hand in a scope; the others wherever they are.
macro_rules! own {
    ($scope:ident fiber $coroutine:expr) => {
        $scope.own($coroutine)
    };
    ($scope:ident $other:ident $coroutine:expr) => {{
        let _ = $scope;
        $coroutine
    }};
}

type Error = &'static str;

/// Yields its name and what it is sent, and says what it sees. It returns when it is sent `ends_at`.
#[coro_core::coroutine(send = u32, yields = String, flavours(native, generator, fiber))]
fn side(name: &'static str, ends_at: u32, seen: Trace) -> Result<Error, Thrown<Error>> {
    let mut sent = 0;
    loop {
        match yield_!(format!("{name}{sent}")) {
            Ok(value) if value == ends_at => return Ok(name),
            Ok(value) => sent = value,
            Err(Thrown::Error("both")) => sent = 100,
            Err(Thrown::Error(error)) if error == name => return Err(error.into()),
            Err(Thrown::Exit) if sent == 77 || sent == ends_at + 70 => sent = 78,
            Err(Thrown::Exit) if sent == 66 => return Err("late".into()),
            Err(other) => {
                seen.log(format!("{name}: {other:?}"));
                return Err(other);
            }
        }
    }
}

/// Checks a zip of every two flavours.
fn in_all_flavours(ends: (u32, u32), ops: &[trace::Op<u32, Error>], expected: &[&str], seen: &[&str]) {
    macro_rules! check {
        ($($first:ident $second:ident),*) => {$(
            scope(|scope| {
                let log = Trace::new();
                let first = own!(scope $first side::$first("a", ends.0, log.clone()));
                let zip = first.zip(own!(scope $second side::$second("b", ends.1, log.clone())));
                assert_eq!(trace(zip, ops), expected, stringify!($first $second));
                log.expect(seen);
            });
        )*};
    }
    check!(native native, generator generator, fiber fiber, native generator, generator fiber, fiber native);
}

#[test]
fn both_receive_the_same_and_yield_pairs() {
    in_all_flavours(
        (9, 9),
        &[Send(1), Start, Start, Send(1), Throw("both"), Close, Send(2), Throw("x"), Close],
        &[
            "NotStarted(1)",
            "Yielded((\"a0\", \"b0\"))",
            "NoInput",
            "Yielded((\"a1\", \"b1\"))",
            "Yielded((\"a100\", \"b100\"))",
            "Closed",
            "Finished(Some(2))",
            "Raised(Error(\"x\"))",
            "Closed",
            "Finished",
        ],
        &["a: Exit", "b: Exit"],
    );
}

#[test]
fn the_first_to_return_ends_the_two_and_no_item_is_lost() {
    in_all_flavours(
        (1, 2),
        &[Start, Send(1), Send(1)],
        &["Yielded((\"a0\", \"b0\"))", "Returned(First(\"a\"))", "Finished(Some(1))", "Finished"],
        &[],
    );
    in_all_flavours(
        (1, 2),
        &[Start, Send(2)],
        &["Yielded((\"a0\", \"b0\"))", "Returned(Second { returned: \"b\", unpaired: \"a2\" })", "Finished"],
        &[],
    );
}

#[test]
fn an_error_of_either_is_raised() {
    let pair = "Yielded((\"a0\", \"b0\"))";
    in_all_flavours((9, 9), &[Start, Throw("a")], &[pair, "Raised(Error(\"a\"))", "Finished"], &[]);
    // The first does not catch it either: it is not the second's turn.
    in_all_flavours(
        (9, 9),
        &[Start, Throw("b")],
        &[pair, "Raised(Error(\"b\"))", "Finished"],
        &["a: Error(\"b\")"],
    );
    in_all_flavours(
        (9, 9),
        &[Throw("a"), Start],
        &["Raised(Error(\"a\"))", "Finished(None)", "Finished"],
        &[],
    );
}

#[test]
fn a_close_goes_to_both() {
    let pair = "Yielded((\"a0\", \"b0\"))";
    in_all_flavours((9, 9), &[Close, Start], &["Closed", "Finished(None)", "Finished"], &[]);
    // Both ignore it: they go on.
    in_all_flavours(
        (9, 9),
        &[Start, Send(77), Close, Send(1), Close],
        &[
            pair,
            "Yielded((\"a77\", \"b77\"))",
            "IgnoredExit((\"a78\", \"b78\"))",
            "Yielded((\"a1\", \"b1\"))",
            "Closed",
            "Finished",
        ],
        &["a: Exit", "b: Exit"],
    );
    // One does: the other one is over, and so is the zip.
    in_all_flavours(
        (1, 2),
        &[Start, Send(71), Close, Send(1)],
        &[
            pair,
            "Yielded((\"a71\", \"b71\"))",
            "Raised(Misuse(IgnoredExit))",
            "Finished(Some(1))",
            "Finished",
        ],
        &["b: Exit"],
    );
    in_all_flavours(
        (1, 2),
        &[Start, Send(72), Close],
        &[pair, "Yielded((\"a72\", \"b72\"))", "Raised(Misuse(IgnoredExit))", "Finished"],
        &["a: Exit"],
    );
    in_all_flavours(
        (9, 9),
        &[Start, Send(66), Close],
        &[pair, "Yielded((\"a66\", \"b66\"))", "Raised(Error(\"late\"))", "Finished"],
        &[],
    );
}

#[test]
fn what_was_yielded_without_a_return_is_kept() {
    macro_rules! check {
        ($($flavour:ident)*) => {$(
            scope(|scope| {
                // The second ignores its exit when the first has obeyed.
                let log = Trace::new();
                let first = own!(scope $flavour side::$flavour("a", 2, log.clone()));
                let mut zip = first.zip(own!(scope $flavour side::$flavour("b", 1, log.clone())));
                zip.start().unwrap();
                zip.send(71).unwrap();
                let ignored = Thrown::Misuse(MisuseKind::IgnoredExit);
                assert_eq!(zip.close(), Err(CloseError::Raised(ignored)));
                assert_eq!(zip.unpaired(), (vec![], vec!["b78".to_string()]));
                assert_eq!(zip.unpaired(), (vec![], vec![]));
                log.expect(&["a: Exit"]);

                // The second raises when the first has yielded.
                let second = Shared::new(own!(scope $flavour side::$flavour("b", 2, log.clone())));
                let mut zip = own!(scope $flavour side::$flavour("a", 9, log.clone())).zip(second.clone());
                zip.start().unwrap();
                assert_eq!(second.clone().throw("b"), Ok(Outcome::Raised("b".into())));
                assert_eq!(zip.throw("both"), Ok(Outcome::Raised("both".into())));
                assert_eq!(zip.unpaired(), (vec!["a100".to_string()], vec![]));
            });
        )*};
    }
    check!(native generator fiber);
}

#[test]
fn a_refused_second_can_be_asked_again() {
    macro_rules! check {
        ($($flavour:ident)*) => {$(
            scope(|scope| {
                let log = Trace::new();
                let mut begun = own!(scope $flavour side::$flavour("a", 9, log.clone()));
                begun.start().unwrap();
                let mut zip = begun.zip(own!(scope $flavour side::$flavour("b", 9, log.clone())));
                // The first goes on, the second is new.
                assert_eq!(zip.send(1), Err(Misuse::NotStarted(1)));
                assert_eq!(zip.start(), Ok(Outcome::Yielded(("a1".into(), "b0".into()))));
                assert_eq!(zip.send(2), Ok(Outcome::Yielded(("a2".into(), "b2".into()))));
            });
        )*};
    }
    check!(native generator fiber);
}

/// Waits before each item, and when it is asked to end.
#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
fn slow(name: &'static str, seconds: u64, log: Trace) -> Result<(), Thrown<Error>> {
    for number in 1.. {
        wait!(sleep(Duration::from_secs(seconds)))?;
        log.log(format!("{name} {number}"));
        if let Err(thrown) = yield_!(number) {
            wait!(sleep(Duration::from_secs(seconds)))?;
            log.log(format!("{name} ends"));
            return Err(thrown);
        }
    }
    Ok(())
}

#[test]
fn both_may_wait_one_after_the_other() {
    macro_rules! check {
        ($($first:ident $second:ident),*) => {$(
            let log = Trace::new();
            let event_loop = Loop::simulated();
            let seen = log.clone();
            event_loop
                .run(scope_async(async move |scope| {
                    let first = own!(scope $first slow::$first("a", 1, seen.clone()));
                    let second = own!(scope $second slow::$second("b", 2, seen));
                    let mut zip = AsyncGenerator::scoped(first.zip(second));
                    assert_eq!(zip.next().await, Ok(Some((1, 1))));
                    assert_eq!(zip.next().await, Ok(Some((2, 2))));
                    assert_eq!(zip.close().await, Ok(None));
                }))
                .unwrap();
            log.expect(&["a 1", "b 1", "a 2", "b 2", "a ends", "b ends"]);
            assert_eq!(event_loop.time().as_secs_f64(), 9.0);
        )*};
    }
    check!(native native, generator generator, fiber fiber, native fiber, fiber generator);
}

#[test]
fn a_close_meets_the_second_at_its_wait() {
    macro_rules! check {
        ($($flavour:ident)*) => {$(
            scope(|scope| {
                let log = Trace::new();
                let first = own!(scope $flavour side::$flavour("a", 9, log.clone()));
                let zip = first.zip(own!(scope $flavour parking::$flavour(log.clone())));
                let (mut zip, mut cx) = (zip, Context::from_waker(Waker::noop()));
                assert!(zip.poll_resume(&mut cx, None).is_pending());
                let sent = Some(Input::Send(1));
                assert_eq!(zip.poll_resume(&mut cx, sent.clone()), Poll::Ready(Err(Misuse::Running(sent))));
                assert_eq!(zip.state(), State::Running);
                assert_eq!(zip.poll_resume(&mut cx, Some(Input::Close)), Poll::Ready(Ok(Outcome::Closed)));
                assert_eq!((zip.state(), zip.unpaired()), (State::Finished, (vec!["a0".to_string()], vec![])));
                log.expect(&["a: Exit", "parking: Exit"]);
            });
        )*};
    }
    check!(native generator fiber);
}

/// Waits for ever.
#[coro_core::coroutine(send = u32, yields = u32, flavours(native, generator, fiber))]
fn parking(seen: Trace) -> Result<(), Thrown<Error>> {
    let ended = wait!(std::future::pending::<()>());
    seen.log(format!("parking: {:?}", ended.as_ref().unwrap_err()));
    ended
}

#[test]
fn an_iterator_receives_nothing() {
    let mut numbers = from_iter::<_, Option<u32>, Error>(1..=2);
    assert_eq!(numbers.send(Some(5)), Err(Misuse::NotStarted(Some(5))));
    let lines = trace(numbers, &[Start, Send(Some(5)), Start, Send(None), Send(None), Send(None)]);
    assert_eq!(
        lines,
        [
            "Yielded(1)",
            "CannotReceive(Some(5))",
            "NoInput",
            "Yielded(2)",
            "Returned(())",
            "Finished(Some(None))",
            "Finished"
        ]
    );
    let ended = trace(from_iter::<_, (), Error>(1..=2), &[Start, Throw("x"), Start, Close]);
    assert_eq!(ended, ["Yielded(1)", "Raised(Error(\"x\"))", "Finished(None)", "Closed", "Finished"]);
    let unborn = trace(from_iter::<_, (), Error>(1..=2), &[Close, Start]);
    assert_eq!(unborn, ["Closed", "Finished(None)", "Finished"]);
    let mut both = from_iter::<_, (), Error>("ab".chars()).zip(from_iter([1])).items();
    assert_eq!(both.by_ref().collect::<Vec<_>>(), [Ok(('a', 1))]);
    assert_eq!(both.returned(), Some(ZipEnd::Second { returned: (), unpaired: 'b' }));
}
