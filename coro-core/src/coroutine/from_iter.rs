//! A coroutine made of an iterator.

use core::fmt;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use super::{Coroutine, Input, InputOf, Misuse, Nothing, Outcome, Resumed, State, finished};

/// Makes a coroutine of an iterator: it yields the items, and returns `()`.
///
/// It can be sent only [nothing](Nothing), as in Python `send(None)` is all that an iterator understands: another
/// value is refused as [`Misuse::CannotReceive`], handed back, and changes nothing. An error that is thrown in comes
/// straight back out, and it ends, as it does when it is closed: an iterator catches nothing.
///
/// Its sent and raised types, `S` and `E`, are those of the coroutines that it is used with.
///
/// # Examples
///
/// ```
/// use coro_core::coroutine::{Adapt, from_iter};
/// use coro_core::native::Native;
/// use coro_core::prelude::*;
///
/// let mut outer = Native::<(), u32, (), ()>::new(async |co| {
///     co.yield_from(from_iter([1, 2, 3]).map_yield(|number| 10 * number)).await
/// });
/// let items: Result<Vec<u32>, _> = outer.items().collect();
/// assert_eq!(items, Ok(vec![10, 20, 30]));
/// ```
pub fn from_iter<I: IntoIterator, S: Nothing, E>(iterable: I) -> FromIter<I::IntoIter, S, E> {
    FromIter { iterator: Some(iterable.into_iter()), is_new: true, sent: PhantomData }
}

/// An iterator as a coroutine. Made by [`from_iter`].
pub struct FromIter<I, S = (), E = core::convert::Infallible> {
    /// `None` once it has ended, and while it runs: a panic leaves it so.
    iterator: Option<I>,
    is_new: bool,
    sent: PhantomData<fn(S) -> E>,
}

impl<I, S, E> FromIter<I, S, E> {
    /// The iterator itself, where it stands. `None` once the coroutine has ended.
    pub fn into_inner(self) -> Option<I> {
        self.iterator
    }
}

impl<I: Iterator, S: Nothing, E> Coroutine for FromIter<I, S, E> {
    type Send = S;
    type Yield = I::Item;
    type Return = ();
    type Error = E;

    fn state(&self) -> State {
        match self.iterator {
            None => State::Finished,
            Some(_) if self.is_new => State::Created,
            Some(_) => State::Suspended,
        }
    }

    fn poll_resume(&mut self, _cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        Poll::Ready(match (self.state(), input) {
            (State::Created, Some(Input::Send(value))) => Err(Misuse::NotStarted(value)),
            (State::Suspended, Some(Input::Send(value))) if !value.is_nothing() => {
                Err(Misuse::CannotReceive(value))
            }
            (State::Suspended, None) => Err(Misuse::NoInput),
            (State::Created, None) | (State::Suspended, Some(Input::Send(_))) => Ok(self.advance()),
            (_, input) => {
                self.iterator = None;
                finished(input)
            }
        })
    }
}

impl<I: Iterator, S, E> FromIter<I, S, E> {
    fn advance(&mut self) -> Outcome<I::Item, (), E> {
        let Some(mut iterator) = self.iterator.take() else { return Outcome::Returned(()) };
        match iterator.next() {
            Some(item) => {
                self.is_new = false;
                self.iterator = Some(iterator);
                Outcome::Yielded(item)
            }
            None => Outcome::Returned(()),
        }
    }
}

impl<I: Iterator, S: Nothing, E> fmt::Debug for FromIter<I, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromIter").field(&self.state()).finish()
    }
}
