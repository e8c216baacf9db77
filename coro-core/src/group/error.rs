//! What a group ends with, if it fails: several errors as one.

use std::error::Error;
use std::fmt;
use std::iter;

use crate::coroutine::Thrown;
use crate::task::{Cancelled, TaskError};

/// Why a group has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// Children failed, or the body did.
    #[error(transparent)]
    Failed(ErrorGroup),
    /// The body ended with a cancellation, and nothing failed: that of the [group](super::TaskGroup::cancel), or one that
    /// it let out itself.
    #[error("the body of the group was cancelled")]
    Cancelled(#[source] Cancelled),
    /// The group was entered before. Nothing of the body has run.
    #[error("a task group is entered once: make a new one")]
    AlreadyEntered,
}

impl From<GroupError> for TaskError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Failed(errors) => Self::Group(errors),
            GroupError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            GroupError::AlreadyEntered => Self::other(GroupError::AlreadyEntered),
        }
    }
}

impl From<GroupError> for Thrown<TaskError> {
    fn from(error: GroupError) -> Self {
        Self::Error(error.into())
    }
}

/// The errors of a group, in the order in which they came: Python's `ExceptionGroup`. There is at least one.
///
/// In it there may be groups again, of groups in the group.
///
/// # Examples
///
/// ```
/// use coro_core::group::{GroupError, TaskGroup};
/// use coro_core::{EventLoop, Loop, TaskError, native::catch};
/// use std::{fmt::Error, future::pending, num::ParseIntError};
///
/// let group = TaskGroup::new();
/// let body = group.clone();
/// let program = group.run(async move {
///     body.create_task(async {
///         catch(pending::<()>()).await.ok();
///         Err::<(), _>(TaskError::other(Error)) // It fails while it cleans up.
///     })?;
///     body.create_task(async { "x".parse::<i32>().map_err(TaskError::other) })?;
///     Ok(())
/// });
/// let Err(GroupError::Failed(errors)) = Loop::simulated().run(program).unwrap() else { panic!() };
/// assert_eq!(errors.errors().len(), 2);
/// assert!(errors.find::<ParseIntError>().is_some());
/// let (wrong, others) = errors.split(|error| error.downcast_ref::<ParseIntError>().is_some());
/// assert_eq!((wrong.unwrap().errors().len(), others.unwrap().errors().len()), (1, 1));
/// ```
///
/// # References
///
/// [PEP 654](https://peps.python.org/pep-0654/).
pub struct ErrorGroup(
    // On the heap, because it is in a task error, which is moved with every result.
    Box<Errors>,
);

struct Errors {
    all: Vec<TaskError>,
}

impl ErrorGroup {
    /// `None` if there are no errors.
    pub fn new(errors: Vec<TaskError>) -> Option<Self> {
        (!errors.is_empty()).then(|| Self(Box::new(Errors { all: errors })))
    }

    /// The errors, of which some may be groups.
    pub fn errors(&self) -> &[TaskError] {
        &self.0.all
    }

    /// The errors themselves.
    pub fn into_errors(self) -> Vec<TaskError> {
        self.0.all
    }

    /// The errors that are no groups, those in groups too.
    pub fn leaves(&self) -> impl Iterator<Item = &TaskError> {
        let mut rest = vec![self.0.all.iter()];
        iter::from_fn(move || {
            loop {
                match rest.last_mut()?.next() {
                    Some(TaskError::Group(inner)) => rest.push(inner.0.all.iter()),
                    Some(error) => return Some(error),
                    None => drop(rest.pop()),
                }
            }
        })
    }

    /// The first error of a type, wherever it is.
    pub fn find<E: Error + 'static>(&self) -> Option<&E> {
        self.leaves().find_map(TaskError::downcast_ref)
    }

    /// The errors that are as `is` says, and the others: what `except*` does. A group in it is split as well.
    pub fn split(self, mut is: impl FnMut(&TaskError) -> bool) -> (Option<Self>, Option<Self>) {
        self.split_by(&mut is)
    }

    fn split_by(self, is: &mut dyn FnMut(&TaskError) -> bool) -> (Option<Self>, Option<Self>) {
        let (mut these, mut others) = (Vec::new(), Vec::new());
        for error in self.0.all {
            match error {
                TaskError::Group(inner) => {
                    let (this, other) = inner.split_by(is);
                    these.extend(this.map(TaskError::Group));
                    others.extend(other.map(TaskError::Group));
                }
                error if is(&error) => these.push(error),
                error => others.push(error),
            }
        }
        (Self::new(these), Self::new(others))
    }
}

impl fmt::Display for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.all.len() == 1 { "" } else { "s" };
        write!(f, "{} error{plural} in a group: ", self.0.all.len())?;
        for (index, error) in self.0.all.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            match error {
                TaskError::Group(inner) => write!(f, "{separator}({inner})")?,
                error => write!(f, "{separator}{error}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErrorGroup")?;
        f.debug_list().entries(&self.0.all).finish()
    }
}

impl Error for ErrorGroup {
    /// The first one.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.all.first().map(|error| error as _)
    }
}
