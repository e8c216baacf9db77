//! Coroutines that break one law each: random programs must tell them from a right one.

use std::task::{Context, Poll};

use coro_core::backend::{Delegation, FrameInfo, IntoSub};
use coro_core::conformance::program::interpret::{Body, Made};
use coro_core::conformance::program::{Answer, Fault, Runs, against_reference};
use coro_core::conformance::{Do, Script, Step};
use coro_core::coroutine::{InputOf, MisuseKind, Resumed, Shared};
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_core::{Input, Misuse, State, Thrown};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The control.
    Right,
    LosesItsFirstValue,
    LosesTheValueOfAClose,
    LosesWhatIsSent,
    LosesTheValueOfItsSub,
    AcceptsTheFirstValueSent,
    AcceptsAnIgnoredExit,
    EndsOnAnIgnoredExit,
    RunsOnAnEarlyThrow,
    RunsOnAnEarlyClose,
    StartsAgain,
    SwallowsALateThrow,
    RefusesASecondClose,
    SwallowsAThrowThatGoesToItsSub,
    DropsItsBodyOnClose,
    TakesAThrownExitForAClose,
    GivesExitToOrdinaryHandlers,
    TellsNoMisuseFromAnError,
    HidesItsDelegates,
    ThrowsBeneathItsSub,
}

use Way::*;

const WAYS: [Way; 20] = [
    Right,
    LosesItsFirstValue,
    LosesTheValueOfAClose,
    LosesWhatIsSent,
    LosesTheValueOfItsSub,
    AcceptsTheFirstValueSent,
    AcceptsAnIgnoredExit,
    EndsOnAnIgnoredExit,
    RunsOnAnEarlyThrow,
    RunsOnAnEarlyClose,
    StartsAgain,
    SwallowsALateThrow,
    RefusesASecondClose,
    SwallowsAThrowThatGoesToItsSub,
    DropsItsBodyOnClose,
    TakesAThrownExitForAClose,
    GivesExitToOrdinaryHandlers,
    TellsNoMisuseFromAnError,
    HidesItsDelegates,
    ThrowsBeneathItsSub,
];

fn native(mut script: Body) -> Made {
    Box::new(Native::new(async move |co| {
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
    }))
}

/// A right coroutine, wrapped to be wrong in one way.
struct Wrong {
    inner: Made,
    way: Way,
}

fn wrong<const WAY: usize>(mut body: Body) -> Made {
    let way = WAYS[WAY];
    let inner = native(Script::new(move |step| {
        body.next(match (way, step) {
            (LosesWhatIsSent, Step::Sent(_)) => Step::Sent(None),
            (LosesTheValueOfItsSub, Step::Ended(_)) => Step::Ended(None),
            (GivesExitToOrdinaryHandlers, Step::Thrown(Thrown::Exit)) => {
                Step::Thrown(Thrown::Error(Fault::A))
            }
            (TellsNoMisuseFromAnError, Step::Thrown(Thrown::Misuse(_))) => {
                Step::Thrown(Thrown::Error(Fault::A))
            }
            (_, step) => step,
        })
    }));
    Box::new(Wrong { inner, way })
}

impl Wrong {
    fn go_on(&mut self, input: Option<Input<Option<i64>, Fault>>) -> Answer {
        match input {
            None => self.inner.start(),
            Some(input) => self.inner.resume(input),
        }
    }

