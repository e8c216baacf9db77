//! Fibers that are resumed by hand, and cannot leave the place where that is done.
//!
//! # Why it is sound
//!
//! What a `thread_local!` and any other place of unknown lifetime holds is `'static`. A fiber that is resumed by hand
//! has a lifetime that is not, the *brand*: [`scope`] runs a closure that works for every brand, so nothing of a brand
//! can be in what the closure returns, captures or calls. The fiber is dropped in the closure's frames or is never
//! dropped (`mem::forget`), and a stack that is never unwound is never looked at again: it is not reused. (But another
//! thread, to which it has lent what it refers to, does not know that: see [what remains](crate::guide#what-remains).)
//!
//! The body of such a fiber may be of the brand too, which is less than `'static`, though corosensei takes only what
//! is `'static`. The compiler checks the proof: the closure that works for every brand works for `'static`, with which
//! `scope` calls it, and at this brand [`Scope::extend`] is the identity. So every body is `'static` in truth, and no
//! line here is `unsafe`.

use std::any::{Any, type_name_of_val};
use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use coro_core::backend::{Delegation, IntoSub, Machine};
use coro_core::coroutine::{Coroutine, FrameInfo, FrameTrace, InputOf, MisuseKind, Resumed, State, Thrown};

use crate::current::Here;
use crate::engine::{Engine, Exchange};
use crate::{Co, Fiber, Options};

/// Runs `body` with a [`Scope`], in which fibers are resumed by hand.
///
/// No fiber of the scope can leave it: not in what `body` returns, not in a `thread_local!`, where its stack could
/// outlive what it refers to.
///
/// # Examples
///
/// ```
/// use coro_core::prelude::*;
/// use coro_fiber::{Fiber, scope};
///
/// let twice = scope(|scope| {
///     let mut doubler = scope.fiber::<u32, u32, (), ()>(|co| {
///         let mut sent = 0;
///         loop {
///             sent = co.yield_(2 * sent)?;
///         }
///     });
///     doubler.start().unwrap();
///     doubler.send(21)
/// });
/// assert_eq!(twice, Ok(Outcome::Yielded(42)));
///
/// // A fiber that was made elsewhere.
/// let words = Fiber::<(), &str, ()>::new(|co| {
///     co.yield_("on a stack")?;
///     co.yield_("of its own")
/// });
/// let words: Result<Vec<_>, _> = scope(|scope| scope.own(words).items().collect());
/// assert_eq!(words.unwrap(), ["on a stack", "of its own"]);
/// ```
pub fn scope<T>(body: impl for<'brand> FnOnce(Scope<'brand>) -> T) -> T {
    body(Scope::new())
}

/// [`scope`] for a body that awaits meanwhile.
///
/// # Cancellation
///
/// Dropping the future drops the body where it waits, with the fibers that it holds.
///
/// # Examples
///
/// ```
/// use coro_core::prelude::*;
/// use std::time::Duration;
///
/// let items = Loop::simulated().run(coro_fiber::scope_async(async |scope| {
///     let mut ticks = AsyncGenerator::scoped(scope.fiber::<(), u32, (), ()>(|co| {
///         for tick in 0..3 {
///             co.wait(sleep(Duration::from_secs(1)))?;
///             co.yield_(tick)?;
///         }
///         Ok(())
///     }));
///     let mut items = Vec::new();
///     while let Ok(Some(item)) = ticks.next().await {
///         items.push(item);
///     }
///     items
/// }));
/// assert_eq!(items.unwrap(), [0, 1, 2]);
/// ```
pub async fn scope_async<T>(body: impl for<'brand> AsyncFnOnce(Scope<'brand>) -> T) -> T {
    body(Scope::new()).await
}

/// Where fibers are resumed by hand. Made by [`scope`] and [`scope_async`], for the time of a call.
#[derive(Clone, Copy)]
pub struct Scope<'brand> {
    /// Lets a body of the brand pass for `'static`. It is the identity, because the brand of every scope *is*
    /// `'static`; only those who use the scope do not know.
    extend: fn(Erased<'brand>) -> Erased<'static>,
    brand: Brand<'brand>,
}

/// Two brands are never the same, and neither is longer than the other.
type Brand<'brand> = PhantomData<fn(&'brand ()) -> &'brand ()>;

/// A body whose types are hidden. It leaves its result in an `Option`.
type Erased<'brand> = Box<dyn FnOnce(&Here<'_>, &mut dyn Any) + 'brand>;

impl Scope<'static> {
    fn new() -> Self {
        Self { extend: |body| body, brand: PhantomData }
    }
}

