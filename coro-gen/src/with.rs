//! Bodies in a context.

use coro_core::backend::Entered;
use coro_core::coroutine::{AsyncContext, Ending, Thrown};

use crate::Co;

impl<S, Y, E> Co<'_, S, Y, E> {
    /// Enters `context`, runs `body` with its value, and leaves it: Python's `async with`.
    ///
    /// What is thrown in lands in the body, at its `yield_` or `wait`, and the context is left before it goes on from
    /// here.
    ///
    /// # Errors
    ///
    /// That of `exit`, else that of the body; or that of `enter`. What is thrown in during one of these waits comes
    /// out, and cuts it off.
    ///
    /// # Cancellation
    ///
    /// As that of [`with`](fn@coro_core::coroutine::with), when the body is dropped.
    ///
    /// # References
    ///
    /// [PEP 492](https://peps.python.org/pep-0492/#asynchronous-context-managers-and-async-with).
    pub async fn with<C, T, B>(&mut self, mut context: C, body: B) -> Result<T, Thrown<E>>
    where
        C: AsyncContext<E> + 'static,
        B: for<'c> AsyncFnOnce(&'c mut Self, C::Value) -> Result<T, Thrown<E>>,
        E: 'static,
    {
        let value = self.wait(context.enter()).await??;
        let entered = Entered::new(context);
        let result = body(self, value).await;
        self.wait(entered.exit(Ending::of(&result))).await??;
        result
    }
}
