//! Groups and pools of fibers, as in gevent.

mod crew;
mod group;
mod imap;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use coro_core::sync::{Semaphore, semaphore::Permit};
use coro_core::task::{IntoTask, TaskError, TaskResult};

use crate::greenlet::{Failed, Greenlet, TimedOut, within};
use crate::{TaskCo, task};
use crew::{Crew, Entry};

pub use group::Group;
pub use imap::{Imap, ImapStream};

/// A group of tasks with a bound: so many run at once, and who wants to begin another one waits for a place. Cloning
/// gives another handle to the same pool.
///
/// Whatever waits is a future: `co.wait(pool.join())` in the body of a fiber, [`wait(pool.join())`](crate::wait()) anywhere
/// in one, `pool.join().await` in a native task.
///
/// A member has its place until it has ended, however it does, and its result has been passed on. Dropping the pool leaves
/// its members alone.
///
/// # Examples
///
/// ```
/// use coro_core::{EventLoop, Loop, time};
/// use coro_fiber::Pool;
/// use std::time::Duration;
///
/// let program = coro_fiber::task(|_| {
///     let pool = Pool::new(2);
///     // Two at a time, in the order in which they end.
///     let naps = pool.imap_unordered(|_, seconds| {
///         coro_fiber::sleep(Duration::from_secs(seconds))?;
///         Ok(seconds)
///     }, [3, 1, 1]);
///     let mut ended = Vec::new();
///     for nap in naps {
///         ended.push(nap??);
///     }
///     Ok((ended, time::now().as_secs_f64()))
/// });
/// assert_eq!(Loop::simulated().run(program).unwrap(), (vec![1, 1, 3], 3.0));
/// ```
///
/// # References
///
/// [`gevent.pool.Pool`](https://www.gevent.org/api/gevent.pool.html#gevent.pool.Pool).
#[derive(Clone)]
pub struct Pool {
    places: Places,
    size: usize,
}

/// Where members begin, with a place each or without.
#[derive(Clone)]
struct Places {
    crew: Crew,
    /// In a pool.
    places: Option<Semaphore>,
}

impl Places {
    async fn acquire(&self) -> Option<Permit> {
        match &self.places {
            Some(places) => Some(places.acquire().await),
            None => None,
        }
    }
}

/// [`Pool::try_spawn`] found no free place. The body comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pool has no free place: wait for one with spawn()")]
pub struct Full<F>(pub F);

impl<F> fmt::Debug for Full<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Full").finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool of `size` places. In one without places nothing ever begins.
    pub fn new(size: usize) -> Self {
        Self { places: Places { crew: Crew::default(), places: Some(Semaphore::new(size)) }, size }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.places.crew.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many places there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many places are free.
    pub fn free_count(&self) -> usize {
        self.places.places.as_ref().map_or(usize::MAX, |places| places.statistics().value)
    }

    /// Whether who wants to begin a member now has to wait: for a place, or for those before it.
    pub fn full(&self) -> bool {
        self.places.places.as_ref().is_some_and(Semaphore::is_locked)
    }

    /// Waits until a member could begin without waiting.
    ///
    /// # Cancellation
    ///
    /// Strict.
    pub fn wait_available(&self) -> impl Future<Output = ()> + use<> {
        let places = self.places.clone();
        async move { drop(places.acquire().await) }
    }

    /// Waits for a place, first come, first served, and spawns `body` there.
    ///
    /// # Panics
    ///
    /// When it is polled outside a running event loop.
    ///
    /// # Cancellation
    ///
    /// Strict: when the wait is dropped `body` is, and it has not run.
    #[track_caller]
    pub fn spawn<F, R>(&self, body: F) -> impl Future<Output = Greenlet<R>> + use<F, R>
    where
        F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
        R: 'static,
    {
        self.start(task(body))
    }

    /// Waits for a place, and begins any task there, of whatever flavour. See [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// When it is polled outside a running event loop.
    ///
    /// # Cancellation
    ///
    /// Strict: when the wait is dropped the task is, and it has not run.
    #[track_caller]
    pub fn start<T>(&self, task: T) -> impl Future<Output = Greenlet<T::Output>> + use<T>
    where
        T: IntoTask<Body: 'static>,
        T::Output: 'static,
    {
        let (places, at) = (self.places.clone(), Location::caller());
        async move {
            let permit = places.acquire().await;
            places.crew.start(Entry { what: "coro_fiber::Pool::spawn", at, permit }, task)
        }
    }

    /// Spawns `body`, if a place is free and nobody waits for one.
    ///
    /// # Errors
    ///
    /// [`Full`] hands the body back.
    ///
    /// # Panics
    ///
    /// Outside a running event loop.
    #[track_caller]
    pub fn try_spawn<F, R>(&self, body: F) -> Result<Greenlet<R>, Full<F>>
    where
        F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
        R: 'static,
    {
        let Ok(permit) = self.places.places.as_ref().map(Semaphore::try_acquire).transpose() else {
            return Err(Full(body));
        };
        let entry = Entry { what: "coro_fiber::Pool::try_spawn", at: Location::caller(), permit };
        Ok(self.places.crew.start(entry, task(body)))
    }
}

