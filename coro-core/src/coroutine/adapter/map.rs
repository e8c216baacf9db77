//! Adapters that change or show what comes out.

use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll};

use crate::coroutine::{Coroutine, FrameInfo, InputOf, Misuse, Outcome, Resumed, State};

/// A coroutine whose yields are mapped. Made by [`Adapt::map_yield`](super::Adapt::map_yield).
pub struct MapYield<C, F> {
    coroutine: C,
    map: F,
}

/// A coroutine whose return is mapped. Made by [`Adapt::map_return`](super::Adapt::map_return).
pub struct MapReturn<C, F> {
    coroutine: C,
    map: F,
}

/// A coroutine whose yields are looked at. Made by [`Adapt::inspect`](super::Adapt::inspect).
pub struct Inspect<C, F> {
    coroutine: C,
    look: F,
}

impl<C: Coroutine, T, F: FnMut(C::Yield) -> T> Coroutine for MapYield<C, F> {
    type Send = C::Send;
    type Yield = T;
    type Return = C::Return;
    type Error = C::Error;

    fn state(&self) -> State {
        self.coroutine.state()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.coroutine.delegates()
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<crate::coroutine::FrameTrace> {
        self.coroutine.backtrace()
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.coroutine.poll_resume(cx, input).map(|resumed| match resumed {
            Ok(Outcome::Yielded(value)) => Ok(Outcome::Yielded((self.map)(value))),
            Ok(Outcome::Returned(value)) => Ok(Outcome::Returned(value)),
            Ok(Outcome::Raised(error)) => Ok(Outcome::Raised(error)),
            Ok(Outcome::Closed) => Ok(Outcome::Closed),
            Err(misuse) => Err(misuse.map_yield(&mut self.map)),
        })
    }
}

impl<C: Coroutine, T, F: FnMut(C::Return) -> T> Coroutine for MapReturn<C, F> {
    type Send = C::Send;
    type Yield = C::Yield;
    type Return = T;
    type Error = C::Error;

    fn state(&self) -> State {
        self.coroutine.state()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.coroutine.delegates()
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<crate::coroutine::FrameTrace> {
        self.coroutine.backtrace()
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.coroutine.poll_resume(cx, input).map_ok(|outcome| match outcome {
            Outcome::Yielded(value) => Outcome::Yielded(value),
            Outcome::Returned(value) => Outcome::Returned((self.map)(value)),
            Outcome::Raised(error) => Outcome::Raised(error),
            Outcome::Closed => Outcome::Closed,
        })
    }
}

impl<C: Coroutine, F: FnMut(&C::Yield)> Coroutine for Inspect<C, F> {
    type Send = C::Send;
    type Yield = C::Yield;
    type Return = C::Return;
    type Error = C::Error;

    fn state(&self) -> State {
        self.coroutine.state()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.coroutine.delegates()
    }

    #[cfg(feature = "std")]
    fn backtrace(&mut self) -> Vec<crate::coroutine::FrameTrace> {
        self.coroutine.backtrace()
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        let resumed = self.coroutine.poll_resume(cx, input);
        if let Poll::Ready(Ok(Outcome::Yielded(value)) | Err(Misuse::IgnoredExit(value))) = &resumed {
            (self.look)(value);
        }
        resumed
    }
}

macro_rules! common {
    ($($type:ident, $function:ident);*) => {$(
        impl<C, F> $type<C, F> {
            pub(super) fn new(coroutine: C, $function: F) -> Self {
                Self { coroutine, $function }
            }

            /// The coroutine itself, where it stands.
            pub fn into_inner(self) -> C {
                self.coroutine
            }
        }

        impl<C: Coroutine, F> fmt::Debug for $type<C, F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.coroutine.state()).finish()
            }
        }
    )*};
}

common!(MapYield, map; MapReturn, map; Inspect, look);
