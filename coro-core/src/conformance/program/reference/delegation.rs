//! `yield from`, as PEP 380 expands it.

use super::body::Run;
use super::generator::{Generator, In, Stop, misuse};
use crate::conformance::program::syntax::{Answer, words};
use crate::coroutine::{Input, Misuse, MisuseKind, Outcome, Thrown};

impl<'a> Run<'_, 'a> {
    pub(super) fn delegate(
        &mut self,
        sub: &Generator<'a>,
        first: Option<i64>,
        shared: bool,
    ) -> Result<(), Stop> {
        let value = self.yield_from(sub, first, shared)?;
        self.log(format!("sub gave {}", words::value(value)));
        Ok(())
    }

    fn yield_from(
        &mut self,
        sub: &Generator<'a>,
        first: Option<i64>,
        shared: bool,
    ) -> Result<Option<i64>, Stop> {
        let mut answer = self.ask(|world| sub.begin(world, first, shared));
        loop {
            let input = match answer {
                // It may be others who asked it to close: its value goes where it is awaited.
                Ok(Outcome::Yielded(value)) | Err(Misuse::IgnoredExit(value)) => {
                    self.delegating(Stop::Yielded(value))?
                }
                Err(Misuse::WouldPark) => self.delegating(Stop::Parked)?,
                Ok(Outcome::Returned(value)) => {
                    self.law("D2 the value of the sub");
                    return Ok(value);
                }
                Ok(Outcome::Raised(error)) => {
                    self.law("D3 the error of the sub");
                    return Err(Stop::Raised(error));
                }
                // By others.
                Ok(Outcome::Closed) => return Err(Stop::Raised(Thrown::Exit)),
                Err(refused) => return misuse(refused.kind()),
            };
            match input {
                Some(Input::Throw(Thrown::Exit) | Input::Close) => return self.exit_from(sub),
                Some(Input::Send(Some(_))) => self.law("D1 a value goes to the sub"),
                Some(Input::Throw(_)) => self.law("D4 a throw goes to the sub"),
                None | Some(Input::Send(None)) => (),
            }
            answer = self.forward(sub, input);
        }
    }

    /// Exit has appeared at a `yield from`: the sub is closed first.
    fn exit_from(&mut self, sub: &Generator<'a>) -> Result<Option<i64>, Stop> {
        let mut answer = self.forward(sub, Some(Input::Close));
        while let Err(Misuse::WouldPark) = answer {
            answer = match self.delegating(Stop::Parked)? {
                Some(Input::Throw(Thrown::Exit)) => self.forward(sub, Some(Input::Close)),
                input => self.forward(sub, input),
            };
        }
        match answer {
            // The value is discarded, and the exit goes on. → It has no identity (D6).
            Ok(Outcome::Returned(_)) => {
                self.law("D5 an exit discards the value of the sub");
                Err(Stop::Raised(Thrown::Exit))
            }
            Ok(Outcome::Closed) => {
                self.law("D5 an exit closes the sub");
                Err(Stop::Raised(Thrown::Exit))
            }
            Ok(Outcome::Raised(error)) => {
                self.law("D5 an error replaces the exit");
                Err(Stop::Raised(error))
            }
            Ok(Outcome::Yielded(_)) | Err(Misuse::IgnoredExit(_)) => {
                self.law("D5 the sub ignores the exit");
                misuse(MisuseKind::IgnoredExit)
            }
            Err(refused) => misuse(refused.kind()),
        }
    }

    /// Suspended until something comes in, while it delegates.
    fn delegating(&mut self, until: Stop) -> Result<In, Stop> {
        self.delegates = true;
        let input = self.input(until)?;
        self.delegates = false;
        Ok(input)
    }

    fn forward(&mut self, sub: &Generator<'a>, input: In) -> Answer {
        self.ask(|world| {
            let answer = sub.resume(world, input);
            match answer {
                Err(Misuse::Finished(_)) => world.law("a sub was ended by others"),
                Err(Misuse::Running(ref back)) => {
                    world.law("a sub runs already");
                    // → CPython does not refuse these to a sub that runs because something was thrown through it.
                    let safe = matches!(back, None | Some(Input::Send(_)));
                    world.in_python.set(world.in_python.get() && safe);
                }
                _ => (),
            }
            answer
        })
    }

    /// Delegates to an iterator over the numbers below `end`.
    pub(super) fn iterate(&mut self, end: i64) -> Result<(), Stop> {
        self.law("D7 an iterator");
        for number in 0..end {
            match self.delegating(Stop::Yielded(number))? {
                None | Some(Input::Send(None)) => (),
                Some(Input::Send(Some(_))) => {
                    self.law("D7 an iterator cannot receive");
                    return misuse(MisuseKind::CannotReceive);
                }
                Some(Input::Throw(error)) => {
                    self.law("D7 an iterator cannot be thrown at");
                    return Err(Stop::Raised(error));
                }
                Some(Input::Close) => {
                    self.law("D7 an iterator needs no close");
                    return Err(Stop::Raised(Thrown::Exit));
                }
            }
        }
        Ok(())
    }
}
