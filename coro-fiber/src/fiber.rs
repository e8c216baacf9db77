//! A fiber that has not begun.

use std::any::type_name;
use std::panic::Location;

use coro_core::backend::{Delegation, IntoSub, Machine};
use coro_core::coroutine::{Coroutine, MisuseKind, State, Thrown};
use coro_core::event_loop::IntoDriven;
use coro_core::task::Prepared;

use crate::engine::Engine;
use crate::stack::Site;
use crate::{Co, ScopedFiber, StackError, StackPool};

/// A coroutine on corosensei, not begun.
///
/// `S` is sent, `Y` yielded, `R` returned, `E` thrown and raised. See the [crate] for an example.
///
/// It waits for one to run it: an event loop, as a task ([`task`](crate::task()), [`spawn`](crate::spawn())) or as an
/// actor ([`drive`](coro_core::EventLoop::drive)); a coroutine of any flavour, which delegates to it with
/// `co.yield_from(fiber)`; or a [`Scope`](crate::Scope), in which it is resumed by hand. Its stack is empty until
/// then, so that it may be kept anywhere in its thread, which it never leaves:
///
/// ```compile_fail,E0277
/// let fiber = coro_fiber::Fiber::<u32, u32, (), ()>::new(|_| Ok(()));
/// std::thread::spawn(move || drop(fiber));
/// ```
#[derive(Debug)]
#[must_use = "a fiber does nothing until it is given to a scope, a loop or another coroutine"]
pub struct Fiber<S, Y, R, E = std::convert::Infallible>(Machine<Engine<S, Y, R, E>>);

impl<S, Y, R, E> Fiber<S, Y, R, E> {
    /// A coroutine that will run `body` on a stack of its own. Nothing runs yet.
    ///
    /// It takes the stack when it begins. If there is none left then, the body is dropped, and what began it gets
    /// [`MisuseKind::NoStack`], raised.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        Self::with_options(body, Site { name: type_name::<F>(), made_at: Location::caller() }, None)
    }

    /// [`new`](Self::new), with another name or place, and a stack from this pool.
    pub(crate) fn with_options<F>(body: F, site: Site, pool: Option<StackPool>) -> Self
    where
        F: FnOnce(&mut Co<'_, S, Y, E>) -> Result<R, Thrown<E>> + 'static,
        S: 'static,
        Y: 'static,
        R: 'static,
        E: 'static,
    {
        Self(Machine::new(Engine::new(body, site, pool), site.name, site.made_at))
    }

    /// The same, with its stack.
    pub(crate) fn with_stack(self) -> Result<Self, StackError> {
        let mut result = Ok(());
        let machine = self.0.map_engine(|mut engine| {
            result = engine.begin();
            engine
        });
        result.map(|()| Self(machine))
    }

    /// Always [`State::Created`]: what runs it takes it.
    pub fn state(&self) -> State {
        self.0.state()
    }

    pub(crate) fn into_machine(self) -> Machine<Engine<S, Y, R, E>> {
        self.0
    }
}

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoSub<S, Y, E> for Fiber<S, Y, R, E> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.0.into_sub(first)
    }
}

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoDriven for Fiber<S, Y, R, E> {
    type Coroutine = ScopedFiber<'static, S, Y, R, E>;

    fn into_driven(self) -> Prepared<Self::Coroutine> {
        Prepared::new(ScopedFiber::new(self))
    }
}
