//! What ends a fetch in the flavours whose waits can throw.

use coro_core::Thrown;
use coro_core::task::TaskError;

use crate::http::FetchError;

/// An error of the page, which is noted, or of the task, which ends it. Python has one exception for each.
#[derive(Debug)]
pub(super) enum Failure {
    Fetch(FetchError),
    Thrown(Thrown<TaskError>),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

impl From<url::ParseError> for Failure {
    fn from(error: url::ParseError) -> Self {
        Self::Fetch(error.into())
    }
}

impl From<Thrown<TaskError>> for Failure {
    fn from(thrown: Thrown<TaskError>) -> Self {
        Self::Thrown(thrown)
    }
}
