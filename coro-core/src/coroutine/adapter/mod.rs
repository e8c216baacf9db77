//! Coroutines made of coroutines: they change what passes, and let pass the rest.

mod chain;
mod map;
mod take;

pub use chain::Chain;
pub use map::{Inspect, MapReturn, MapYield};
pub use take::Take;

use super::Coroutine;

/// Adapters, for the coroutines of all flavours. They are lazy, run in the resume that they are used in, and keep the
/// [laws](Coroutine#the-laws): a value, an error and a close pass through to the coroutine inside.
///
/// By `&mut coroutine` they borrow it, so that it can be used afterwards. To delegate to one, put it in a
/// [`Shared`](super::Shared).
///
/// There is no `zip`: it would have to say what two coroutines are doing when one of them ignores a close that the
/// other obeyed, and the contract has no word for it. Zip their [`items`](super::CoroutineExt::items).
pub trait Adapt: Coroutine + Sized {
    /// Yields what `map` makes of each value.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::coroutine::Adapt;
    /// use coro_core::native::Native;
    /// use coro_core::prelude::*;
    ///
    /// let echo = Native::<u32, u32, (), ()>::new(async |co| {
    ///     let mut sent = 0;
    ///     loop {
    ///         sent = co.yield_(sent).await?;
    ///     }
    /// });
    /// let mut loud = echo.map_yield(|value| format!("{value}!"));
    /// assert_eq!(loud.start(), Ok(Outcome::Yielded("0!".to_string())));
    /// assert_eq!(loud.send(7), Ok(Outcome::Yielded("7!".to_string())));
    /// assert_eq!(loud.throw(()), Ok(Outcome::Raised(Thrown::Error(()))));
    /// ```
    fn map_yield<T, F: FnMut(Self::Yield) -> T>(self, map: F) -> MapYield<Self, F> {
        MapYield::new(self, map)
    }

    /// Returns what `map` makes of the value that the body returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::coroutine::Adapt;
    /// use coro_core::native::Native;
    /// use coro_core::prelude::*;
    ///
    /// let answer = Native::<(), u32, u32, ()>::new(async |_| Ok(42));
    /// let mut answer = answer.map_return(|value| value.to_string());
    /// assert_eq!(answer.start(), Ok(Outcome::Returned("42".to_string())));
    /// ```
    fn map_return<T, F: FnMut(Self::Return) -> T>(self, map: F) -> MapReturn<Self, F> {
        MapReturn::new(self, map)
    }

    /// Shows each value to `look` before it yields it.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::coroutine::Adapt;
    /// use coro_core::native::Native;
    /// use coro_core::prelude::*;
    ///
    /// let mut seen = Vec::new();
    /// let two = Native::<(), u32, (), ()>::new(async |co| {
    ///     co.yield_(1).await?;
    ///     co.yield_(2).await
    /// });
    /// assert_eq!(two.inspect(|value| seen.push(*value)).items().count(), 2);
    /// assert_eq!(seen, [1, 2]);
    /// ```
    fn inspect<F: FnMut(&Self::Yield)>(self, look: F) -> Inspect<Self, F> {
        Inspect::new(self, look)
    }

    /// Returns instead of going on after `count` yields: `None`, or `Some` of what the body returned before that.
    ///
    /// The coroutine inside is not closed, it stays where it is: at its last yield. The value that is sent to that
    /// yield is not delivered. An error that is thrown there is, and what the body yields on it is handed out.
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::coroutine::Adapt;
    /// use coro_core::native::Native;
    /// use coro_core::prelude::*;
    ///
    /// let mut numbers = Native::<(), u32, (), ()>::new(async |co| {
    ///     for number in 1.. {
    ///         co.yield_(number).await?;
    ///     }
    ///     Ok(())
    /// });
    /// let two: Result<Vec<_>, _> = (&mut numbers).take(2).items().collect();
    /// assert_eq!(two, Ok(vec![1, 2]));
    /// assert_eq!(numbers.next(), Ok(Outcome::Yielded(3)));
    /// ```
    fn take(self, count: usize) -> Take<Self> {
        Take::new(self, count)
    }

    /// Goes on with `second` when the body returns, in the same resume, and returns what both returned.
    ///
    /// `second` must be new. It never runs if the first is closed or raises an error. A value that a body returns
    /// when it is asked to close is dropped, as a delegation drops it
    /// ([PEP 380](https://peps.python.org/pep-0380/)).
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::coroutine::Adapt;
    /// use coro_core::native::Native;
    /// use coro_core::prelude::*;
    ///
    /// let once = |number| Native::<(), u32, u32, ()>::new(async move |co| {
    ///     co.yield_(number).await?;
    ///     Ok(number * 10)
    /// });
    /// let mut both = once(1).chain(once(2)).items();
    /// let yielded: Result<Vec<_>, _> = both.by_ref().collect();
    /// assert_eq!(yielded, Ok(vec![1, 2]));
    /// assert_eq!(both.returned(), Some((10, 20)));
    /// ```
    fn chain<D>(self, second: D) -> Chain<Self, D>
    where
        D: Coroutine<Send = Self::Send, Yield = Self::Yield, Error = Self::Error>,
    {
        Chain::new(self, second)
    }
}

impl<C: Coroutine> Adapt for C {}
