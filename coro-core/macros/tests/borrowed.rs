//! Coroutines that borrow from whoever makes them, in the flavours that can.

#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, rust_2018_idioms)]

use std::cell::RefCell;
use std::convert::Infallible;

use coro_core::prelude::*;

/// A lifetime that is declared, and yielded.
#[coro_core::coroutine(yields = &'a str, flavours(native, generator))]
fn words<'a>(text: &'a str) -> Result<usize, Thrown<Infallible>> {
    let mut count = 0;
    for word in text.split(' ') {
        yield_!(word)?;
        count += 1;
    }
    Ok(count)
}

/// References whose lifetimes are elided, a type that need not be `'static`, and a callable.
#[coro_core::coroutine(send = T, yields = usize, flavours(native, generator))]
fn collect<T: PartialEq>(
    into: &mut Vec<T>,
    stop: &T,
    seen: impl Fn(&T),
) -> Result<&'static str, Thrown<&'static str>> {
    loop {
        let sent = yield_!(into.len())?;
        seen(&sent);
        if sent == *stop {
            return Ok("stopped");
        }
        into.push(sent);
    }
}

/// A lifetime that is hidden in a path.
#[coro_core::coroutine(yields = u32, flavours(native, generator))]
fn increased(numbers: std::slice::IterMut<'_, u32>) -> Result<(), Thrown<Infallible>> {
    for number in numbers {
        *number += 1;
        yield_!(*number)?;
    }
    Ok(())
}

/// Reads words out of a text that is gone afterwards.
fn read<C>(make: fn(&'static str) -> C, lend: impl for<'a> Fn(&'a str) -> Vec<&'a str>)
where
    C: Coroutine<Send = (), Yield = &'static str, Return = usize, Error = Infallible>,
{
    let text = String::from("lent for a while");
    assert_eq!(lend(&text), ["lent", "for", "a", "while"]);
    let mut items = make("as long as it likes").items();
    assert_eq!(items.by_ref().count(), 5);
    assert_eq!(items.returned(), Some(5));
}

#[test]
fn a_coroutine_yields_what_it_has_borrowed() {
    read(words::native, |text| words::native(text).items().map(Result::unwrap).collect());
    read(words::generator, |text| words::generator(text).items().map(Result::unwrap).collect());
}

fn fill<'a>(
    mut collect: impl Coroutine<Send = &'a str, Yield = usize, Return = &'static str, Error = &'static str>,
) -> Option<&'static str> {
    assert_eq!(collect.start(), Ok(Outcome::Yielded(0)));
    assert_eq!(collect.send("one"), Ok(Outcome::Yielded(1)));
    assert_eq!(collect.send("two"), Ok(Outcome::Yielded(2)));
    collect.send("stop").unwrap().returned()
}

#[test]
fn what_was_lent_for_writing_is_back_with_what_was_written() {
    let stop = String::from("stop");
    let (mut into, seen) = (Vec::new(), RefCell::new(String::new()));
    let see = |word: &&str| seen.borrow_mut().push_str(word);
    assert_eq!(fill(collect::native(&mut into, &stop.as_str(), see)), Some("stopped"));
    assert_eq!(into, ["one", "two"]);
    into.clear();
    assert_eq!(fill(collect::generator(&mut into, &stop.as_str(), see)), Some("stopped"));
    assert_eq!(into, ["one", "two"]);
    assert_eq!(seen.take(), "onetwostoponetwostop");
}

#[test]
fn what_was_lent_is_back_when_the_coroutine_has_gone_half_way() {
    let mut numbers = [1, 10, 100];
    let mut native = increased::native(numbers.iter_mut());
    assert_eq!(native.next(), Ok(Outcome::Yielded(2)));
    drop(native);
    assert_eq!(numbers, [2, 10, 100]);
    let mut generator = increased::generator(numbers[1..].iter_mut());
    assert_eq!(generator.next(), Ok(Outcome::Yielded(11)));
    assert_eq!(generator.close(), Ok(None));
    drop(generator);
    assert_eq!(numbers, [2, 11, 100]);
}
