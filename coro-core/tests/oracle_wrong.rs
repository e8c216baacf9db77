//! Coroutines that break one law each: random programs must tell them from a right one.
//!
//! Three laws cannot be broken here. That a running coroutine refuses everything (L6) is the work of `&mut` and
//! [`Shared`], not of the coroutine: only its parked half can be. L12 and D6 hold by type.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro_core::backend::{AnySub, Delegation, FrameInfo, IntoSub};
use coro_core::conformance::program::interpret::{Body, Made};
use coro_core::conformance::program::{Answer, Fault, Runs, against_reference};
use coro_core::conformance::{Do, Script, Step};
use coro_core::coroutine::{InputOf, MisuseKind, Resumed, Shared};
use coro_core::native::Native;
use coro_core::prelude::*;
use coro_core::{Input, Misuse, State, Thrown};

/// One line for each test below, where the laws are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Right,
    LosesItsFirstValue,
    AcceptsTheFirstValueSent,
    RunsOnAnEarlyThrow,
    RunsOnAnEarlyClose,
    StartsAgain,
    SwallowsALateThrow,
    AcceptsAValueAtAWait,
    DropsItsBodyOnAThrow,
    SwallowsAThrowAtAWait,
    LosesTheValueOfAClose,
    LosesTheErrorOfAClose,
    AcceptsAnIgnoredExit,
    EndsOnAnIgnoredExit,
    DropsItsBodyOnAClose,
    ForgetsACloseAtAWait,
    GivesExitToOrdinaryHandlers,
    RefusesASecondClose,
    LivesOnAfterAnError,
    LosesWhatIsSent,
    LosesWhatIsSentToItsSub,
    LosesTheValueOfItsSub,
    LosesTheErrorOfItsSub,
    SwallowsAThrowThatGoesToItsSub,
    ThrowsBeneathItsSub,
    GoesOnAfterAnExitOfItsSub,
    LosesTheErrorOfAnExit,
    TakesAnIgnoredExitForAnExit,
    TakesAThrownExitForAClose,
    EndsAnIteratorThatCannotReceive,
    TellsNoMisuseFromAnError,
    TakesAFinishedSubForNothing,
    LosesTheFirstValueOfAStartedSub,
    HidesItsDelegates,
    IsWrongBehindAHandleOnly,
}

use Way::*;

type Told = Step<Option<i64>, Option<i64>, Fault>;

fn native(mut script: Body) -> Made {
    Box::new(Native::new(async move |co| coro_core::perform!(script, co, await)))
}

/// A right coroutine, wrapped to be wrong in one way.
struct Wrong {
    inner: Made,
    way: Way,
    /// Whether it was asked to end by what it was last resumed with.
    exiting: Rc<Cell<bool>>,
    /// What its state seems to be.
    seems: Option<State>,
}

fn wrong(mut body: Body, way: Way) -> Made {
    let exiting = Rc::new(Cell::new(false));
    let (asked, mut delegated) = (Rc::clone(&exiting), false);
    let inner = native(Script::new(move |step| {
        let step = if delegated { after_sub(way, step, asked.get()) } else { step };
        let next = body.next(match (way, step) {
            (LosesWhatIsSent, Step::Sent(_)) => Step::Sent(None),
            (GivesExitToOrdinaryHandlers, Step::Thrown(Thrown::Exit)) => {
                Step::Thrown(Thrown::Error(Fault::A))
            }
            (TellsNoMisuseFromAnError, Step::Thrown(Thrown::Misuse(_))) => {
                Step::Thrown(Thrown::Error(Fault::A))
            }
            (_, step) => step,
        });
        delegated = matches!(next, Do::Delegate(..));
        match next {
            Do::Delegate(sub, Some(_)) if way == LosesTheFirstValueOfAStartedSub => {
                Do::Delegate(sub, Some(None))
            }
            next => next,
        }
    }));
    Box::new(Wrong { inner, way, exiting, seems: None })
}

