//! What is said about a fiber besides its body.

use std::any::type_name;
use std::convert::Infallible;
use std::panic::Location;

use coro_core::coroutine::Thrown;
use coro_core::task::{TaskError, TaskResult};

use crate::stack::{Site, StackError, StackPool};
use crate::{Co, Fiber, OnFiber, TaskCo};

/// What is said about a fiber besides its body: its stack, and its name.
///
/// # Examples
///
/// ```
/// use coro_fiber::{Fiber, Options, StackError, scope};
///
/// let options = Options::new().name("parser").stack_bytes(256 * 1024);
/// let parser = options.fiber::<(), u32, u32, (), _>(|_| Ok(42));
///
/// // With a stack from the start, or an error.
/// let parser: Result<Fiber<(), u32, u32, ()>, StackError> = options.reserve(|_| Ok(42));
/// assert!(parser.is_ok());
///
/// // As a task.
/// let answer = coro_core::Loop::simulated().run(options.task(|_| Ok(42)));
/// # use coro_core::prelude::*;
/// assert_eq!(answer.unwrap(), 42);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    name: Option<&'static str>,
    pool: Option<StackPool>,
}

impl Options {
    /// Those of [`Fiber::new`].
    pub fn new() -> Self {
        Self::default()
    }

    /// How it is called where coroutines are shown, and where its stack overflows. Else it is the type of its body.
    #[must_use]
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// How large its stack is: 64 KiB, if this is not said.
    ///
    /// It is rounded up to a power of two, and to 32 KiB at least, which a panic with a backtrace needs. That is address space; memory is taken for what is
    /// touched of it, in pages. Up to 2 KiB at its top are left out. A size for which there is no room is an error where
    /// the fiber takes its stack.
    #[must_use]
    pub fn stack_bytes(mut self, bytes: usize) -> Self {
        self.pool = Some(StackPool::of_size(bytes));
        self
    }

    /// From which stacks it takes its own, and so how large it is.
    #[must_use]
    pub fn pool(mut self, pool: &StackPool) -> Self {
        self.pool = Some(pool.clone());
        self
    }

    /// A coroutine that will run `body`, as [`Fiber::new`]. It takes its stack when it begins.
    #[track_caller]
    pub fn fiber<S, Y, R, E, F>(&self, body: F) -> Fiber<S, Y, R, E>
    where
        F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        Fiber::with_options(body, self.site(type_name::<F>()), self.stacks())
    }

    /// [`fiber`](Self::fiber) with its stack, which it takes now.
    ///
    /// # Errors
    ///
    /// If there is no stack for it. The body is dropped.
    #[track_caller]
    pub fn reserve<S, Y, R, E, F>(&self, body: F) -> Result<Fiber<S, Y, R, E>, StackError>
    where
        F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        self.fiber(body).with_stack()
    }

    /// A task, as [`task`](crate::task()) makes it.
    #[track_caller]
    pub fn task<F, R>(&self, body: F) -> Fiber<(), Infallible, R, TaskError>
    where
        F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
        R: 'static,
    {
        self.fiber(body)
    }

    /// A future of synchronous code, as [`on_fiber`](crate::on_fiber()) makes it.
    #[track_caller]
    pub fn on_fiber<F, T>(&self, body: F) -> OnFiber<T>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        let site = self.site(type_name::<F>());
        OnFiber::new(Fiber::with_options(move |_| Ok(body()), site, self.stacks()))
    }

    /// [`on_fiber`](Self::on_fiber), with its stack, so that it cannot be without one when it is polled.
    ///
    /// # Errors
    ///
    /// [`StackError`], if there is no stack for it. The body is dropped.
    #[track_caller]
    pub fn reserve_on_fiber<F, T>(&self, body: F) -> Result<OnFiber<T>, StackError>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        let site = self.site(type_name::<F>());
        Fiber::with_options(move |_| Ok(body()), site, self.stacks()).with_stack().map(OnFiber::new)
    }

    pub(crate) fn stacks(&self) -> Option<StackPool> {
        self.pool.clone()
    }

    #[track_caller]
    pub(crate) fn site(&self, body: &'static str) -> Site {
        Site { name: self.name.unwrap_or(body), made_at: Location::caller() }
    }
}
