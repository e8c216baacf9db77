//! What the attribute makes is quiet in a crate that allows nothing.

#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, non_camel_case_types)]

use std::cell::RefCell;
use std::convert::Infallible;

use coro_core::prelude::*;
use coro_fiber::scope;

/// An alias of the program's own.
pub type Ended<T> = Result<T, Thrown<Box<dyn std::error::Error>>>;

/// Nothing of it is used.
#[coro_core::coroutine(yields = u32, flavours(native, generator, fiber))]
#[must_use]
pub fn unused(mut start: u32, _held: String, _: u32, ref kept: String) -> Ended<usize> {
    start += 1;
    yield_!(start)?;
    Ok(kept.len())
}

mod inner {
    use super::*;

    #[coro_core::coroutine(send = T, yields = Option<T>, flavours(native, fiber))]
    #[cfg(not(any()))]
    pub(super) fn last<T: Clone + 'static>(measure: impl Fn(&T) -> bool + 'static) -> Ended<Infallible> {
        let kept = RefCell::new(None);
        loop {
            // The guard is gone while it is suspended.
            let sent = yield_!(kept.borrow().clone())?;
            if measure(&sent) {
                *kept.borrow_mut() = Some(sent);
            }
        }
    }

    #[coro_core::coroutine(yields = u32)]
    #[cfg(any())]
    fn left_out() -> Does<Not, Matter> {}
}

/// Parses what it is given.
#[coro_core::coroutine(yields = i64, flavours(native, fiber))]
pub fn parsed(texts: Vec<String>) -> Ended<i64> {
    let mut sum = 0;
    if texts.is_empty() {
        return Ok(sum);
    }
    for text in texts {
        let number: i64 = text.parse().map_err(Box::<dyn std::error::Error>::from)?;
        sum += number;
        yield_!(number)?;
    }
    Ok(yield_from!(sub!(crate::parsed(Vec::new())))? + sum)
}

#[test]
fn what_is_sent_may_come_out_of_a_cell() {
    scope(|scope| {
        let mut last = scope.own(inner::last::fiber(|number| number % 2 == 0));
        assert!(matches!(last.start(), Ok(Outcome::Yielded(None))));
        assert!(matches!(last.send(2), Ok(Outcome::Yielded(Some(2)))));
        assert!(matches!(last.send(3), Ok(Outcome::Yielded(Some(2)))));
    });
}

#[test]
fn a_body_ends_early_with_an_alias_for_a_result() {
    let texts = || ["1", "2"].map(String::from).to_vec();
    let mut items = parsed::native(texts()).items();
    assert_eq!(items.by_ref().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(items.returned(), Some(3));
    let first = scope(|scope| scope.own(parsed::fiber(vec!["x".to_string()])).items().next());
    let Some(Err(Thrown::Error(error))) = first else { panic!("it is no number") };
    assert_eq!(error.to_string(), "invalid digit found in string");
}