impl<'brand> Scope<'brand> {
    /// A coroutine that will run `body` on a stack of its own, as [`Fiber::new`]. Nothing runs yet.
    ///
    /// The body may hold other fibers of the scope, and a [`Shared`](coro_core::coroutine::Shared) handle to its own.
    #[track_caller]
    pub fn fiber<S, Y, R, E>(
        self,
        body: impl FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'brand,
    ) -> ScopedFiber<'brand, S, Y, R, E>
    where
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        self.fiber_with(&Options::new(), body)
    }

    /// [`fiber`](Self::fiber), with another stack or a name of its own.
    #[track_caller]
    pub fn fiber_with<S, Y, R, E>(
        self,
        options: &Options,
        body: impl FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'brand,
    ) -> ScopedFiber<'brand, S, Y, R, E>
    where
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        let site = options.site(type_name_of_val(&body));
        let erased = (self.extend)(Box::new(|here, ended| {
            let Some(exchange) = here.exchange.as_any().downcast_ref::<Exchange<S, Y, E>>() else { return };
            let Some(ended) = ended.downcast_mut::<Option<Result<R, Thrown<E>>>>() else { return };
            *ended = Some(body(&mut Co::new(exchange, here)));
        }));
        let fiber = Fiber::with_options(
            move |co| {
                let mut ended = None::<Result<R, Thrown<E>>>;
                erased(co.here(), &mut ended);
                ended.unwrap_or(Err(Thrown::Exit))
            },
            site,
            options.stacks(),
        );
        self.own(fiber)
    }

    /// Takes a fiber into the scope.
    pub fn own<S, Y, R, E>(self, fiber: Fiber<S, Y, R, E>) -> ScopedFiber<'brand, S, Y, R, E> {
        let fiber = ScopedFiber::new(fiber);
        fiber.machine.engine().set_own_context(true);
        fiber
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// A fiber that is resumed by hand, in the scope of its brand. Made by [`Scope`].
///
/// It cannot leave the scope, nor its thread:
///
/// ```compile_fail,E0521
/// use coro_fiber::{ScopedFiber, scope};
///
/// thread_local! {
///     static KEPT: std::cell::Cell<Option<ScopedFiber<'static, (), u32, (), ()>>> = const { std::cell::Cell::new(None) };
/// }
/// scope(|scope| KEPT.set(Some(scope.fiber(|co| co.yield_(1)))));
/// ```
///
/// ```compile_fail,E0277
/// coro_fiber::scope(|scope| {
///     let fiber = scope.fiber::<u32, u32, (), ()>(|_| Ok(()));
///     std::thread::scope(|threads| {
///         threads.spawn(move || drop(fiber));
///     });
/// });
/// ```
///
/// It can be delegated to, wherever it stands. The brand ends there: a chain of delegations is `'static`; see
/// [what remains](crate::guide#what-remains).
#[derive(Debug)]
pub struct ScopedFiber<'brand, S, Y, R, E = std::convert::Infallible> {
    machine: Machine<Engine<S, Y, R, E>>,
    brand: Brand<'brand>,
}

impl<S, Y, R, E> ScopedFiber<'_, S, Y, R, E> {
    /// With any brand: not for everybody. `'static` is for those who answer for where it is kept, as a loop does.
    pub(crate) fn new(fiber: Fiber<S, Y, R, E>) -> Self {
        Self { machine: fiber.into_machine(), brand: PhantomData }
    }
}

impl<S, Y, R, E> Coroutine for ScopedFiber<'_, S, Y, R, E> {
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    fn state(&self) -> State {
        self.machine.state()
    }

    fn info(&self) -> FrameInfo {
        self.machine.info()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.machine.delegates()
    }

    fn backtrace(&mut self) -> Vec<FrameTrace> {
        self.machine.backtrace()
    }

    #[inline(always)]
    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.machine.poll_resume(cx, input)
    }

    fn fetch(&self) {
        self.machine.fetch();
    }

    fn begin_resume(&mut self, cx: &mut Context<'_>, input: InputOf<Self>) -> Option<Poll<Resumed<Self>>> {
        self.machine.begin_resume(cx, input)
    }

    fn start(&mut self) -> Resumed<Self> {
        self.machine.start()
    }

    #[inline(always)]
    fn resume(&mut self, input: InputOf<Self>) -> Resumed<Self> {
        self.machine.resume(input)
    }
}

coro_core::__into_iterator! { ['brand, S, Y, R, E] ScopedFiber<'brand, S, Y, R, E>; }

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoSub<S, Y, E> for ScopedFiber<'_, S, Y, R, E> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        // A part of what it is delegated to by, unless it has begun.
        self.machine.engine().set_own_context(false);
        self.machine.into_sub(first)
    }
}
