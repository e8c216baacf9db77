//! Adapted coroutines, delegated to from each flavour: what passes through a delegation passes through them.

use coro_core::coroutine::{Adapt, FromIter, MisuseKind, ZipEnd, from_iter};
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_fiber::scope;
use coro_gen::Gen;

type Error = &'static str;

/// Yields the sum of what it is sent. It returns at 10, doubles on "double", and yields on its exit at 3.
#[coro_core::coroutine(send = u32, yields = u32, flavours(native, generator))]
fn adder() -> Result<u32, Thrown<Error>> {
    let mut sum = 0;
    while sum < 10 {
        match yield_!(sum) {
            Ok(sent) => sum += sent,
            Err(Thrown::Error("double")) => sum *= 2,
            Err(Thrown::Exit) if sum == 3 => {
                yield_!(99)?;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(sum)
}

/// Checks that what `$sub` makes of an adder (not on a fiber: an adapted one belongs to its scope) does the same in a delegation from any flavour.
macro_rules! in_all_delegators {
    (|$adder:ident| $sub:expr, $check:expr) => {{
        let check = $check;
        in_all_delegators!(@adders $adder $sub, check, (native generator));
    }};
    (@adders $adder:ident $sub:expr, $check:ident, ($($flavour:ident)*)) => {$(
        let $adder = adder::$flavour;
        $check(&mut Native::new(async move |co| co.yield_from($sub).await));
        $check(&mut Gen::new(async move |co| co.yield_from($sub).await));
        scope(|scope| $check(&mut scope.fiber(move |co| co.yield_from($sub))));
    )*};
}

type Delegator<'a, Y, R> = &'a mut dyn Coroutine<Send = u32, Yield = Y, Return = R, Error = Error>;

#[test]
fn map_yield_and_inspect_map_what_the_delegator_yields() {
    in_all_delegators!(
        |adder| adder().inspect(|value| assert!(*value < 50)).map_yield(|value| value.to_string()),
        |outer: Delegator<'_, String, u32>| {
            assert_eq!(outer.start(), Ok(Outcome::Yielded("0".into())));
            assert_eq!(outer.delegates().len(), 1);
            assert_eq!(outer.send(2), Ok(Outcome::Yielded("2".into())));
            let thrown = outer.resume(Input::Throw("double".into()));
            assert_eq!(thrown, Ok(Outcome::Yielded("4".into())));
            assert_eq!(outer.send(6), Ok(Outcome::Returned(10)));
        }
    );
}

#[test]
fn map_return_maps_the_value_of_the_delegation() {
    in_all_delegators!(|adder| adder().map_return(|value| format!("{value}!")), |outer: Delegator<
        '_,
        u32,
        String,
    >| {
        outer.start().unwrap();
        assert_eq!(outer.send(10), Ok(Outcome::Returned("10!".into())));
    });
}

#[test]
fn take_and_chain_end_a_delegation() {
    in_all_delegators!(|adder| adder().take(2), |outer: Delegator<'_, u32, Option<u32>>| {
        outer.start().unwrap();
        assert_eq!(outer.send(1), Ok(Outcome::Yielded(1)));
        assert_eq!(outer.send(1), Ok(Outcome::Returned(None)));
    });
    in_all_delegators!(|adder| adder().chain(adder()), |outer: Delegator<'_, u32, (u32, u32)>| {
        outer.start().unwrap();
        assert_eq!(outer.send(11), Ok(Outcome::Yielded(0)));
        assert_eq!(outer.send(12), Ok(Outcome::Returned((11, 12))));
    });
}

#[test]
fn zip_gives_the_unpaired_item_to_the_delegator() {
    in_all_delegators!(
        |adder| adder().map_yield(|sum| sum + 1).zip(adder()).map_yield(|(first, second)| first + second),
        |outer: Delegator<'_, u32, ZipEnd<u32, u32, u32>>| {
            assert_eq!(outer.start(), Ok(Outcome::Yielded(1)));
            assert_eq!(outer.send(4), Ok(Outcome::Yielded(9)));
            assert_eq!(outer.send(7), Ok(Outcome::Returned(ZipEnd::First(11))));
        }
    );
}

#[test]
fn a_close_goes_through_the_delegation_into_the_adapter() {
    in_all_delegators!(|adder| adder().map_yield(|sum| sum), |outer: Delegator<'_, u32, u32>| {
        outer.start().unwrap();
        assert_eq!(outer.close(), Ok(None));
        assert_eq!(outer.state(), State::Finished);
    });
    // It ignores its exit: it is dropped, and its delegator told.
    in_all_delegators!(|adder| adder().map_yield(|sum| sum), |outer: Delegator<'_, u32, u32>| {
        outer.start().unwrap();
        outer.send(3).unwrap();
        let ignored = Thrown::Misuse(MisuseKind::IgnoredExit);
        assert_eq!(outer.resume(Input::Close), Ok(Outcome::Raised(ignored)));
    });
}

#[test]
fn a_started_adapter_goes_on_with_a_value() {
    macro_rules! check {
        ($($flavour:ident)*) => {$(
            let begun = || {
                let mut begun = adder::$flavour().map_yield(|sum| 10 * sum);
                begun.start().unwrap();
                begun
            };
            let mut outer = Gen::new(async move |co| co.yield_from_started(begun(), 4).await);
            assert_eq!(outer.start(), Ok(Outcome::Yielded(40)));
            scope(|scope| {
                let mut outer = scope.fiber(move |co| co.yield_from(begun()));
                assert_eq!(outer.start(), Ok(Outcome::Raised(Thrown::Misuse(MisuseKind::NoInput))));
            });
            let mut outer = Native::new(async move |co| {
                let mut over = begun();
                over.close().unwrap();
                co.yield_from(over).await
            });
            assert_eq!(outer.start(), Ok(Outcome::Raised(Thrown::Misuse(MisuseKind::Finished))));
        )*};
    }
    check!(native generator);
}

#[test]
fn an_iterator_is_delegated_to() {
    fn numbers() -> FromIter<std::ops::RangeInclusive<u32>, Option<u32>, Error> {
        from_iter(1..=2)
    }
    fn check(mut outer: impl Coroutine<Send = Option<u32>, Yield = u32, Return = (), Error = Error>) {
        assert_eq!(outer.start(), Ok(Outcome::Yielded(1)));
        assert_eq!(outer.next(), Ok(Outcome::Yielded(2)));
        // The refused value comes out of the delegation as an error, as it does with `Plain`.
        let refused = Thrown::Misuse(MisuseKind::CannotReceive);
        assert_eq!(outer.send(Some(1)), Ok(Outcome::Raised(refused)));
    }
    check(Native::new(async move |co| co.yield_from(numbers()).await));
    check(Gen::new(async move |co| co.yield_from(numbers()).await));
    scope(|scope| check(scope.fiber(move |co| co.yield_from(numbers()))));
}
