//! A resume in progress: from step to step, until the coroutine as a whole has an answer.

use core::task::{Poll, Waker};

use super::chain::{Chain, Closing};
use super::machine::Machine;
use super::phase::Phase;
use super::{Engine, Resume, Step};
use crate::coroutine::{Misuse, MisuseKind, Outcome, Resumed, Thrown};

/// An answer that a function of its own gives, one that is seldom called. Without it, that function would write into
/// the place of the frequent answer, and force that one through memory.
#[derive(Debug)]
pub struct Apart<T>(pub T);

/// A resume in progress. If the body panics, the frames are dropped from the top, and the coroutine is finished. Its
/// phase is stale meanwhile: nobody can see it, because the machine is borrowed, and
/// [`Shared`](crate::coroutine::Shared) answers for it.
pub(super) struct Running<'a, G: Engine> {
    pub(super) machine: &'a mut Machine<G>,
    pub(super) over: bool,
}

impl<G: Engine> Drop for Running<'_, G> {
    fn drop(&mut self) {
        if !self.over {
            self.machine.finish();
        }
    }
}

pub(super) type ChainOf<G> = Chain<<G as Engine>::Send, <G as Engine>::Yield, <G as Engine>::Error>;
pub(super) type ResumeOf<G> = Resume<<G as Engine>::Send, <G as Engine>::Error>;
type StepOf<G> = Step<<G as Engine>::Yield, <G as Engine>::Error>;

impl<G: Engine> Running<'_, G> {
    /// Goes on from `step` until there is an answer, or `None`: the root is to be run, and what with is in its airlock.
    /// Whoever called this does that, so that there are not two places where a body is run.
    #[inline(never)]
    pub(super) fn go_on(
        &mut self,
        wake: Option<&Waker>,
        mut step: StepOf<G>,
    ) -> Option<Apart<Poll<Resumed<Machine<G>>>>> {
        loop {
            let resume = match step {
                Step::Parked => {
                    self.machine.park();
                    return Some(Apart(Poll::Pending));
                }
                Step::Foreign => return Some(self.foreign()),
                Step::Yielded(value) => match self.machine.closing {
                    None => return Some(Apart(self.machine.suspended(Ok(Outcome::Yielded(value))))),
                    Some(Closing { level: 0, .. }) => {
                        self.machine.closing = None;
                        return Some(Apart(self.machine.suspended(Err(Misuse::IgnoredExit(value)))));
                    }
                    Some(closing) => self.abandon(closing),
                },
                Step::Delegated => {
                    let sub = match self.machine.chain.0.back_mut() {
                        None => self.machine.root.take_sub(),
                        Some(top) => top.take_sub(),
                    };
                    let Some(sub) = sub else { return Some(self.foreign()) };
                    self.machine.chain.extend(sub)
                }
                Step::Returned => match self.returned() {
                    Ok(resume) => resume,
                    Err(outcome) => return Some(Apart(self.machine.answer(Phase::Finished, Ok(outcome)))),
                },
                Step::Raised(error) => match self.raised(error) {
                    Ok(resume) => resume,
                    Err(outcome) => return Some(Apart(self.machine.answer(Phase::Finished, Ok(outcome)))),
                },
            };
            step = self.step(wake, resume)?;
        }
    }

    /// [`go_on`](Self::go_on), to the answer.
    #[inline(never)]
    pub(super) fn go_on_to_answer(
        &mut self,
        wake: Option<&Waker>,
        mut step: StepOf<G>,
    ) -> Apart<Poll<Resumed<Machine<G>>>> {
        loop {
            match self.go_on(wake, step) {
                Some(answer) => return answer,
                None => step = self.machine.root.run(wake),
            }
        }
    }

    /// Resumes the top of the chain, or gets the root ready, if that is the top.
    #[inline(always)]
    pub(super) fn step(&mut self, wake: Option<&Waker>, resume: ResumeOf<G>) -> Option<StepOf<G>> {
        match self.machine.chain.0.back_mut() {
            None => {
                // A wait of the root needs not say so any more.
                self.machine.phase = Phase::Parked;
                self.machine.root.put(resume);
                None
            }
            Some(top) => Some(top.run(wake, resume)),
        }
    }

    /// Resumes a body. An error that nothing in it can receive where it is parked ends it there.
    pub(super) fn land(&mut self, wake: Option<&Waker>, resume: ResumeOf<G>) -> Option<StepOf<G>> {
        let top = self.machine.chain.0.back();
        let lands = !self.machine.phase.is_parked()
            || top.map_or_else(|| self.machine.root.has_landing(), |top| top.has_landing());
        match resume {
            Resume::Throw(error) if !lands => Some(Step::Raised(error)),
            Resume::Close if !lands => Some(Step::Raised(Thrown::Exit)),
            resume => self.step(wake, resume),
        }
    }

    /// The top waits where nobody will wake it.
    fn foreign(&mut self) -> Apart<Poll<Resumed<Machine<G>>>> {
        self.machine.park();
        Apart(Poll::Ready(Err(Misuse::ForeignPending)))
    }

    /// The level that is being closed has yielded: it is dropped, with all above it, and its delegator told.
    fn abandon(&mut self, closing: Closing) -> ResumeOf<G> {
        while self.machine.chain.level() >= closing.level {
            drop(self.machine.chain.0.pop_back());
        }
        self.machine.closing = closing.down();
        Resume::Throw(Thrown::Misuse(MisuseKind::IgnoredExit))
    }

    /// The close of the level that has just ended, if it was being closed, now that it is gone.
    fn closed(&mut self, level: u32) -> bool {
        match self.machine.closing {
            Some(closing) if closing.level == level => {
                self.machine.closing = closing.down();
                true
            }
            _ => false,
        }
    }

    /// The top has returned. A value that was given on a close is dropped, and the close goes on beneath.
    fn returned(&mut self) -> Result<ResumeOf<G>, OutcomeOf<G>> {
        let level = self.machine.chain.level();
        let Some(ended) = self.machine.chain.0.pop_back() else {
            let value = self.machine.root.take_returned();
            self.machine.closing = None;
            return Err(value.map_or(Outcome::Closed, Outcome::Returned));
        };
        if self.closed(level) {
            drop(ended);
            return Ok(Resume::Close);
        }
        match self.machine.chain.0.back_mut() {
            None => self.machine.root.hand_back(ended),
            Some(delegator) => delegator.hand_back(ended),
        }
        Ok(Resume::Continue)
    }

    /// The top has raised.
    fn raised(&mut self, error: Thrown<G::Error>) -> Result<ResumeOf<G>, OutcomeOf<G>> {
        let level = self.machine.chain.level();
        let Some(ended) = self.machine.chain.0.pop_back() else {
            let closing = self.machine.closing.is_some();
            self.machine.finish();
            return Err(match error {
                Thrown::Exit if closing => Outcome::Closed,
                error => Outcome::Raised(error),
            });
        };
        drop(ended);
        let closed = self.closed(level);
        Ok(if closed && error.is_exit() { Resume::Close } else { Resume::Throw(error) })
    }
}

type OutcomeOf<G> = Outcome<<G as Engine>::Yield, <G as Engine>::Return, <G as Engine>::Error>;
