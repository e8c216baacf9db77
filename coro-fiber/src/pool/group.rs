//! A group: a pool without a bound.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use coro_core::task::{IntoTask, TaskError, TaskResult};

use super::crew::{Crew, Entry};
use super::{Imap, Places, crew_methods};
use crate::greenlet::{Failed, Greenlet, TimedOut, within};
use crate::{TaskCo, task};

/// Tasks that are waited for, and ended, together. Cloning gives another handle to the same group.
///
/// Its waits are futures, as those of a [`Pool`](super::Pool), which is a group with a bound. Dropping it leaves its members
/// alone: where they must not outlive a block, [`kill`](Self::kill) it at the end.
///
/// # Examples
///
/// ```
/// use coro_fiber::Group;
/// use coro_core::task::TaskError;
///
/// let joined = coro_fiber::run(|co| {
///     let group = Group::new();
///     group.spawn(|_| Ok(1));
///     group.spawn(|_| -> Result<(), _> { Err(TaskError::other("no such host").into()) });
///     Ok(co.wait(group.try_join())?)
/// });
/// assert_eq!(joined.unwrap().unwrap_err().to_string(), "no such host");
/// ```
///
/// # References
///
/// [`gevent.pool.Group`](https://www.gevent.org/api/gevent.pool.html#gevent.pool.Group).
#[derive(Clone)]
pub struct Group {
    places: Places,
}

impl Group {
    /// A group without members.
    pub fn new() -> Self {
        Self { places: Places { crew: Crew::default(), places: None } }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.places.crew.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Spawns `body`, as a member.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn spawn<F, R>(&self, body: F) -> Greenlet<R>
    where
        F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
        R: 'static,
    {
        self.start(task(body))
    }

    /// Spawns any task as a member, of whatever flavour.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn start<T>(&self, task: T) -> Greenlet<T::Output>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let entry = Entry { what: "coro_fiber::Group::spawn", at: Location::caller(), permit: None };
        self.places.crew.start(entry, task)
    }
}

crew_methods!(Group);

impl Default for Group {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("len", &self.len()).finish_non_exhaustive()
    }
}
