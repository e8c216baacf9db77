//! Tasks of which one wins, and the others are cancelled.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::members::{Members, Owned};
use super::{Cancelled, JoinHandle, TaskError};
use crate::event_loop::Loop;
use crate::group::{ErrorGroup, IntoChild, let_out, uninterrupted};
use crate::native::catch;
use crate::time::sleep;

/// Waits for the first of `tasks` to end; then cancels the others, and waits for them to end too. Gives the number of the
/// first one, and its result.
///
/// Of the others, what they give is dropped, and what they fail with is reported to the loop's exception handler.
///
/// # Errors
///
/// That of the first one, if it has failed. [`TaskError::NothingToAwait`] if there are no tasks.
///
/// # Cancellation
///
/// All are cancelled and waited for. If it is dropped, they are cancelled.
///
/// # Examples
///
/// ```
/// use coro_core::{Loop, EventLoop, native::spawn, task::race, time::sleep};
/// use std::time::Duration;
///
/// let first = Loop::simulated().run(async {
///     let tasks = [3, 1, 2].map(|seconds| {
///         spawn(async move { sleep(Duration::from_secs(seconds)).await; seconds })
///     });
///     race(tasks).await
/// });
/// assert_eq!(first.unwrap().unwrap(), (1, 1));
/// ```
///
/// # References
///
/// [`Promise.race`](https://tc39.es/ecma262/#sec-promise.race), which leaves the others alone.
pub fn race<T>(
    tasks: impl IntoIterator<Item = JoinHandle<T>>,
) -> impl Future<Output = Result<(usize, T), TaskError>> {
    let mut racing = Racing::new();
    tasks.into_iter().for_each(|task| racing.begin(task));
    async move {
        let first = racing.interruptible(async |racing| racing.next().await).await;
        racing.end().await;
        let (index, result) = first.ok_or(TaskError::NothingToAwait)?;
        Ok((index, result?))
    }
}

/// What has won a [`staggered_race`].
#[derive(Debug)]
pub struct Winner<T> {
    /// What it gave.
    pub value: T,
    /// Its number.
    pub index: usize,
    /// Those that have failed before, by their numbers.
    pub errors: Vec<(usize, TaskError)>,
}

/// Begins one task after the other, each so long after the one before, or as soon as that has failed, until one succeeds;
/// then cancels the others, and waits for them to end too. Without a delay, the next one begins only when one has failed.
///
/// This is how "happy eyeballs" connect to the first of several addresses that answers. Of the losers, what they give is
/// dropped, and what they fail with while they are cancelled is reported to the loop's exception handler.
///
/// # Errors
///
/// [`TaskError::Group`] with the errors of all, in the order in which they came, if none succeeds.
/// [`TaskError::NothingToAwait`] if there is nothing to begin.
///
/// # Panics
///
/// Outside a running event loop.
///
/// # Cancellation
///
/// All that have begun are cancelled and waited for. If it is dropped, they are cancelled.
///
/// # Examples
///
/// ```
/// use coro_core::{Loop, EventLoop, TaskError, task::staggered_race, time::sleep};
/// use std::time::Duration;
///
/// let winner = Loop::simulated().run(async {
///     let attempts = [60, 1].map(|seconds| {
///         move || async move { sleep(Duration::from_secs(seconds)).await; Ok::<_, TaskError>(seconds) }
///     });
///     staggered_race(attempts, Some(Duration::from_millis(250))).await
/// });
/// let winner = winner.unwrap().unwrap();
/// assert_eq!((winner.index, winner.value), (1, 1));
/// ```
///
/// # References
///
/// [RFC 8305](https://www.rfc-editor.org/rfc/rfc8305); `asyncio.staggered`.
pub async fn staggered_race<C, M>(
    attempts: impl IntoIterator<Item = M>,
    delay: Option<Duration>,
) -> Result<Winner<C::Value>, TaskError>
where
    M: FnOnce() -> C,
    C: IntoChild<Body: 'static>,
    C::Output: 'static,
{
    let mut racing = Racing::new();
    let mut attempts = attempts.into_iter().fuse();
    let mut errors = Vec::new();
    let mut next = attempts.next();
    let won = racing
        .interruptible(async |racing: &mut Racing<C::Output>| {
            loop {
                let Some(attempt) = next.take() else {
                    // All have begun.
                    let (index, result) = racing.next().await?;
                    match result.and_then(C::returned) {
                        Ok(value) => return Some((index, value)),
                        Err(error) => errors.push((index, error)),
                    }
                    continue;
                };
                next = attempts.next();
                racing.begin(Loop::spawn_on_running("staggered_race", attempt()));
                let patience = delay.filter(|_| next.is_some());
                let Some((index, result)) = racing.next_within(patience).await else { continue };
                match result.and_then(C::returned) {
                    Ok(value) => return Some((index, value)),
                    Err(error) => errors.push((index, error)),
                }
            }
        })
        .await;
    racing.end().await;
    match won {
        Some((index, value)) => Ok(Winner { value, index, errors }),
        None => {
            let errors = errors.into_iter().map(|(_, error)| error).collect();
            Err(ErrorGroup::new(errors).map_or(TaskError::NothingToAwait, TaskError::Group))
        }
    }
}

/// Tasks that race. They are cancelled when this is dropped.
struct Racing<T> {
    members: Owned<T>,
    /// How many have begun, and which one of them a member is.
    begun: usize,
    numbers: Vec<usize>,
}

impl<T> Racing<T> {
    fn new() -> Self {
        Self { members: Owned(Members::new([])), begun: 0, numbers: Vec::new() }
    }

    fn begin(&mut self, task: JoinHandle<T>) {
        let member = self.members.0.push(task);
        self.numbers.resize(self.numbers.len().max(member + 1), 0);
        self.numbers[member] = self.begun;
        self.begun += 1;
    }

    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<(usize, Result<T, TaskError>)>> {
        let next = ready!(self.members.0.poll_next(cx));
        Poll::Ready(next.map(|(member, result)| (self.numbers[member], result)))
    }

    /// The next one that has ended. `None` if none is left.
    async fn next(&mut self) -> Option<(usize, Result<T, TaskError>)> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same, also `None` when the time is up, if there is a limit.
    async fn next_within(&mut self, limit: Option<Duration>) -> Option<(usize, Result<T, TaskError>)> {
        let mut sleep = limit.map(sleep);
        poll_fn(|cx| {
            if let Poll::Ready(next) = self.poll_next(cx) {
                return Poll::Ready(next);
            }
            match &mut sleep {
                Some(sleep) => Pin::new(sleep).poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Runs `work`. When that is cancelled, all are, and it is let out when they have ended.
    async fn interruptible<R>(&mut self, work: impl AsyncFnOnce(&mut Self) -> R) -> R {
        let cancelled = match catch(pin!(work(self))).await {
            Ok(output) => return output,
            Err(cancelled) => cancelled,
        };
        self.end_with(&cancelled).await;
        match let_out(cancelled).await {}
    }

    /// Cancels all that are left, and waits until they have ended.
    async fn end(&mut self) {
        self.end_with(&Cancelled::new()).await;
    }

    async fn end_with(&mut self, cancelled: &Cancelled) {
        let members = &mut self.members.0;
        if members.left() == 0 {
            return;
        }
        members.cancel(cancelled, false);
        uninterrupted(poll_fn(|cx| {
            // What it gives goes with its handle, which tells of an error.
            while let Some(member) = ready!(members.poll_ended(cx)) {
                drop(member);
            }
            Poll::Ready(())
        }))
        .await;
    }
}