    fn wrongly(&mut self, input: Option<Input<Option<i64>, Fault>>) -> Answer {
        let delegates = !self.inner.delegates().is_empty();
        let given = match (self.way, self.inner.state(), input) {
            (LosesItsFirstValue, State::Created, None) => match self.inner.start() {
                Ok(Outcome::Yielded(_)) => self.inner.next(),
                other => other,
            },
            (AcceptsTheFirstValueSent, State::Created, Some(Input::Send(_))) => self.inner.start(),
            (RunsOnAnEarlyThrow, State::Created, Some(input @ Input::Throw(_)))
            | (RunsOnAnEarlyClose, State::Created, Some(input @ Input::Close)) => {
                let _ = self.inner.start();
                self.go_on(Some(input))
            }
            (StartsAgain, State::Finished, Some(Input::Send(_))) => {
                self.inner = native(Script::new(|_| Do::Yield(0)));
                self.inner.start()
            }
            (SwallowsALateThrow, State::Finished, Some(Input::Throw(_))) => Err(Misuse::Finished(None)),
            (RefusesASecondClose, State::Finished, Some(Input::Close)) => Err(Misuse::Finished(None)),
            (SwallowsAThrowThatGoesToItsSub, _, Some(Input::Throw(_))) if delegates => self.inner.next(),
            (DropsItsBodyOnClose, State::Suspended, Some(Input::Close)) => {
                self.finish();
                Ok(Outcome::Closed)
            }
            (TakesAThrownExitForAClose, State::Suspended, Some(Input::Throw(Thrown::Exit))) => {
                self.inner.resume(Input::Close)
            }
            (ThrowsBeneathItsSub, State::Suspended, Some(Input::Throw(error))) if delegates => {
                self.finish();
                Ok(Outcome::Raised(error))
            }
            (_, _, input) => self.go_on(input),
        };
        match (self.way, given) {
            (AcceptsAnIgnoredExit, Err(Misuse::IgnoredExit(value))) => Ok(Outcome::Yielded(value)),
            (EndsOnAnIgnoredExit, Err(Misuse::IgnoredExit(value))) => {
                self.finish();
                Err(Misuse::IgnoredExit(value))
            }
            (_, given) => given,
        }
    }

    fn finish(&mut self) {
        self.inner = native(Script::new(|_| Do::ret(None)));
        let _ = self.inner.start();
    }
}

impl Coroutine for Wrong {
    type Send = Option<i64>;
    type Yield = i64;
    type Return = Option<i64>;
    type Error = Fault;

    fn state(&self) -> State {
        self.inner.state()
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        if self.way == HidesItsDelegates { Vec::new() } else { self.inner.delegates() }
    }

    fn poll_resume(&mut self, _cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        let closes = input == Some(Input::Close);
        Poll::Ready(match self.wrongly(input) {
            Ok(Outcome::Returned(_)) if closes && self.way == LosesTheValueOfAClose => Ok(Outcome::Closed),
            given => given,
        })
    }
}

impl IntoSub<Option<i64>, i64, Fault> for Wrong {
    type Return = Option<i64>;

    fn into_sub(
        self,
        first: Option<Option<i64>>,
    ) -> Result<Delegation<Option<i64>, i64, Option<i64>, Fault>, MisuseKind> {
        Shared::new(self).into_sub(first)
    }
}

fn check<const WAY: usize>() {
    let result = against_reference(&Runs { programs: 5_000, regressions: "" }, wrong::<WAY>);
    match (WAYS[WAY], result) {
        (Right, result) => drop(result.expect("it is right")),
        (way, Err(difference)) => {
            assert!(difference.contains("the traces differ"), "{way:?}: {difference}");
            println!("{way:?}: {difference}");
        }
        (way, Ok(_)) => panic!("{way:?} was not noticed"),
    }
}

macro_rules! noticed {
    ($($name:ident: $way:literal),* $(,)?) => {
        $(
            #[test]
            #[cfg_attr(miri, ignore = "thousands of programs")]
            fn $name() {
                check::<$way>();
            }
        )*
    };
}

noticed! {
    the_right_one_passes: 0,
    a_lost_first_value_is_noticed: 1,
    a_lost_value_of_a_close_is_noticed: 2,
    a_lost_value_that_is_sent_is_noticed: 3,
    a_lost_value_of_a_sub_is_noticed: 4,
    an_accepted_first_value_sent_is_noticed: 5,
    an_accepted_ignored_exit_is_noticed: 6,
    an_end_on_an_ignored_exit_is_noticed: 7,
    a_run_on_an_early_throw_is_noticed: 8,
    a_run_on_an_early_close_is_noticed: 9,
    a_new_start_after_the_end_is_noticed: 10,
    a_swallowed_late_throw_is_noticed: 11,
    a_refused_second_close_is_noticed: 12,
    a_swallowed_throw_to_a_sub_is_noticed: 13,
    a_body_dropped_on_close_is_noticed: 14,
    a_thrown_exit_taken_for_a_close_is_noticed: 15,
    an_exit_given_to_ordinary_handlers_is_noticed: 16,
    a_misuse_given_to_ordinary_handlers_is_noticed: 17,
    hidden_delegates_are_noticed: 18,
    a_throw_beneath_the_sub_is_noticed: 19,
}
