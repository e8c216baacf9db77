//! A coroutine of a third party, on an engine of its own: a step function, which no compiler turns into a state machine
//! and no stack keeps. The engine runs it from one suspension to the next; the library's machine keeps the laws for it.
//! So it runs the whole suite, the law of depth included, and the random programs.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use coro_core::Loop;
use coro_core::backend::{Airlock, Engine, IntoSub, Machine, Plain, Progress, stackless};
use coro_core::conformance::{Do, Flavour, Script, Step, Subject};
use coro_core::coroutine::FrameInfo;
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_core::stats;
use coro_fiber::Fiber;
use coro_gen::Gen;

/// Runs a script: to its next suspension, which is kept until it is over.
struct Steps<S, Y, R, E> {
    airlock: Rc<Airlock<S, Y, E>>,
    /// `None` once it has ended.
    body: Option<Body<S, Y, R, E>>,
}

struct Body<S, Y, R, E> {
    /// Dropped before the rest, as what a body waits for is. `None` until it begins.
    suspension: Option<Suspension<S, R, E>>,
    script: Script<S, Y, R, E>,
}

/// Ready with what the body goes on with.
type Suspension<S, R, E> = Pin<Box<dyn Future<Output = Step<S, R, E>>>>;

impl<S, Y, R, E> Steps<S, Y, R, E>
where
    S: 'static,
    Y: 'static,
    R: 'static,
    E: 'static,
{
    /// A coroutine that performs `script`.
    #[track_caller]
    fn coroutine(script: Script<S, Y, R, E>) -> Machine<Self> {
        let engine = Self { airlock: Rc::default(), body: Some(Body { suspension: None, script }) };
        Machine::new(engine, "a script", Location::caller())
    }
}

impl<S, Y, R, E> Engine for Steps<S, Y, R, E>
where
    S: 'static,
    Y: 'static,
    R: 'static,
    E: 'static,
{
    type Send = S;
    type Yield = Y;
    type Return = R;
    type Error = E;

    const FLAVOUR: Option<stats::Flavour> = None;
    const WAITS_ON_ANY_FUTURE: bool = true;

    fn airlock(&self) -> &Airlock<S, Y, E> {
        &self.airlock
    }

    fn run(&mut self, wake: Option<&Waker>) -> Progress<Result<R, Thrown<E>>> {
        let Some(body) = &mut self.body else { unreachable!("a body that has ended is not run") };
        let cx = &mut Context::from_waker(wake.unwrap_or(Waker::noop()));
        loop {
            let step = match &mut body.suspension {
                None => Step::Begin,
                Some(suspension) => match suspension.as_mut().poll(cx) {
                    Poll::Pending => return Progress::Suspended,
                    Poll::Ready(step) => step,
                },
            };
            let airlock = Rc::clone(&self.airlock);
            body.suspension = Some(match body.script.next(step) {
                Do::End(result) => return Progress::Ended(result),
                Do::Yield(value) => {
                    Box::pin(async move { Step::from_yield(stackless::yield_(airlock, value).await) })
                }
                Do::Wait(future) => {
                    Box::pin(async move { Step::from_wait(stackless::wait(airlock, future).await) })
                }
                Do::Delegate(sub, first) => Box::pin(async move {
                    Step::from_delegation(stackless::yield_from(airlock, sub, first).await)
                }),
            });
        }
    }

    fn end(&mut self) {
        self.body = None;
    }
}

// The suite: from here on, it is what every third party writes.

struct Scripts;

impl Flavour for Scripts {
    fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
        script: Script<S, Y, R, E>,
    ) -> Subject<S, Y, R, E> {
        Box::new(Steps::coroutine(script))
    }
}

mod contract {
    coro_core::coroutine_conformance!(super::Scripts);
}

mod simulated {
    coro_core::event_loop_conformance!(super::Scripts, super::Loop::simulated);
}

mod programs {
    coro_core::program_conformance!(super::Scripts);
}

/// What a coroutine looks like that delegates to `sub`.
fn seen(sub: impl IntoSub<(), u32, (), Return = ()> + 'static) -> FrameInfo {
    let mut test = Native::<(), u32, (), ()>::new(async |co| co.yield_from(sub).await);
    assert_eq!(test.next(), Ok(Outcome::Yielded(1)));
    let delegates = test.delegates();
    assert_eq!(delegates.len(), 1);
    delegates[0]
}

#[test]
fn a_frame_tells_its_engine_and_where_it_was_made() {
    let line = line!();
    let frames = [
        seen(Native::new(async |co| co.yield_(1).await)),
        seen(Gen::new(async |co| co.yield_(1).await)),
        seen(Fiber::new(|co| co.yield_(1))),
        seen(Steps::coroutine(Script::new(|step| match step {
            Step::Begin => Do::Yield(1),
            _ => Do::ret(()),
        }))),
        seen(Plain([1].into_iter())),
    ];
    let [native, generator, fiber] = stats::Flavour::ALL.map(Some);
    assert_eq!(frames.map(|frame| frame.flavour), [native, generator, fiber, None, None]);
    let made = frames.map(|frame| frame.made_at.map(|made_at| (made_at.file(), made_at.line() - line)));
    assert_eq!(
        made,
        [2, 3, 4, 5].map(|line| Some((file!(), line))).into_iter().chain([None]).collect::<Vec<_>>()[..]
    );
    assert_eq!(frames[3].name, "a script");
}

#[test]
fn other_engines_are_not_counted_as_one_of_the_three() {
    let before = stats::Flavour::ALL.map(stats::counts);
    let mut test = Steps::<(), (), (), ()>::coroutine(Script::new(|_| Do::ret(())));
    assert_eq!(test.start(), Ok(Outcome::Returned(())));
    assert_eq!(test.send(()), Err(Misuse::Finished(Some(()))));
    drop(test);
    assert_eq!(stats::Flavour::ALL.map(stats::counts), before);
}
