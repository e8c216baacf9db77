//! Asynchronous contexts: what is entered before a body and left after it, however that ends.

use core::future::Future;

use super::Thrown;
use crate::backend::Entered;
use crate::event_loop::is_cancellation;

/// How the body of a [`with`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a value.
    Returned,
    /// With an error.
    Raised,
    /// It was asked to end ([`Thrown::Exit`], or a cancellation of its task), or was dropped where it waited.
    Cancelled,
}

impl Ending {
    /// That of a body that received what was thrown into it.
    pub fn of<T, E: 'static>(result: &Result<T, Thrown<E>>) -> Self {
        match result {
            Ok(_) => Self::Returned,
            Err(Thrown::Exit) => Self::Cancelled,
            Err(Thrown::Error(error)) if is_cancellation(error) => Self::Cancelled,
            Err(_) => Self::Raised,
        }
    }
}

/// What a body can be run in: Python's asynchronous context manager ([PEP 492](https://peps.python.org/pep-0492/)), for
/// bodies that end with errors of type `E`.
///
/// The same value serves bodies of all flavours: [`with`] for plain futures, and `co.with(context, body)` for those
/// that have a `Co`.
///
/// It is told how the body ended, and cannot change that, except by an error of its own: to go on after an error, match
/// what the `with` gives.
pub trait AsyncContext<E> {
    /// What the body is given.
    type Value;

    /// Before the body: `__aenter__`. Dropped half-way, it was not entered, and is not left.
    ///
    /// # Errors
    ///
    /// Then the body does not run, and `exit` does not either.
    fn enter(&mut self) -> impl Future<Output = Result<Self::Value, E>>;

    /// After the body, once: `__aexit__`.
    ///
    /// # Errors
    ///
    /// They take the place of what the body ended with.
    fn exit(self, ending: Ending) -> impl Future<Output = Result<(), E>>;
}

/// Enters `context`, runs `body` with its value, and leaves it: `async with`, for a body that is a future.
///
/// # Errors
///
/// That of `exit`, else that of the body; or that of `enter`.
///
/// # Cancellation
///
/// A plain future is dropped where it waits, and cannot wait any more. Dropped in the body, the context is left with
/// [`Ending::Cancelled`] *later*, in a task of the loop that runs; [`Loop::run`](crate::EventLoop::run) waits for it, nobody
/// can cancel it, and contexts that were dropped together are left one after the other, from the inside. Outside a loop
/// it is dropped. Where the context must be left before anything else happens, use the `with` of a
/// [`Co`](crate::native::Co::with) and wait by `co.wait(…)` in the body.
///
/// Dropped in `enter`, it was not entered. Dropped in `exit`, that is cut off, as in Python.
///
/// # Examples
///
/// ```
/// use coro_core::coroutine::{AsyncContext, Ending, with};
/// use coro_core::prelude::*;
/// use std::time::Duration;
///
/// struct Connection;
///
/// impl AsyncContext<std::io::Error> for Connection {
///     type Value = u32;
///
///     async fn enter(&mut self) -> std::io::Result<u32> {
///         sleep(Duration::from_secs(1)).await;
///         Ok(42)
///     }
///
///     async fn exit(self, ending: Ending) -> std::io::Result<()> {
///         assert_eq!(ending, Ending::Returned);
///         sleep(Duration::from_secs(1)).await;
///         Ok(())
///     }
/// }
///
/// let answer = Loop::simulated().run(with(Connection, async |number| Ok(number + 1)));
/// assert_eq!(answer.unwrap().unwrap(), 43);
/// ```
///
/// # References
///
/// [PEP 492](https://peps.python.org/pep-0492/#asynchronous-context-managers-and-async-with).
pub async fn with<C, T, E>(mut context: C, body: impl AsyncFnOnce(C::Value) -> Result<T, E>) -> Result<T, E>
where
    C: AsyncContext<E> + 'static,
    E: 'static,
{
    let value = context.enter().await?;
    let entered = Entered::new(context);
    let result = body(value).await;
    let ending = if result.is_ok() { Ending::Returned } else { Ending::Raised };
    entered.exit(ending).await?;
    result
}