/// What the body is told when what it delegated to has ended.
fn after_sub(way: Way, step: Told, exiting: bool) -> Told {
    match (way, step) {
        (LosesTheValueOfItsSub, Step::Ended(_))
        | (LosesTheErrorOfItsSub, Step::Thrown(Thrown::Error(_)))
        | (EndsAnIteratorThatCannotReceive, Step::Thrown(Thrown::Misuse(MisuseKind::CannotReceive)))
        | (TakesAFinishedSubForNothing, Step::Thrown(Thrown::Misuse(MisuseKind::Finished))) => {
            Step::Ended(None)
        }
        (GoesOnAfterAnExitOfItsSub, Step::Thrown(Thrown::Exit)) if exiting => Step::Ended(None),
        (LosesTheErrorOfAnExit, Step::Thrown(Thrown::Error(_))) if exiting => Step::Thrown(Thrown::Exit),
        (TakesAnIgnoredExitForAnExit, Step::Thrown(Thrown::Misuse(MisuseKind::IgnoredExit))) => {
            Step::Thrown(Thrown::Exit)
        }
        (_, step) => step,
    }
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
        match (self.way, self.inner.state(), input) {
            (LosesItsFirstValue, State::Created, None) => match self.inner.start() {
                Ok(Outcome::Yielded(_)) => self.inner.next(),
                other => other,
            },
            (AcceptsTheFirstValueSent, State::Created, Some(Input::Send(_)))
            | (AcceptsAValueAtAWait, State::Running, Some(Input::Send(_)))
            | (SwallowsAThrowAtAWait, State::Running, Some(Input::Throw(_))) => self.inner.start(),
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
            (SwallowsAThrowThatGoesToItsSub, State::Suspended, Some(Input::Throw(_))) if delegates => {
                self.inner.next()
            }
            (LosesWhatIsSentToItsSub, State::Suspended, Some(Input::Send(_))) if delegates => {
                self.inner.next()
            }
            (IsWrongBehindAHandleOnly, State::Suspended, Some(Input::Send(_))) => self.inner.next(),
            (DropsItsBodyOnAClose, State::Suspended, Some(Input::Close)) => {
                self.finish();
                Ok(Outcome::Closed)
            }
            (ForgetsACloseAtAWait, State::Running, Some(Input::Close)) => {
                self.inner.resume(Input::Throw(Thrown::Exit))
            }
            (TakesAThrownExitForAClose, State::Suspended, Some(Input::Throw(Thrown::Exit))) => {
                self.inner.resume(Input::Close)
            }
            (way, State::Suspended, Some(Input::Throw(error)))
                if way == DropsItsBodyOnAThrow || way == ThrowsBeneathItsSub && delegates =>
            {
                self.finish();
                Ok(Outcome::Raised(error))
            }
            (_, _, input) => self.go_on(input),
        }
    }

    /// What comes of it, seen wrongly.
    fn seen(&mut self, given: Answer, closes: bool) -> Answer {
        match (self.way, given) {
            (LosesTheValueOfAClose, Ok(Outcome::Returned(_))) if closes => Ok(Outcome::Closed),
            (LosesTheErrorOfAClose, Ok(Outcome::Raised(_))) if closes => Ok(Outcome::Closed),
            (AcceptsAnIgnoredExit, Err(Misuse::IgnoredExit(value))) => Ok(Outcome::Yielded(value)),
            (EndsOnAnIgnoredExit, Err(Misuse::IgnoredExit(value))) => {
                self.finish();
                Err(Misuse::IgnoredExit(value))
            }
            (LivesOnAfterAnError, given @ Ok(Outcome::Raised(_))) => {
                self.seems = Some(State::Suspended);
                given
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
        self.seems.unwrap_or_else(|| self.inner.state())
    }

    fn delegates(&self) -> Vec<FrameInfo> {
        if self.way == HidesItsDelegates { Vec::new() } else { self.inner.delegates() }
    }

    fn poll_resume(&mut self, _cx: &mut Context<'_>, input: Option<InputOf<Self>>) -> Poll<Resumed<Self>> {
        let closes = input == Some(Input::Close);
        if input.is_some() {
            self.exiting.set(matches!(input, Some(Input::Close | Input::Throw(Thrown::Exit))));
        }
        let given = self.wrongly(input);
        match self.seen(given, closes) {
            Err(Misuse::WouldPark) => Poll::Pending,
            given => Poll::Ready(given),
        }
    }
}

impl IntoSub<Option<i64>, i64, Fault> for Wrong {
    type Return = Option<i64>;

    fn into_sub(
        self,
        first: Option<Option<i64>>,
    ) -> Result<Delegation<Option<i64>, i64, Option<i64>, Fault>, MisuseKind> {
        // Whoever owns a parked coroutine may go on with it.
        if self.way == IsWrongBehindAHandleOnly || self.inner.state() == State::Running {
            return AnySub::boxed_into_sub(Box::new(self.inner), first);
        }
        Shared::new(self).into_sub(first)
    }
}

macro_rules! noticed {
    ($($name:ident: $way:ident),* $(,)?) => {
        $(
            #[test]
            #[cfg_attr(miri, ignore = "thousands of programs")]
            fn $name() {
                let runs = Runs { programs: 5_000, regressions: "" };
                let difference = against_reference(&runs, |body| wrong(body, $way)).expect_err("it was not noticed");
                assert!(difference.contains("the traces differ"), "{:?}: {difference}", $way);
                println!("{:?}: {difference}", $way);
            }
        )*
    };
}

#[test]
#[cfg_attr(miri, ignore = "thousands of programs")]
fn the_right_one_passes() {
    against_reference(&Runs { programs: 1_000, regressions: "" }, |body| wrong(body, Right))
        .expect("it is right");
}

noticed! {
    l1_a_lost_first_value: LosesItsFirstValue,
    l1_an_accepted_first_value_sent: AcceptsTheFirstValueSent,
    l2_a_run_on_an_early_throw: RunsOnAnEarlyThrow,
    l3_a_run_on_an_early_close: RunsOnAnEarlyClose,
    l4_a_new_start_after_the_end: StartsAgain,
    l5_a_swallowed_late_throw: SwallowsALateThrow,
    l6_an_accepted_value_at_a_wait: AcceptsAValueAtAWait,
    l7_a_body_dropped_on_a_throw: DropsItsBodyOnAThrow,
    l7_a_swallowed_throw_at_a_wait: SwallowsAThrowAtAWait,
    l8_a_lost_value_of_a_close: LosesTheValueOfAClose,
    l8_a_lost_error_of_a_close: LosesTheErrorOfAClose,
    l8_an_accepted_ignored_exit: AcceptsAnIgnoredExit,
    l8_an_end_on_an_ignored_exit: EndsOnAnIgnoredExit,
    l8_a_body_dropped_on_a_close: DropsItsBodyOnAClose,
    l8_a_close_forgotten_at_a_wait: ForgetsACloseAtAWait,
    l9_an_exit_given_to_ordinary_handlers: GivesExitToOrdinaryHandlers,
    l10_a_refused_second_close: RefusesASecondClose,
    l11_a_life_after_an_error: LivesOnAfterAnError,
    d1_a_lost_value_that_is_sent: LosesWhatIsSent,
    d1_a_lost_value_that_is_sent_to_a_sub: LosesWhatIsSentToItsSub,
    d2_a_lost_value_of_a_sub: LosesTheValueOfItsSub,
    d3_a_lost_error_of_a_sub: LosesTheErrorOfItsSub,
    d4_a_swallowed_throw_to_a_sub: SwallowsAThrowThatGoesToItsSub,
    d4_a_throw_beneath_the_sub: ThrowsBeneathItsSub,
    d5_an_exit_of_a_sub_that_ends_there: GoesOnAfterAnExitOfItsSub,
    d5_a_lost_error_of_an_exit: LosesTheErrorOfAnExit,
    d5_an_ignored_exit_taken_for_an_exit: TakesAnIgnoredExitForAnExit,
    d5_a_thrown_exit_taken_for_a_close: TakesAThrownExitForAClose,
    d7_an_iterator_ended_by_a_value: EndsAnIteratorThatCannotReceive,
    d7_a_misuse_given_to_ordinary_handlers: TellsNoMisuseFromAnError,
    d8_a_finished_sub_taken_for_nothing: TakesAFinishedSubForNothing,
    d8_a_lost_first_value_of_a_started_sub: LosesTheFirstValueOfAStartedSub,
    d9_hidden_delegates: HidesItsDelegates,
    d10_another_answer_behind_a_handle: IsWrongBehindAHandleOnly,
}
