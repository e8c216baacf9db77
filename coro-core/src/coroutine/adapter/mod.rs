//! Coroutines made of coroutines: they change what passes, and let pass the rest.

mod chain;
mod map;
mod sub;
mod take;
mod zip;

pub use chain::Chain;
pub use map::{Inspect, MapReturn, MapYield};
pub use take::Take;
pub use zip::{Zip, ZipEnd};

use super::Coroutine;

/// Adapters, for the coroutines of all flavours. They are lazy, run in the resume that they are used in, and keep the
/// [laws](Coroutine#the-laws): a value, an error and a close pass through to the coroutine inside.
///
/// By `&mut coroutine` they borrow it, so that it can be used afterwards. What owns its coroutine can be delegated to,
/// `co.yield_from(coroutine.map_yield(…))`; it is resumed as a whole, and costs a level.
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

    /// Runs both side by side, each in its turn, and yields pairs.
    ///
    /// Both receive the same: a value and an error go to the first and, if it yields on that, to `second`. The first
    /// of them to return or to raise ends the zip; the other is not told, it stays where it is, as in
    /// [`take`](Self::take). Both should be new, or both suspended.
    ///
    /// No item is lost. One that found no partner comes with the return ([`ZipEnd::Second`]), or is kept for
    /// [`Zip::unpaired`] if there was no return.
    ///
    /// A close always goes to both, to the first before `second`. If both yield on it, that is an
    /// [`IgnoredExit`](super::Misuse::IgnoredExit) of the pair, and they go on. If one does, the zip has ended, with
    /// [`MisuseKind::IgnoredExit`](super::MisuseKind::IgnoredExit) raised: the other one is over. Of two errors that
    /// they raise the later stands, as of one that is raised in a `finally`. The values that they return on a close
    /// are dropped, as in [`chain`](Self::chain).
    ///
    /// # Examples
    ///
    /// ```
    /// use coro_core::coroutine::{Adapt, ZipEnd, from_iter};
    /// use coro_core::native::Native;
    /// use coro_core::prelude::*;
    ///
    /// let letters = Native::<(), char, &str>::new(async |co| {
    ///     co.yield_('a').await?;
    ///     co.yield_('b').await?;
    ///     Ok("no more letters")
    /// });
    /// let mut pairs = from_iter(1..).zip(letters).items();
    /// let collected: Result<Vec<_>, _> = pairs.by_ref().collect();
    /// assert_eq!(collected, Ok(vec![(1, 'a'), (2, 'b')]));
    /// assert_eq!(pairs.returned(), Some(ZipEnd::Second { returned: "no more letters", unpaired: 3 }));
    /// ```
    fn zip<D>(self, second: D) -> Zip<Self, D>
    where
        Self: Coroutine<Send: Clone, Error: Clone>,
        D: Coroutine<Send = Self::Send, Error = Self::Error>,
    {
        Zip::new(self, second)
    }
}

impl<C: Coroutine> Adapt for C {}
