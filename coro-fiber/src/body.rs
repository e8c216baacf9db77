//! A body that has not begun, and what it shares with its fiber, in one allocation.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;

use coro_core::coroutine::Thrown;

use crate::Co;
use crate::current::run_here;
use crate::engine::{Begins, Exchange, Fiber, Switch};
use crate::stack::Stack;
use crate::switch::Coroutine;

/// ```text
///   Body ──▶ ┌ counts   ┐ ◀── the stack, once it has begun
///     └────▶ │ exchange │
///            │ body     │     moved to the stack by the first resume
///            └──────────┘
/// ```
///
/// A body that is never unwound keeps its count, and so the exchange that it refers to.
pub(crate) struct Body<S, Y, R, E> {
    /// **Invariant:** points into what `held` holds. The way through `held` asks a table each time how far the
    /// exchange is from the counts.
    exchange: NonNull<Exchange<S, Y, E>>,
    held: Rc<dyn Begin<S, Y, R, E>>,
}

impl<S, Y, R, E> Body<S, Y, R, E> {
    #[inline(always)]
    pub(crate) fn new<F>(exchange: Exchange<S, Y, E>, body: F) -> Self
    where
        F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        let mut held = Rc::new_uninit();
        let Some(place) = Rc::get_mut(&mut held) else { unreachable!("nobody else has it") };
        place.write(Held { exchange, body: Cell::new(Some(body)) });
        // SAFETY: it was just written. There, because `Rc::new` would make it elsewhere and copy it.
        let held = unsafe { held.assume_init() };
        Self { exchange: NonNull::from(&held.exchange), held }
    }

    #[inline(always)]
    pub(crate) fn exchange(&self) -> &Exchange<S, Y, E> {
        // SAFETY: `held` counts for the allocation as long as `self` lives, so it is neither freed nor moved. The exchange
        // was written before there was a pointer to it, and is only ever shared.
        unsafe { self.exchange.as_ref() }
    }

    /// Puts it on a stack, where the first resume runs it.
    #[inline(always)]
    pub(crate) fn begin(&self, stack: Stack) -> Fiber<R, E> {
        Rc::clone(&self.held).begin(stack)
    }

    /// Drops the body, if it has not run.
    #[cold]
    pub(crate) fn discard(&self) {
        self.held.discard();
    }
}

/// A body, whatever its type.
trait Begin<S, Y, R, E> {
    fn begin(self: Rc<Self>, stack: Stack) -> Fiber<R, E>;

    fn discard(&self);
}

struct Held<S, Y, E, F> {
    exchange: Exchange<S, Y, E>,
    /// Until it runs: a fiber that waits for its turn has no stack.
    body: Cell<Option<F>>,
}

impl<F, S, Y, R, E> Begin<S, Y, R, E> for Held<S, Y, E, F>
where
    F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
    S: 'static,
    Y: 'static,
    R: 'static,
    E: 'static,
{
    fn begin(self: Rc<Self>, stack: Stack) -> Fiber<R, E> {
        Coroutine::with_stack(stack, move |switch: &Switch, ()| {
            // Here at the bottom, so that whoever resumes it is not unwound by what unwinds it.
            catch_unwind(AssertUnwindSafe(|| {
                let exchange = &self.exchange;
                let own_context = exchange.begins.replace(Begins::Already) == Begins::InItsOwn;
                let Some(body) = self.body.take() else { unreachable!("a body runs once") };
                run_here(switch, exchange, own_context, |here| body(&mut Co::new(exchange, here)))
            }))
        })
    }

    fn discard(&self) {
        drop(self.body.take());
    }
}
