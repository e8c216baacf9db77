//! A handle to a coroutine that its own body may hold.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::task::{Context, Poll};

use super::{Coroutine, FrameInfo, InputOf, Misuse, Resumed, State};

/// A cloneable handle to a coroutine.
///
/// A body that wants to reach its own coroutine captures one of these; only through it can a coroutine meet itself
/// running, and then every operation is [`Misuse::Running`] and hands its input back.
pub struct Shared<C: ?Sized>(Rc<RefCell<C>>);

impl<C> Shared<C> {
    /// Puts `coroutine` behind a handle.
    pub fn new(coroutine: C) -> Self {
        Self(Rc::new(RefCell::new(coroutine)))
    }
}

impl<C: ?Sized> Clone for Shared<C> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<C: Coroutine + ?Sized> fmt::Debug for Shared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.state()).finish()
    }
}

impl<C: Coroutine + ?Sized> Coroutine for Shared<C> {
    type Send = C::Send;
    type Yield = C::Yield;
    type Return = C::Return;
    type Error = C::Error;

    fn state(&self) -> State {
        match self.0.try_borrow() {
            Ok(coroutine) => coroutine.state(),
            Err(_) => State::Running,
        }
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.0.try_borrow().map_or_else(|_| Vec::new(), |coroutine| coroutine.delegates())
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<super::FrameTrace> {
        self.0.try_borrow_mut().map_or_else(|_| Vec::new(), |mut coroutine| coroutine.backtrace())
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<C>>) -> Poll<Resumed<Self>> {
        match self.0.try_borrow_mut() {
            Ok(mut coroutine) => coroutine.poll_resume(cx, input),
            Err(_) => Poll::Ready(Err(Misuse::Running(input))),
        }
    }
}
