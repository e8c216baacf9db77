//! What the reference interpreter can delegate to.

use std::ops::Range;

use super::syntax::{Answer, Fault};
use crate::coroutine::{Input, MisuseKind, Outcome, Thrown};

/// What goes in with a resume. `None` is `next`.
pub type In = Option<Input<Option<i64>, Fault>>;

/// What can be delegated to.
pub trait Sub {
    /// Resumes it. What it writes is added to the trace.
    fn resume(&mut self, input: In, trace: &mut Vec<String>) -> Answer;
}

/// The numbers of a range, in turn: an iterator, which receives nothing.
pub struct Numbers(pub Range<i64>);

impl Sub for Numbers {
    fn resume(&mut self, input: In, _trace: &mut Vec<String>) -> Answer {
        Ok(match input {
            Some(Input::Send(Some(_))) => Outcome::Raised(Thrown::Misuse(MisuseKind::CannotReceive)),
            Some(Input::Throw(error)) => Outcome::Raised(error),
            Some(Input::Close) => Outcome::Closed,
            None | Some(Input::Send(None)) => self.0.next().map_or(Outcome::Returned(None), Outcome::Yielded),
        })
    }
}
