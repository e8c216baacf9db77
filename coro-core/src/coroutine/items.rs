//! The iterating face of a coroutine that receives nothing.

use core::fmt;
use core::iter::FusedIterator;

use super::{
    Chain, Coroutine, CoroutineExt, FromIter, Inspect, MapReturn, MapYield, Misuse, Nothing, Outcome, Shared,
    State, Take, Thrown, Zip,
};
use crate::native::Native;

/// What a coroutine yields, as an iterator. Made by [`CoroutineExt::items`], and by `for item in coroutine`.
///
/// Each item is a `Result`: an error that the body raises is an item, the last one, so that it cannot be overlooked.
/// So is a misuse (the body waits, say: then it is for an [`AsyncGenerator`](super::AsyncGenerator)). The value that
/// the body returns is kept for [`returned`](Self::returned).
///
/// It takes nothing in advance and ends nothing: after a `break`, an iteration over `&mut items`, or over the items
/// of `&mut coroutine`, goes on where it was.
///
/// # Examples
///
/// ```
/// use coro_core::native::Native;
/// use coro_core::prelude::*;
///
/// let mut countdown = Native::<(), u32, &str, ()>::new(async |co| {
///     for i in (1..=3).rev() {
///         co.yield_(i).await?;
///     }
///     Ok("lift-off")
/// });
/// for item in &mut countdown {
///     if item == Ok(3) {
///         break;
///     }
/// }
/// let mut rest = countdown.items();
/// let collected: Result<Vec<u32>, _> = rest.by_ref().collect();
/// assert_eq!(collected, Ok(vec![2, 1]));
/// assert_eq!(rest.returned(), Some("lift-off"));
/// ```
pub struct Items<C: Coroutine> {
    coroutine: C,
    returned: Option<C::Return>,
    ended: bool,
}

impl<C: Coroutine> Items<C> {
    pub(super) fn new(coroutine: C) -> Self {
        Self { coroutine, returned: None, ended: false }
    }

    /// Takes the value that the body has returned. `None` if it has not returned in this iteration, or if the value
    /// was taken before.
    pub fn returned(&mut self) -> Option<C::Return> {
        self.returned.take()
    }

    /// The coroutine itself, where it stands.
    pub fn into_inner(self) -> C {
        self.coroutine
    }
}

impl<C: Coroutine<Send: Nothing>> Iterator for Items<C> {
    type Item = Result<C::Yield, Thrown<C::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let last = match self.coroutine.next() {
            Ok(Outcome::Yielded(value)) => return Some(Ok(value)),
            Ok(Outcome::Returned(value)) => {
                self.returned = Some(value);
                None
            }
            Ok(Outcome::Closed) | Err(Misuse::Finished(_)) => None,
            Ok(Outcome::Raised(error)) => Some(Err(error)),
            Err(misuse) => Some(Err(Thrown::Misuse(misuse.kind()))),
        };
        self.ended = true;
        last
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let is_over = self.ended || self.coroutine.state() == State::Finished;
        (0, is_over.then_some(0))
    }
}

impl<C: Coroutine<Send: Nothing>> FusedIterator for Items<C> {}

/// Lets `for` iterate over a type of coroutine, and over a `&mut` to it, which goes on where it was left: not for all
/// coroutines at once, because `IntoIterator` belongs to the standard library. Give the parameters, then the type.
#[doc(hidden)]
#[macro_export]
macro_rules! __into_iterator {
    ($([$($lifetime:lifetime,)* $($parameter:ident),*] $type:ty $(where { $($bounds:tt)* })?;)*) => {$(
        impl<$($lifetime,)* $($parameter),*> IntoIterator for $type
        where
            $($($bounds)*)?
            Self: $crate::coroutine::Coroutine<Send: $crate::coroutine::Nothing>,
        {
            type Item = <Self::IntoIter as Iterator>::Item;
            type IntoIter = $crate::coroutine::Items<Self>;

            fn into_iter(self) -> Self::IntoIter {
                $crate::coroutine::CoroutineExt::items(self)
            }
        }

        impl<'coroutine, $($lifetime,)* $($parameter),*> IntoIterator for &'coroutine mut $type
        where
            $($($bounds)*)?
            $type: $crate::coroutine::Coroutine<Send: $crate::coroutine::Nothing>,
        {
            type Item = <Self::IntoIter as Iterator>::Item;
            type IntoIter = $crate::coroutine::Items<Self>;

            fn into_iter(self) -> Self::IntoIter {
                $crate::coroutine::CoroutineExt::items(self)
            }
        }
    )*};
}

crate::__into_iterator! {
    [S, Y, R, E, F] Native<S, Y, R, E, F> where { F: Future<Output = Result<R, Thrown<E>>> + ?Sized, };
    [C, F] MapYield<C, F>;
    [C, F] MapReturn<C, F>;
    [C, F] Inspect<C, F>;
    [C] Take<C>;
    [C, D] Chain<C, D> where { C: Coroutine, D: Coroutine, };
    [C, D] Zip<C, D> where { C: Coroutine, D: Coroutine, };
    [I, S, E] FromIter<I, S, E>;
    [C] Shared<C>;
}

impl<C: Coroutine> fmt::Debug for Items<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Items").field(&self.coroutine.state()).finish()
    }
}