/// What a group and a pool have in common, with the same words.
macro_rules! crew_methods {
    ($this:ty) => {
        impl $this {
            /// Waits for a place, if places are bounded, runs `body` there, and gives its result.
            ///
            /// # Errors
            ///
            /// Its error.
            ///
            /// # Panics
            ///
            /// When it is polled outside a running event loop.
            ///
            /// # Cancellation
            ///
            /// Strict: a body that has not begun is dropped with the wait; one that has runs on, and an error goes to the
            /// loop's exception handler.
            #[track_caller]
            pub fn apply<F, R>(&self, body: F) -> impl Future<Output = Result<R, TaskError>> + use<F, R>
            where
                F: FnOnce(&mut TaskCo<'_>) -> TaskResult<R> + 'static,
                R: 'static,
            {
                let (places, at) = (self.places.clone(), Location::caller());
                async move {
                    let permit = places.acquire().await;
                    places.crew.apply(Entry { what: "coro_fiber::Pool::apply", at, permit }, task(body)).await
                }
            }

            /// Runs `function` for each item, each in a member, and gives the results in the order of the items.
            ///
            /// # Errors
            ///
            /// That of the first item, in their order, whose member fails. The others go on.
            ///
            /// # Panics
            ///
            /// When it is polled outside a running event loop.
            ///
            /// # Cancellation
            ///
            /// As that of [`Imap`], which it is the end of: no other member begins, the results are lost.
            #[track_caller]
            pub fn map<A, R, F, I>(
                &self,
                function: F,
                items: I,
            ) -> impl Future<Output = Result<Vec<R>, TaskError>> + use<A, R, F, I>
            where
                F: Fn(&mut TaskCo<'_>, A) -> TaskResult<R> + 'static,
                I: IntoIterator<Item = A> + 'static,
                A: 'static,
                R: 'static,
            {
                let (places, at) = (self.places.clone(), Location::caller());
                async move {
                    let mut results = Imap::new(&places, at, true, function, items);
                    let mut values = Vec::new();
                    while let Some(result) = results.next_result().await {
                        values.push(result?);
                    }
                    Ok(values)
                }
            }

            /// Runs `function` for each item, each in a member; the results come one by one, in the order of the items.
            ///
            /// # Panics
            ///
            /// Outside a running event loop.
            #[track_caller]
            pub fn imap<A, R, F, I>(&self, function: F, items: I) -> Imap<R>
            where
                F: Fn(&mut TaskCo<'_>, A) -> TaskResult<R> + 'static,
                I: IntoIterator<Item = A> + 'static,
                A: 'static,
                R: 'static,
            {
                Imap::new(&self.places, Location::caller(), true, function, items)
            }

            /// [`imap`](Self::imap), in the order in which the members end.
            ///
            /// # Panics
            ///
            /// Outside a running event loop.
            #[track_caller]
            pub fn imap_unordered<A, R, F, I>(&self, function: F, items: I) -> Imap<R>
            where
                F: Fn(&mut TaskCo<'_>, A) -> TaskResult<R> + 'static,
                I: IntoIterator<Item = A> + 'static,
                A: 'static,
                R: 'static,
            {
                Imap::new(&self.places, Location::caller(), false, function, items)
            }

            /// Waits until there is no member; it is over, too, if others came after the last one went. A member that waits
            /// for this waits for itself.
            ///
            /// # Cancellation
            ///
            /// Strict.
            pub fn join(&self) -> impl Future<Output = ()> + use<> {
                self.places.crew.clone().join()
            }

            /// [`join`](Self::join), for `timeout` at most.
            ///
            /// # Errors
            ///
            /// [`TimedOut`].
            ///
            /// # Cancellation
            ///
            /// Strict.
            pub fn join_timeout(
                &self,
                timeout: Duration,
            ) -> impl Future<Output = Result<(), TimedOut>> + use<> {
                within(timeout, self.join())
            }

            /// [`join`](Self::join), unless a member fails first: gevent's `join(raise_error=True)`. A member that is
            /// cancelled has not failed.
            ///
            /// # Errors
            ///
            /// The first error of a member that was spawned or started, from the first poll on. The others go on. (The
            /// errors of `map`, `imap` and `apply` belong to who called these.)
            ///
            /// # Cancellation
            ///
            /// Strict.
            pub fn try_join(&self) -> impl Future<Output = Result<(), Failed>> + use<> {
                self.places.crew.clone().try_join()
            }

            /// Asks every member to end: gevent's `kill(block=False)`. See
            /// [`JoinHandle::cancel`](coro_core::task::JoinHandle::cancel).
            pub fn cancel(&self) {
                self.places.crew.cancel();
            }

            /// Asks every member to end, and waits until all have. Who begins meanwhile, as part of a cleanup, never runs.
            ///
            /// A member that kills its own group ends with the others, at this wait.
            ///
            /// # Cancellation
            ///
            /// Strict: the requests stand.
            pub fn kill(&self) -> impl Future<Output = ()> + use<> {
                self.places.crew.clone().kill()
            }
        }
    };
}
use crew_methods;

crew_methods!(Pool);

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("size", &self.size).field("len", &self.len()).finish_non_exhaustive()
    }
}
