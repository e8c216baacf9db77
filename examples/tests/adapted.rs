//! Adapters that change nothing, under the laws: what passes through them passes unchanged.

use std::task::{Context, Poll};

use coro_core::backend::{Delegation, IntoSub};
use coro_core::conformance::{Do, Flavour, Script, Step, Subject};
use coro_core::coroutine::{Adapt, FrameInfo, InputOf, Inspect, MapReturn, MapYield, MisuseKind, Resumed};
use coro_core::native::Native;
use coro_core::prelude::*;

type Look<Y> = fn(&Y);
type Mapped<S, Y, R, E> = MapReturn<MapYield<Native<S, Y, R, E>, fn(Y) -> Y>, fn(R) -> R>;

/// Adapted where it is resumed; where it is delegated to, the coroutine inside is.
struct Adapted<S, Y, R, E>(Inspect<Mapped<S, Y, R, E>, Look<Y>>);

impl<S, Y, R, E> Coroutine for Adapted<S, Y, R, E> {
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    fn state(&self) -> State {
        self.0.state()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        self.0.delegates()
    }

    fn poll_resume(&mut self, cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        self.0.poll_resume(cx, input)
    }
}

impl<S: 'static, Y: 'static, R: 'static, E: 'static> IntoSub<S, Y, E> for Adapted<S, Y, R, E> {
    type Return = R;

    fn into_sub(self, first: Option<S>) -> Result<Delegation<S, Y, R, E>, MisuseKind> {
        self.0.into_inner().into_inner().into_inner().into_sub(first)
    }
}

struct Adapting;

impl Flavour for Adapting {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        mut script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        let coroutine = Native::new(async move |co| {
            let mut step = Step::Begin;
            loop {
                step = match script.next(step) {
                    Do::Yield(value) => Step::from_yield(co.yield_(value).await),
                    Do::Wait(future) => Step::from_wait(co.wait(future).await),
                    Do::Delegate(sub, None) => Step::from_delegation(co.yield_from(sub).await),
                    Do::Delegate(sub, Some(first)) => {
                        Step::from_delegation(co.yield_from_started(sub, first).await)
                    }
                    Do::End(result) => return result,
                };
            }
        });
        let mapped = coroutine.map_yield((|value| value) as fn(Y) -> Y);
        let mapped = mapped.map_return((|value| value) as fn(R) -> R);
        Box::new(Adapted(mapped.inspect((|_| ()) as Look<Y>)))
    }
}

mod contract {
    coro_core::coroutine_conformance!(super::Adapting);
}
